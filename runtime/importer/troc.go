package importer

import (
	"regexp"
	"strconv"
	"strings"
)

// A case of Troc, in the form that its --case-file reads: statements that make the table; after an empty line a level (RU, RC,
// RR, SER) and the statements of the first transaction, one a line; likewise the second; the submitted order, which names the
// transaction of each statement ("1-1-2-2-1"); END. A file may have several cases; what stands between them is a remark.
// Without a submitted order every permutation runs. A log of Troc with its reports is read, too (troc_log.go).

var (
	trocLevels   = map[string]string{"RU": "READ UNCOMMITTED", "RC": "READ COMMITTED", "RR": "REPEATABLE READ", "SER": "SERIALIZABLE"}
	reportOfTroc = regexp.MustCompile(`(?m)\bBUG REPORT[ \t]*$`)
	submitted    = regexp.MustCompile(`^[0-9]+(-[0-9]+)*$`)
	sqlStart     = regexp.MustCompile(`(?i)^(CREATE|INSERT|DROP|ALTER|SET|USE|REPLACE|UPDATE|DELETE|TRUNCATE|ANALYZE)\b`)
)

type trocParser struct {
	*reader
	cases   []test
	t       *test // the case at hand; nil between cases
	current *session
	ended   bool // behind an empty line: the transaction is complete
	orderAt int  // the byte of the submitted order, -1 before it
}

func parseTroc(r *reader) ([]test, error) {
	if reportOfTroc.MatchString(r.text) {
		return parseTrocLog(r)
	}
	p := &trocParser{reader: r}
	if err := r.eachLine(p.line); err != nil {
		return nil, err
	}
	if p.t != nil {
		if err := p.finish(len(r.text)); err != nil {
			return nil, err
		}
	}
	return p.cases, nil
}

func (p *trocParser) line(at int, raw string) error {
	text := strings.TrimSpace(raw)
	at += len(raw) - len(strings.TrimLeft(raw, " \t"))
	level, isLevel := trocLevels[strings.ToUpper(text)]
	number, _ := p.place(at)
	switch {
	case text == "":
		p.ended = true
	case strings.HasPrefix(text, "#") || strings.HasPrefix(text, "-- "):
	case p.t == nil && !sqlStart.MatchString(text):
		p.remark(at, text)
	case p.t == nil:
		p.t = &test{name: identifier(p.base()), doc: "From " + p.name + ".", line: number}
		p.current, p.ended, p.orderAt = nil, false, -1
		p.t.setup = append(p.t.setup, trocStatement(text, number))
	case strings.EqualFold(text, "END"):
		return p.finish(at)
	case p.orderAt >= 0:
		return p.errorAt(at, "want END behind the submitted order, got %q", oneLine(text))
	case isLevel:
		return p.transaction(at, level)
	case submitted.MatchString(text) && p.current != nil:
		return p.order(at, text)
	case p.current == nil && !p.ended:
		p.t.setup = append(p.t.setup, trocStatement(text, number))
	case p.current == nil || p.ended:
		return p.wanted(at, text)
	default:
		st := &step{name: stepName(p.current.name, len(p.current.steps)+1), line: number, sql: []statement{trocStatement(text, number)}}
		p.t.addStep(p.current, st)
	}
	return nil
}

func trocStatement(text string, line int) statement {
	return statement{sql: strings.TrimRight(text, "; \t"), line: line}
}

func (p *trocParser) wanted(at int, text string) error {
	if len(p.t.sessions) < 2 {
		return p.errorAt(at, "want the level of transaction %d (RU, RC, RR or SER), got %q", len(p.t.sessions)+1, oneLine(text))
	}
	return p.errorAt(at, "want a submitted order as 1-1-2-2-1, or END, got %q", oneLine(text))
}

// remark keeps a line between two cases; it belongs to the case before.
func (p *trocParser) remark(at int, text string) {
	if len(p.cases) > 0 {
		last := &p.cases[len(p.cases)-1]
		last.remarks = append(last.remarks, p.note(at, "%s", oneLine(text)))
	}
}

func (p *trocParser) transaction(at int, level string) error {
	if len(p.t.sessions) == 2 {
		return p.errorAt(at, "a case has two transactions, and this is the third")
	}
	if p.current != nil && len(p.current.steps) == 0 {
		return p.errorAt(at, "transaction 1 has no statement")
	}
	p.current = p.t.session("T" + strconv.Itoa(len(p.t.sessions)+1))
	p.current.isolation, p.ended = level, false
	return nil
}

func (p *trocParser) order(at int, text string) error {
	if len(p.t.sessions) < 2 {
		return p.errorAt(at, "the submitted order comes behind two transactions, and there is %d", len(p.t.sessions))
	}
	number, _ := p.place(at)
	o := order{line: number}
	next := make([]int, 2)
	for word := range strings.SplitSeq(text, "-") {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 || n > 2 {
			return p.errorAt(at, "the submitted order names transaction %s, and there are 1 and 2", word)
		}
		s := p.t.sessions[n-1]
		if next[n-1] == len(s.steps) {
			return p.errorAt(at, "the submitted order has transaction %d more often than its %d statements", n, len(s.steps))
		}
		o.uses = append(o.uses, use{step: s.steps[next[n-1]].name, line: number})
		next[n-1]++
	}
	for i, s := range p.t.sessions {
		if next[i] < len(s.steps) {
			return p.errorAt(at, "the submitted order has transaction %d only %d times, and it has %d statements", i+1, next[i], len(s.steps))
		}
	}
	p.t.orders, p.orderAt = append(p.t.orders, o), at
	return nil
}

func (p *trocParser) finish(at int) error {
	if len(p.t.sessions) < 2 || len(p.t.sessions[1].steps) == 0 {
		return p.errorAt(at, "the case that begins on line %d has not two transactions", p.t.line)
	}
	p.cases, p.t = append(p.cases, *p.t), nil
	return nil
}
