package schedule

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// lanes are the columns of a transcript, one for each session.
const (
	laneLeast = 16
	laneMost  = 40
)

// Transcript writes what happened in lanes side by side. It has no ids and no times, and can be read back with ParseLanes.
func (p *Plan) Transcript(r *Run) string {
	w := &laneWriter{plan: p, indent: p.indents()}
	for i, e := range r.Log {
		w.entry(e, i > 0 && r.Log[i-1].What == Sent && r.Log[i-1].Step == e.Step)
	}
	for _, t := range r.Final {
		if len(t.Rows) <= maxLines {
			fmt.Fprintf(&w.b, "#  %s: %s\n", t.Name, rowsText(t.Rows))
		}
	}
	return strings.TrimRight(w.b.String(), "\n") + "\n"
}

// indents places the lanes: each is as wide as its longest line, within bounds.
func (p *Plan) indents() []string {
	out := make([]string, len(p.Sessions))
	at := 0
	for i, s := range p.Sessions {
		out[i] = strings.Repeat(" ", at)
		width := laneLeast
		for k := range s.Steps {
			for line := range strings.SplitSeq(s.Steps[k].SQL, "\n") {
				width = max(width, utf8.RuneCountInString(p.prompt(i, k)+line)+3)
			}
		}
		at += min(width, laneMost)
	}
	return out
}

// prompt is "a> ", with the step's name where it is not the usual one.
func (p *Plan) prompt(session, step int) string {
	s := p.Sessions[session]
	if name := s.Steps[step].Name; name != fmt.Sprintf("%s%d", s.Name, step+1) {
		return s.Name + ":" + name + "> "
	}
	return s.Name + "> "
}

type laneWriter struct {
	plan   *Plan
	indent []string
	b      strings.Builder
}

func (w *laneWriter) line(session int, text string) {
	fmt.Fprintf(&w.b, "%s%s\n", w.indent[session], text)
}

// entry writes one entry; direct: it comes right after its step was sent, so that the step need not be named.
func (w *laneWriter) entry(e Entry, direct bool) {
	at := w.plan.flat[e.Step]
	name := ""
	if !direct {
		name = w.plan.Step(e.Step).Name + " "
	}
	switch e.What {
	case Sent:
		w.sent(at)
	case Waits:
		w.line(at.Session, "#! "+name+waitsText(e.Blockers, e.Lock, e.Weak))
	case Returns:
		w.result(at.Session, name, e)
	case Proceeds:
		after := ""
		if e.After >= 0 {
			after = " after " + w.plan.Step(e.After).Name
		}
		w.line(at.Session, "#! "+w.plan.Step(e.Step).Name+" proceeds"+after)
		w.result(at.Session, w.plan.Step(e.Step).Name+" ", e)
	case Deadlock:
		w.line(at.Session, fmt.Sprintf("#! deadlock: %s is the victim", w.plan.Sessions[at.Session].Name))
		for _, l := range cycleLines(e.Cycle) {
			w.line(at.Session, "#    "+l)
		}
	}
}

func (w *laneWriter) sent(at At) {
	prompt := w.plan.prompt(at.Session, at.Step)
	for i, l := range strings.Split(w.plan.Sessions[at.Session].Steps[at.Step].SQL, "\n") {
		if i > 0 {
			prompt = strings.Repeat(" ", len(prompt))
		}
		w.line(at.Session, strings.TrimRight(prompt+strings.TrimSpace(l), " "))
	}
}

// maxLines is how many rows of a result a transcript shows.
const maxLines = 50

func (w *laneWriter) result(session int, name string, e Entry) {
	r := e.Result
	if r.Err != nil {
		w.line(session, "#! "+name+errorText(r.Err))
		return
	}
	if r.HasRows && len(r.Rows) == 0 {
		w.line(session, "#= (no rows)")
	}
	for i, row := range r.Rows {
		if i == maxLines {
			w.line(session, fmt.Sprintf("#  ... %d more rows", len(r.Rows)-i))
			break
		}
		w.line(session, "#= "+strings.Join(row, ", "))
	}
	if r.Note != "" {
		w.line(session, "#  "+r.Note)
	}
	if e.Implicit {
		w.line(session, "#  commits the transaction implicitly")
	}
	if r.Affected > 0 && !r.HasRows {
		w.line(session, "#  "+counted(int(r.Affected), "row")+" changed")
	}
}
