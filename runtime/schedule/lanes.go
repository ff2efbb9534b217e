package schedule

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Script is a plan with one order, as a transcript has it.
type Script struct {
	Plan  *Plan
	Order []Place
	Text  string
}

// LaneError is a line of a transcript that cannot be read.
type LaneError struct {
	Line    int
	Problem string
}

func (e *LaneError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Problem) }

// promptLine is "a> SELECT 1", "a:look> SELECT 1", "session 1> ...", "conn_0> ...".
var promptLine = regexp.MustCompile(`^\s*([A-Za-z_][A-Za-z_0-9]*(?: [0-9]+)?)(?::([A-Za-z_0-9]+))?>(?:\s+(.*))?$`)

// ParseLanes reads a transcript: lines with a prompt are steps, those that begin with #! or #= expect something of them. What
// follows a statement that ended with a semicolon is passed over: it is what a client printed.
func ParseLanes(text string) (*Script, error) {
	p := &laneParser{plan: &Plan{}, byName: map[string]int{}}
	for i, line := range strings.Split(text, "\n") {
		if err := p.line(i+1, strings.TrimRight(line, " \t\r")); err != nil {
			return nil, err
		}
	}
	p.flush()
	if len(p.plan.Sessions) == 0 {
		return nil, &LaneError{1, "there is no line with a prompt: write \"a> SELECT 1\""}
	}
	if err := p.plan.Seal(); err != nil {
		return nil, err
	}
	return p.script(text)
}

type laneParser struct {
	plan   *Plan
	byName map[string]int // sessions
	order  []At
	open   []string // lines of the statement that goes on
	at     At       // of the newest step
	name   string   // its name, where it has one
	marks  []laneMark

	heading string // "Session 1:", where there was one
}

var (
	// commentAtEnd stands behind the semicolon that ends a statement. One with a quote in it may be within a text.
	commentAtEnd = regexp.MustCompile(`;\s*(?:--(?:\s[^'"]*)?|#[^'"]*)$`)
	// serverError is how clients print one.
	serverError = regexp.MustCompile(`^ERROR (\d{4,5})\b`)
	// clientPrompt is a prompt that names the program, not the session.
	clientPrompt = regexp.MustCompile(`(?i)^(?:mysql|mariadb|tidb|dolt)$`)
	// otherPrompt is what looks like a prompt and is none of promptLine's.
	otherPrompt = regexp.MustCompile(`(?i)^\s*[A-Za-z_][\w .\[\]()@-]{0,40}>\s+(?:BEGIN|START|SET|SELECT|INSERT|UPDATE|DELETE|REPLACE|COMMIT|ROLLBACK|CREATE|ALTER|DROP)\b`)
	headingLine = regexp.MustCompile(`(?i)^(?:session|connection|client|terminal)\s+\w+\s*:?$`)
)

// laneMark expects something of a step: by name, else of the newest at that time.
type laneMark struct {
	line int
	step string
	at   At
	want Want
}

func (p *laneParser) line(n int, line string) error {
	trimmed := strings.TrimSpace(line)
	switch {
	case strings.HasPrefix(trimmed, "#!"):
		p.flush()
		return p.mark(n, strings.TrimSpace(trimmed[2:]))
	case strings.HasPrefix(trimmed, "#="):
		p.flush()
		return p.row(n, strings.TrimSpace(trimmed[2:]))
	case strings.HasPrefix(trimmed, "#  ... "): // rows that a transcript leaves out
		for len(p.marks) > 0 && p.marks[len(p.marks)-1].want.HasRows {
			p.marks = p.marks[:len(p.marks)-1]
		}
		return nil
	case strings.HasPrefix(trimmed, "#"), trimmed == "":
		p.flush()
		return nil
	}
	if m := serverError.FindStringSubmatch(trimmed); m != nil && p.order != nil {
		p.flush()
		p.marks = append(p.marks, laneMark{line: n, at: p.at, want: Want{Error: m[1]}})
		return nil
	}
	if m := promptLine.FindStringSubmatch(line); m != nil {
		if clientPrompt.MatchString(m[1]) && p.heading != "" {
			return &LaneError{n, fmt.Sprintf("the prompt %s> does not tell which session it is (%q stands above): write a> and b>, or take it over with rig import session", m[1], p.heading)}
		}
		p.flush()
		p.begin(strings.ReplaceAll(m[1], " ", ""), m[2], m[3])
		return nil
	}
	if otherPrompt.MatchString(line) {
		return &LaneError{n, "this is no prompt that lanes knows: write the session's name alone, \"a> SELECT 1\"; rig import session reads transcripts of clients"}
	}
	if headingLine.MatchString(trimmed) && p.open == nil {
		p.heading = trimmed
	}
	if p.open != nil {
		p.more(trimmed)
	}
	return nil
}

// begin opens a statement of a session.
func (p *laneParser) begin(session, name, sql string) {
	i, known := p.byName[session]
	if !known {
		i = len(p.plan.Sessions)
		p.byName[session] = i
		p.plan.Sessions = append(p.plan.Sessions, Session{Name: session})
	}
	p.at, p.name = At{i, len(p.plan.Sessions[i].Steps)}, name
	p.open = []string{}
	if sql != "" {
		p.more(sql)
	}
}

// more goes on with the statement, which a semicolon ends.
func (p *laneParser) more(line string) {
	line = commentAtEnd.ReplaceAllString(line, ";")
	p.open = append(p.open, line)
	if strings.HasSuffix(line, ";") {
		p.flush()
	}
}

// flush ends the statement; one line may hold several.
func (p *laneParser) flush() {
	for i, sql := range SplitStatements(strings.Join(p.open, "\n")) {
		s := &p.plan.Sessions[p.at.Session]
		step := Step{SQL: sql}
		if i == 0 {
			step.Name = p.name
		}
		p.at.Step = len(s.Steps)
		s.Steps = append(s.Steps, step)
		p.order = append(p.order, p.at)
	}
	p.open = nil
}

var (
	markWaits    = regexp.MustCompile(`^(?:([A-Za-z_]\w*) )?waits(\?)?(?: for ([\w ,]+?))?(?::.*)?$`)
	markProceeds = regexp.MustCompile(`^([A-Za-z_]\w*) proceeds(?: after ([A-Za-z_]\w*))?$`)
	markError    = regexp.MustCompile(`^(?:([A-Za-z_]\w*) )?error (\w+)(?: \w+)?$`)
	markDeadlock = regexp.MustCompile(`^deadlock: ([A-Za-z_]\w*) is the victim$`)
	markNoWait   = regexp.MustCompile(`^(?:([A-Za-z_]\w*) )?no wait$`)
)

// mark reads what stands behind "#!".
func (p *laneParser) mark(n int, s string) error {
	if p.order == nil {
		return &LaneError{n, "a mark comes before the first statement"}
	}
	m := laneMark{line: n, at: p.at}
	switch {
	case markNoWait.MatchString(s):
		m.step, m.want.Waits = markNoWait.FindStringSubmatch(s)[1], No
	case markWaits.MatchString(s):
		g := markWaits.FindStringSubmatch(s)
		m.step, m.want.Waits = g[1], Yes
		if g[3] != "" {
			m.want.For = strings.Split(g[3], ", ")
		}
	case markProceeds.MatchString(s):
		g := markProceeds.FindStringSubmatch(s)
		m.step, m.want.Waits, m.want.Proceeds = g[1], Yes, g[2]
	case markError.MatchString(s):
		g := markError.FindStringSubmatch(s)
		m.step, m.want.Error = g[1], g[2]
		if !isError(g[2]) {
			return &LaneError{n, fmt.Sprintf("no error has the code or kind %q", g[2])}
		}
	case s == "deadlock":
		m.want.Error = s
	case markDeadlock.MatchString(s):
		return nil // the victim's step has the error as well
	default:
		return &LaneError{n, fmt.Sprintf("%q is no mark: there are waits, waits for a, no wait, error 1213, deadlock, b2 proceeds after a3", s)}
	}
	p.marks = append(p.marks, m)
	return nil
}

// row expects a row of the newest step, or of the one that a mark named last.
func (p *laneParser) row(n int, s string) error {
	if p.order == nil {
		return &LaneError{n, "a row comes before the first statement"}
	}
	m := laneMark{line: n, at: p.at, want: Want{HasRows: true}}
	if last := len(p.marks) - 1; last >= 0 && p.marks[last].line == n-1 {
		m.step = p.marks[last].step
	}
	if s != "(no rows)" {
		m.want.Rows = [][]string{strings.Split(s, ", ")}
	}
	p.marks = append(p.marks, m)
	return nil
}

// script puts marks to their steps. Rows that follow each other are those of one result.
func (p *laneParser) script(text string) (*Script, error) {
	out := &Script{Plan: p.plan, Text: text}
	for _, at := range p.order {
		out.Order = append(out.Order, Place{Step: slices.Index(p.plan.flat, at)})
	}
	for i, m := range p.marks {
		n := slices.Index(p.plan.flat, m.at)
		if m.step == "" && m.want.HasRows && i > 0 && p.marks[i-1].line == m.line-1 && p.marks[i-1].want.HasRows {
			m.step = p.marks[i-1].step
			p.marks[i] = m
		}
		if m.step != "" {
			if n = p.plan.find(m.step); n < 0 {
				return nil, &LaneError{m.line, p.plan.unknownStep(m.step).Error()}
			}
		}
		if m.want.Proceeds != "" && p.plan.find(m.want.Proceeds) < 0 {
			return nil, &LaneError{m.line, p.plan.unknownStep(m.want.Proceeds).Error()}
		}
		for _, s := range m.want.For {
			if _, ok := p.byName[s]; !ok && s != "another session" {
				return nil, &LaneError{m.line, fmt.Sprintf("there is no session %q", s)}
			}
		}
		p.plan.Step(n).Want.add(m.want)
	}
	return out, nil
}

// add joins what several marks expect.
func (w *Want) add(o Want) {
	if o.Waits != Any {
		w.Waits = o.Waits
	}
	if o.Error != "" {
		w.Error = o.Error
	}
	if o.Proceeds != "" {
		w.Proceeds = o.Proceeds
	}
	w.For = append(w.For, o.For...)
	w.Rows = append(w.Rows, o.Rows...)
	w.HasRows = w.HasRows || o.HasRows
}

// OrderText is the order as ParseOrder reads it.
func (s *Script) OrderText() string {
	order := make([]int, len(s.Order))
	for i, p := range s.Order {
		order[i] = p.Step
	}
	return s.Plan.text(order)
}

// Default reports whether a step has the name that its number gives it.
func (p *Plan) Default(n int) bool {
	at := p.flat[n]
	return p.Step(n).Name == p.Sessions[at.Session].Name+strconv.Itoa(at.Step+1)
}
