package importer

import (
	"strconv"
	"strings"
)

// The grammar is that of PostgreSQL's src/test/isolation (README, specscanner.l, specparse.y, version 18):
//
//	spec        = { "setup" sql } [ "teardown" sql ] session { session } { permutation }
//	session     = "session" name [ "setup" sql ] step { step } [ "teardown" sql ]
//	step        = "step" name sql
//	permutation = "permutation" use { use }
//	use         = name [ "(" marker { "," marker } ")" ]
//	marker      = "*" | name | name "notices" integer
//
// A block ends at the first "}". Names are SQL identifiers without folding, or quoted, "" within for a quote.

// specParser reads tokens with one of look-ahead.
type specParser struct {
	specScanner
	tok token
	t   test
}

func parseSpec(r *reader) ([]test, error) {
	p := &specParser{specScanner: specScanner{reader: r}}
	p.t.name, p.t.line = identifier(r.base()), 1
	p.t.doc = leadingComment(r.text)
	if err := p.spec(); err != nil {
		return nil, err
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	return []test{p.t}, nil
}

// leadingComment is the comment at the head of a specification.
func leadingComment(text string) string {
	var out []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		c, ok := strings.CutPrefix(line, "#")
		if !ok && (line != "" || len(out) > 0) {
			break
		}
		if ok {
			out = append(out, strings.TrimSpace(c))
		}
	}
	return strings.TrimSpace(strings.Join(out, "\n"))
}

func (p *specParser) advance() (err error) {
	p.tok, err = p.next()
	return err
}

func (p *specParser) is(word string) bool { return p.tok.kind == keyword && p.tok.text == word }

// expected is the error at the token at hand.
func (p *specParser) expected(what string) error {
	got := "the end of the file"
	switch p.tok.kind {
	case endOfFile:
	case sqlBlock:
		got = "an SQL block"
	default:
		got = strconv.Quote(p.tok.text)
	}
	return p.errorAt(p.tok.at, "want %s, got %s", what, got)
}

func (p *specParser) spec() error {
	if err := p.advance(); err != nil {
		return err
	}
	for p.is("setup") {
		if err := p.block(&p.t.setup); err != nil {
			return err
		}
	}
	if p.is("teardown") {
		if err := p.block(&p.t.teardown); err != nil {
			return err
		}
	}
	for first := true; first || p.is("session"); first = false {
		if !p.is("session") {
			return p.expected("setup, teardown or session")
		}
		if err := p.session(); err != nil {
			return err
		}
	}
	for p.is("permutation") {
		if err := p.permutation(); err != nil {
			return err
		}
	}
	if p.tok.kind != endOfFile {
		if len(p.t.orders) > 0 {
			return p.expected("a step or permutation")
		}
		return p.expected("step, teardown, session or permutation")
	}
	return nil
}

// block reads "setup {...}" and the like; the keyword is at hand.
func (p *specParser) block(into *[]statement) error {
	word := p.tok.text
	if err := p.advance(); err != nil {
		return err
	}
	if p.tok.kind != sqlBlock {
		return p.expected("the SQL block of " + word)
	}
	line, _ := p.place(p.tok.at)
	*into = append(*into, splitSQL(p.tok.text, line)...)
	return p.advance()
}

func (p *specParser) name(what string) (token, error) {
	if err := p.advance(); err != nil {
		return token{}, err
	}
	if p.tok.kind != name {
		return token{}, p.expected(what)
	}
	tok := p.tok
	return tok, p.advance()
}

func (p *specParser) session() error {
	tok, err := p.name("the session's name")
	if err != nil {
		return err
	}
	for _, other := range p.t.sessions {
		if other.name == tok.text {
			return p.errorAt(tok.at, "there are two sessions %q", tok.text)
		}
	}
	s := &session{name: tok.text}
	p.t.sessions = append(p.t.sessions, s)
	if p.is("setup") {
		if err := p.block(&s.setup); err != nil {
			return err
		}
	}
	for first := true; first || p.is("step"); first = false {
		if !p.is("step") {
			return p.expected("step")
		}
		if err := p.step(s); err != nil {
			return err
		}
	}
	if p.is("teardown") {
		return p.block(&s.teardown)
	}
	return nil
}

func (p *specParser) step(s *session) error {
	tok, err := p.name("the step's name")
	if err != nil {
		return err
	}
	if p.tok.kind != sqlBlock {
		return p.expected("the SQL block of step " + strconv.Quote(tok.text))
	}
	if _, other := p.t.stepNamed(tok.text); other != nil {
		return p.errorAt(tok.at, "there are two steps %q, the first on line %d", tok.text, other.line)
	}
	line, _ := p.place(tok.at)
	sqlLine, _ := p.place(p.tok.at)
	p.t.addStep(s, &step{name: tok.text, line: line, sql: splitSQL(p.tok.text, sqlLine)})
	return p.advance()
}

func (p *specParser) permutation() error {
	line, _ := p.place(p.tok.at)
	o := order{line: line}
	if err := p.advance(); err != nil {
		return err
	}
	for first := true; first || p.tok.kind == name; first = false {
		if p.tok.kind != name {
			return p.expected("the name of a step")
		}
		u := use{step: p.tok.text}
		u.line, u.col = p.place(p.tok.at)
		if err := p.advance(); err != nil {
			return err
		}
		if err := p.markers(&u); err != nil {
			return err
		}
		o.uses = append(o.uses, u)
	}
	p.t.orders = append(p.t.orders, o)
	return nil
}

func (p *specParser) punctuation(c string) bool { return p.tok.kind == punctuation && p.tok.text == c }

func (p *specParser) markers(u *use) error {
	if !p.punctuation("(") {
		return nil
	}
	for {
		if err := p.advance(); err != nil {
			return err
		}
		m, err := p.marker()
		if err != nil {
			return err
		}
		u.marks = append(u.marks, m)
		if p.punctuation(")") {
			return p.advance()
		}
		if !p.punctuation(",") {
			return p.expected(`"," or ")" behind the marker`)
		}
	}
}

func (p *specParser) marker() (mark, error) {
	switch {
	case p.punctuation("*"):
		return mark{what: reportedWaiting}, p.advance()
	case p.tok.kind != name:
		return mark{}, p.expected("a marker: *, a step, or a step with notices and a number")
	}
	m := mark{what: completesAfter, step: p.tok.text}
	if err := p.advance(); err != nil || !p.is("notices") {
		return m, err
	}
	if err := p.advance(); err != nil {
		return m, err
	}
	if p.tok.kind != number {
		return m, p.expected("the number of notices")
	}
	n, err := strconv.Atoi(p.tok.text)
	if err != nil {
		return m, p.errorAt(p.tok.at, "%s is too large", p.tok.text)
	}
	m.what, m.n = notices, n
	p.t.notes = append(p.t.notes, p.note(p.tok.at, "a marker that counts notices, which MySQL has not"))
	return m, p.advance()
}

// check does what isolationtester checks behind its parser.
func (p *specParser) check() error {
	names := p.t.stepNames()
	of := map[string]*session{}
	for _, s := range p.t.sessions {
		for _, st := range s.steps {
			of[st.name] = s
		}
	}
	used := map[string]bool{}
	for _, o := range p.t.orders {
		here := map[string]bool{}
		for _, u := range o.uses {
			if of[u.step] == nil {
				return &Error{p.reader.name, u.line, u.col, "the permutation names the step " + strconv.Quote(u.step) + ", which no session has" + suggest(u.step, names)}
			}
			here[u.step], used[u.step] = true, true
		}
		for _, u := range o.uses {
			for _, m := range u.marks {
				if err := p.checkMark(u, m, here, of); err != nil {
					return err
				}
			}
		}
	}
	for _, s := range p.t.sessions {
		for _, st := range s.steps {
			if len(p.t.orders) > 0 && !used[st.name] {
				p.t.notes = append(p.t.notes, Note{st.line, 1, "no permutation uses the step " + strconv.Quote(st.name)})
			}
		}
	}
	return nil
}

func (p *specParser) checkMark(u use, m mark, here map[string]bool, of map[string]*session) error {
	switch {
	case m.what == reportedWaiting:
		return nil
	case !here[m.step]:
		return &Error{p.reader.name, u.line, u.col, "the marker of " + strconv.Quote(u.step) + " names the step " + strconv.Quote(m.step) + ", which is not in this permutation"}
	case of[m.step] == of[u.step]:
		return &Error{p.reader.name, u.line, u.col, "the step " + strconv.Quote(u.step) + " cannot wait for " + strconv.Quote(m.step) + " of its own session"}
	}
	return nil
}
