package importer

import (
	"regexp"
	"strconv"
	"strings"
)

// A transcript has a prompt for each connection: "conn_0> BEGIN;". A prompt is a name, or the words mysql or MariaDB with a
// name beside them ("mysql-1>", "con1 mysql>", "MySQL [s2]>"). Below a heading ("Session 2:", "-- T2") the client's prompts are of
// that session, and what they name is the database. A statement goes on until a semicolon ends a line, also behind "->".
// What the client printed is taken for what must be seen: tables, "Empty set", "ERROR 1213". What stands before the first prompt is
// SQL that runs first.

var (
	// No blank before the >, so that "a > 5" within a statement is none; a prompt of several words has one of client.
	prompt  = regexp.MustCompile(`^\s*([A-Za-z]\w*|[A-Za-z][\w -]*[\w](?:\s*(?:\[\(?[\w -]+\)?\]|\([\w -]+\)))?)>(?:\s+|$)`)
	heading = regexp.MustCompile(`(?i)^[\s#*/=>-]*\b((?:session|connection|conn|con|client|terminal|transaction|txn|trx|tx|thread|t)[ _#-]*(?:[0-9]+|[A-Z]))\b[\s:*/=.-]*$`)
	client  = regexp.MustCompile(`(?i)\b(mysql|mariadb|tidb|session|client)\b`)
	goesOn  = regexp.MustCompile(`^\s*(->|'>|">)\s?`)
	frame   = regexp.MustCompile(`^\s*\+(-+\+)+\s*$`)
	failed  = regexp.MustCompile(`^\s*ERROR\s+(\d{4})\b`)
	prints  = regexp.MustCompile(`(?i)^\s*(Query OK|\d+ rows? in set|Empty set|Rows matched|Records:|Database changed|Warnings?:|ERROR\b|Bye$)`)
	empty   = regexp.MustCompile(`(?i)^\s*Empty set`)
	waits   = regexp.MustCompile(`(?i)(?:--|#|/\*|\(|<)\s*(blocks|blocked|is blocked|waits|waiting|hangs|lock wait)\b`)
)

type transcript struct {
	*reader
	t       test
	names   map[string]string // prompt -> session
	text    strings.Builder   // the statement at hand
	at      int
	heading string         // the session that the last heading named
	session string         // whose prompt came last; "" before the first
	last    int            // the last step's use, -1 without one
	lastOf  map[string]int // the last use of each session
	unnamed bool           // a client's prompt came without a heading
	table   [][]string     // its printed rows, the header first
	frames  int            // the lines of +---+ that came
}

func parseTranscript(r *reader) ([]test, error) {
	p := &transcript{reader: r, names: map[string]string{}, lastOf: map[string]int{}, last: -1}
	p.t = test{name: identifier(r.base()), doc: "From " + r.name + ".", line: 1}
	if err := r.eachLine(p.line); err != nil {
		return nil, err
	}
	if err := p.open(len(r.text)); err != nil {
		return nil, err
	}
	if p.session == "" {
		return nil, r.errorAt(0, "no line has a prompt with a name, such as conn_0>")
	}
	if len(p.t.orders) == 0 {
		return nil, r.errorAt(0, "no prompt has a statement")
	}
	if p.unnamed && len(p.t.sessions) == 1 {
		p.t.notes = append(p.t.notes, r.note(0, "all prompts are the same, so all statements are of one session"))
	}
	p.global()
	return []test{p.t}, nil
}

func (p *transcript) line(at int, line string) error {
	if m := promptOf(line); m != nil {
		if err := p.open(at); err != nil {
			return err
		}
		p.session = p.sessionOf(line[m[2]:m[3]])
		p.endTable()
		return p.more(at+m[1], line[m[1]:])
	}
	if m := heading.FindStringSubmatch(line); m != nil && onlyComments(p.text.String()) {
		p.endTable()
		p.heading = strings.ToLower(identifier(m[1]))
		if last, ok := p.lastOf[p.heading]; ok { // what is printed below may be of its statement that waited
			p.last = last
		}
		return nil
	}
	switch {
	case p.session == "" || strings.TrimSpace(p.text.String()) != "":
		if m := goesOn.FindString(line); m != "" {
			return p.more(at+len(m), line[len(m):])
		}
		return p.more(at, line)
	case p.last >= 0:
		p.output(at, line)
	}
	return nil
}

// promptOf gives the match of prompt, nil where a line has none.
func promptOf(line string) []int {
	m := prompt.FindStringSubmatchIndex(line)
	if m == nil {
		return nil
	}
	if name := line[m[2]:m[3]]; strings.ContainsAny(name, " -[(") && !client.MatchString(name) {
		return nil
	}
	return m
}

// sessionOf names the session of a prompt.
func (p *transcript) sessionOf(prompt string) string {
	prompt = strings.TrimSpace(prompt)
	isClient := client.MatchString(prompt)
	if isClient && p.heading != "" {
		return p.heading
	}
	if s, ok := p.names[prompt]; ok {
		return s
	}
	name := identifier(client.ReplaceAllString(prompt, " "))
	p.unnamed = p.unnamed || isClient
	if name == "n" { // nothing but "mysql"
		name = identifier(prompt)
	} else if digit(name[0]) || name[0] == 'n' && digit(name[min(1, len(name)-1)]) {
		name = "s" + strings.TrimPrefix(name, "n")
	}
	taken := map[string]bool{}
	for _, s := range p.names {
		taken[s] = true
	}
	p.names[prompt] = unused(name, taken)
	return p.names[prompt]
}

// more adds a piece to the statement at hand, and takes what is complete.
func (p *transcript) more(at int, piece string) error {
	if p.text.Len() == 0 {
		p.at = at
	}
	p.text.WriteString(piece)
	p.text.WriteByte('\n')
	if !ended(piece) {
		return nil
	}
	return p.complete()
}

// ended says that a line ends a statement: its last piece is a semicolon, \G or \g, but for a comment.
func ended(line string) bool {
	code := line
	for i := 0; i < len(line); {
		if strings.HasPrefix(line[i:], "--") || line[i] == '#' || strings.HasPrefix(line[i:], "/*") {
			code = line[:i]
			break
		}
		i = skipSQL(line, i)
	}
	code = strings.TrimSpace(code)
	return strings.HasSuffix(code, ";") || strings.HasSuffix(code, `\G`) || strings.HasSuffix(code, `\g`)
}

// complete makes steps of the statements at hand.
func (p *transcript) complete() error {
	text := p.text.String()
	line, _ := p.place(p.at)
	p.text.Reset()
	blocked := waits.MatchString(text)
	list := splitSQL(strings.NewReplacer(`\G`, ";", `\g`, ";").Replace(text), line)
	for _, s := range list {
		s.sql = withoutComment(s.sql)
		if p.session == "" {
			p.t.setup = append(p.t.setup, s)
			continue
		}
		p.last = p.t.add(p.session, s)
		p.lastOf[p.session] = p.last
	}
	if blocked && p.last >= 0 {
		u := &p.t.orders[0].uses[p.last]
		u.marks = append(u.marks, mark{what: mustWait})
	}
	return nil
}

// withoutComment drops a comment that leads a statement: it belongs to the line before.
func withoutComment(sql string) string {
	for {
		trimmed := strings.TrimSpace(sql)
		if !strings.HasPrefix(trimmed, "-- ") && !strings.HasPrefix(trimmed, "#") {
			return trimmed
		}
		sql = trimmed[until(trimmed, 0, "\n"):]
	}
}

// open ends what is at hand when a prompt or the end of the file comes.
func (p *transcript) open(at int) error {
	if onlyComments(p.text.String()) {
		if p.session != "" && p.last >= 0 && waits.MatchString(p.text.String()) {
			u := &p.t.orders[0].uses[p.last]
			u.marks = append(u.marks, mark{what: mustWait})
		}
		p.text.Reset()
		return nil
	}
	if p.session == "" { // words before the transcript, no SQL
		p.t.notes = append(p.t.notes, p.note(p.at, "no SQL: %s", oneLine(p.text.String())))
		p.text.Reset()
		return nil
	}
	return p.complete()
}

// output reads what the client printed for the last step.
func (p *transcript) output(at int, line string) {
	u := &p.t.orders[0].uses[p.last]
	text := strings.TrimSpace(line)
	switch {
	case text == "":
	case frame.MatchString(line):
		p.frames++
	case p.frames > 0 && p.frames < 3 && strings.HasPrefix(text, "|"):
		p.table = append(p.table, cells(text))
		return
	case failed.MatchString(line):
		code, _ := strconv.Atoi(failed.FindStringSubmatch(line)[1])
		u.seen = &seen{error: code}
	case empty.MatchString(line):
		u.seen = &seen{none: true}
	case prints.MatchString(line):
	case waits.MatchString(line):
		u.marks = append(u.marks, mark{what: mustWait})
	case strings.HasPrefix(text, "--") || strings.HasPrefix(text, "#") || strings.HasPrefix(text, "/*"):
	default:
		p.t.notes = append(p.t.notes, p.note(at, "not understood: %s", oneLine(text)))
	}
	if p.frames == 3 {
		p.endTable()
	}
}

// endTable makes a printed table the rows of the last step.
func (p *transcript) endTable() {
	table := p.table
	p.table, p.frames = nil, 0
	if p.last < 0 || len(table) < 2 {
		return
	}
	u := &p.t.orders[0].uses[p.last]
	for _, row := range table {
		if len(row) != len(table[0]) { // a cell has a bar in it
			p.t.notes = append(p.t.notes, Note{u.line, 1, "not checked: the columns of the printed table are not clear"})
			return
		}
	}
	u.seen = &seen{rows: table[1:], text: true}
}

func cells(line string) []string {
	parts := strings.Split(strings.Trim(line, "|"), "|")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

var setGlobal = regexp.MustCompile(`(?i)^SET\s+(GLOBAL|@@GLOBAL)\b`)

// global notes settings that reach no session of a schedule: all are open before the first step.
func (p *transcript) global() {
	for _, s := range p.t.sessions {
		for _, st := range s.steps {
			if setGlobal.MatchString(st.sql[0].sql) {
				st.sql[0].note = "a global setting reaches none of the sessions, which are open already"
			}
		}
	}
}
