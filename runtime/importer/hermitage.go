package importer

import (
	"regexp"
	"strconv"
	"strings"
)

// Hermitage's pages are Markdown: a paragraph that says what is tested, and a block of SQL whose lines end in a comment that
// names the transaction and tells what happens ("-- T2, BLOCKS", "-- T1. Shows 1 => 12"). A block without such comments
// whose paragraph speaks of setup runs before every test.

// block is a fenced block, or a whole file without fences.
type block struct {
	heading, text string // the section and the paragraph before it
	at, end       int    // its bytes
}

var (
	sqlFence    = regexp.MustCompile("^\\s*```\\s*([A-Za-z]*)")
	underline   = regexp.MustCompile(`^(=+|-{3,})\s*$`)
	ofSession   = regexp.MustCompile(`^(?i:(T[A-Za-z_]*\d+)|(either|any|both|whichever)\b(?: (?:of them|one|session|transaction))?)\s*[.,:;]?\s*`)
	blocksNow   = regexp.MustCompile(`(?i)\b(blocks|blocked|waits|hangs)\b`)
	unblocks    = regexp.MustCompile(`(?i)\bunblocks\s+(T[A-Za-z_]*\d+)`)
	aborts      = regexp.MustCompile(`(?i)\bcauses\s+(T[A-Za-z_]*\d+)\s+to\s+abort(\s+with(\s+a)?\s+deadlock)?`)
	errorCode   = regexp.MustCompile(`\bERROR\s+(\d{4})\b`)
	showsRows   = regexp.MustCompile(`(?i)\b(shows|show|returns|return|prints|sees)\b`)
	pairRow     = regexp.MustCompile(`(-?\w+|'[^']*')\s*=>\s*(-?\w+(?:\.\d+)?|'[^']*')`)
	nothingDone = regexp.MustCompile(`(?i)\b(doesn't|does not|didn't|did not)\s+(delete|update|change|modify|insert)\s+anything\b`)
	noRows      = regexp.MustCompile(`(?i)\b(nothing|no rows|empty)\b`)
)

func parseHermitage(r *reader) ([]test, error) {
	blocks, err := r.fences()
	if err != nil {
		return nil, err
	}
	var setup []statement
	var tests []test
	var stray []Note
	for _, b := range blocks {
		if b.end-b.at > maxScript {
			return nil, tooLong(r.name, b.end-b.at)
		}
		p := &hermitageCase{reader: r, waiting: map[string]int{}}
		p.t.line, _ = r.place(b.at)
		p.read(b)
		switch {
		case len(p.t.orders) > 0 && len(p.t.orders[0].uses) > 0:
			p.t.name, p.t.doc = identifier(strings.TrimSpace(b.text)), strings.TrimSuffix(strings.TrimSpace(b.text), ":")
			if p.t.doc == "" {
				p.t.name, p.t.doc = identifier(r.base()), "From "+r.name+"."
			}
			p.t.setup = append(append([]statement{}, setup...), p.t.setup...)
			p.t.notes = append(stray, p.t.notes...)
			stray = nil
			tests = append(tests, p.t)
		case strings.Contains(strings.ToLower(b.text), "setup"):
			setup = append(setup, p.t.setup...)
		default:
			stray = append(stray, r.note(b.at, "no line of the block names a transaction (-- T1): %s", oneLine(r.text[b.at:b.end])))
		}
	}
	if len(tests) > 0 {
		tests[len(tests)-1].notes = append(tests[len(tests)-1].notes, stray...)
	}
	return tests, nil
}

// fences finds the blocks of SQL of a Markdown file.
func (r *reader) fences() ([]block, error) {
	var out []block
	heading, paragraph, previous := "", []string{}, ""
	open, language := -1, ""
	blank := true
	err := r.eachLine(func(at int, line string) error {
		m := sqlFence.FindStringSubmatch(line)
		switch {
		case open >= 0 && m != nil:
			if language == "" || strings.EqualFold(language, "sql") || strings.EqualFold(language, "mysql") {
				out = append(out, block{heading, strings.Join(paragraph, " "), open, at})
			}
			open, paragraph, blank = -1, nil, true
		case open >= 0:
		case m != nil:
			open, language = at+len(line), m[1]
		case underline.MatchString(line) && previous != "":
			heading, paragraph, blank = previous, nil, true
		case strings.HasPrefix(line, "#"):
			heading, paragraph, blank = strings.TrimLeft(line, "# "), nil, true
		case strings.TrimSpace(line) == "":
			blank = true
		default:
			if blank {
				paragraph = nil
			}
			paragraph, blank = append(paragraph, strings.TrimSpace(line)), false
		}
		previous = strings.TrimSpace(line)
		return nil
	})
	if err == nil && open >= 0 {
		return nil, r.errorAt(open-1, "the block that begins here has no closing ```")
	}
	if len(out) == 0 && !strings.Contains(r.text, "```") {
		out = []block{{at: 0, end: len(r.text)}} // a case pasted without Markdown
	}
	return out, err
}

// hermitageCase reads one block.
type hermitageCase struct {
	*reader
	t       test
	last    string         // the session of the line before
	waiting map[string]int // the use of each session that blocks
}

func (p *hermitageCase) read(b block) {
	start := b.at
	for start < b.end {
		end := p.statementsEnd(start, b.end)
		text := p.text[start:end]
		sql, comment, at := splitComment(text)
		p.line(sql, comment, start, start+at)
		start = end
	}
}

// statementsEnd is behind the line on which statements that begin at start are complete: it has a comment, or ends in a semicolon.
func (p *hermitageCase) statementsEnd(start, end int) int {
	for i := start; i < end; {
		switch c := p.text[i]; {
		case strings.HasPrefix(p.text[i:], "--"):
			return min(until(p.text, i, "\n"), end)
		case c == ';':
			rest := p.text[i+1 : min(until(p.text, i+1, "\n"), end)]
			if strings.TrimSpace(rest) == "" {
				return i + 1 + len(rest)
			}
			i++
		case c == '\'' || c == '"' || c == '`':
			i = closing(p.text, i)
		default:
			i++
		}
	}
	return end
}

// splitComment takes the comment off the end of statements.
func splitComment(text string) (sql, comment string, at int) {
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case strings.HasPrefix(text[i:], "--"):
			return text[:i], strings.TrimSpace(text[i+2:]), i
		case c == '\'' || c == '"' || c == '`':
			i = closing(text, i)
		default:
			i++
		}
	}
	return text, "", len(text)
}

func (p *hermitageCase) line(sql, comment string, at, commentAt int) {
	line, _ := p.place(at + len(sql) - len(strings.TrimLeft(sql, " \t\r\n")))
	list := inMySQL(splitSQL(sql, line))
	if len(list) == 0 {
		if comment != "" {
			p.t.remarks = append(p.t.remarks, p.note(commentAt, "%s", oneLine(comment)))
		}
		return
	}
	m := ofSession.FindStringSubmatch(comment)
	switch {
	case m == nil && p.last == "":
		p.t.setup = append(p.t.setup, list...)
		return
	case m == nil:
		p.t.notes = append(p.t.notes, p.note(at+len(sql)-len(strings.TrimLeft(sql, " \t\r\n")), "no transaction is named; taken for %s", p.last))
	case m[1] != "":
		p.last, comment = strings.ToUpper(m[1][:1])+m[1][1:], comment[len(m[0]):]
	default:
		comment = comment[len(m[0]):]
		if p.last == "" {
			p.last = "T1"
		}
	}
	var u int
	for _, s := range list {
		u = p.t.add(p.last, s)
	}
	p.happens(u, comment)
}

// add makes a statement the next step of a session, and of the only order.
func (t *test) add(sessionName string, s statement) int {
	own := t.session(sessionName)
	st := &step{name: stepName(sessionName, len(own.steps)+1), sql: []statement{s}, line: s.line}
	t.addStep(own, st)
	if len(t.orders) == 0 {
		t.orders = []order{{line: s.line}}
	}
	o := &t.orders[0]
	o.uses = append(o.uses, use{step: st.name, line: s.line})
	return len(o.uses) - 1
}

// stepName is the session's name with a number; where the name ends in a digit, a _ keeps the two apart.
func stepName(session string, n int) string {
	if digit(session[len(session)-1]) {
		return session + "_" + strconv.Itoa(n)
	}
	return session + strconv.Itoa(n)
}

// happens reads what a comment says of a use.
func (p *hermitageCase) happens(at int, said string) {
	uses := p.t.orders[0].uses
	u := &uses[at]
	understood := said == ""
	for _, m := range unblocks.FindAllStringSubmatch(said, -1) {
		understood = true
		if w, ok := p.waiting[m[1]]; ok {
			if !blocksNow.MatchString(unblocks.ReplaceAllString(said, "")) { // a step that blocks itself frees others before it returns
				uses[w].marks = append(uses[w].marks, mark{what: completesAfter, step: u.step})
			}
			delete(p.waiting, m[1])
		}
	}
	rest := unblocks.ReplaceAllString(said, "")
	if m := aborts.FindStringSubmatch(rest); m != nil {
		if w, ok := p.waiting[m[1]]; ok {
			uses[w].seen = &seen{error: 1213}
			delete(p.waiting, m[1])
			understood = true
		}
	}
	if blocksNow.MatchString(rest) {
		understood = true
		u.marks = append(u.marks, mark{what: mustWait})
		p.waiting[p.last] = at
	}
	if m := errorCode.FindStringSubmatch(rest); m != nil {
		understood = true
		code, _ := strconv.Atoi(m[1])
		u.seen = &seen{error: code}
	} else if nothingDone.MatchString(rest) {
		u.seen, understood = &seen{unaffected: true}, true
	} else if s := rowsSaid(rest); s != nil {
		u.seen, understood = s, true
	}
	if !understood {
		_, st := p.t.stepNamed(u.step)
		st.said = said
	}
}

// rowsSaid reads "shows 1 => 12, 2 => 21" and "returns nothing".
func rowsSaid(said string) *seen {
	at := showsRows.FindStringIndex(said)
	if at == nil {
		return nil
	}
	rest := said[at[1]:]
	out := &seen{}
	for _, m := range pairRow.FindAllStringSubmatch(rest, -1) {
		out.rows = append(out.rows, []string{unquoted(m[1]), unquoted(m[2])})
	}
	if len(out.rows) > 0 {
		return out
	}
	if noRows.MatchString(rest) {
		out.none = true
		return out
	}
	return nil
}

func unquoted(s string) string { return strings.Trim(s, "'") }
