package importer

import (
	"strings"
)

// The .result of a test has the text of each statement, with its delimiter, and below it what the server answered. recordedRows finds
// the answer of each statement: it looks for their texts in order. What it cannot find, and what stands in a block that runs
// any number of times, has no recorded rows.
func recordedRows(r *reader, commands []command) map[int][]string {
	out := map[int][]string{}
	if r.beside == nil {
		return out
	}
	text := readResult(r)
	if text == "" {
		return out
	}
	lines := strings.Split(strings.TrimSuffix(strings.ReplaceAll(text, "\r\n", "\n"), "\n"), "\n")
	a := &aligner{lines: lines, delimiter: ";", log: true}
	a.walk(commands)
	for i, it := range a.items {
		end := len(lines)
		for _, later := range a.items[i+1:] {
			if !later.reap {
				end = later.from
				break
			}
		}
		if i+1 < len(a.items) && a.items[i+1].reap { // its answer follows at once: the border is not clear
			end = it.to
		}
		if it.statement {
			if rows, ok := answer(lines[it.to:max(end, it.to)]); ok {
				out[it.at] = rows
			}
		}
	}
	return out
}

// readResult reads the file of results beside a test: t/x.test has r/x.result, x.test has x.result.
func readResult(r *reader) string {
	for _, p := range []string{r.base() + ".result", "../r/" + r.base() + ".result"} {
		if b, err := r.beside(p); err == nil && len(b) <= MaxSource {
			return string(b)
		}
	}
	return ""
}

// item is something that a result file shows.
type item struct {
	at        int // the byte of the command
	from, to  int // its own lines
	statement bool
	reap      bool // it has no line of its own
}

type aligner struct {
	lines     []string
	next      int // the line where the search goes on
	delimiter string
	log       bool
	items     []item
}

func (a *aligner) walk(list []command) {
	for i, c := range list {
		switch c.name {
		case "delimiter":
			a.delimiter = strings.TrimSpace(c.args)
		case "disable_query_log", "enable_query_log":
			a.log = c.name == "enable_query_log"
		case "", "eval", "query":
			if i > 0 && list[i-1].name == "send" && list[i-1].args == "" {
				a.find(c, c.args+a.delimiter, false)
				continue
			}
			if a.log && !strings.Contains(c.args, "$") {
				a.find(c, c.args+a.delimiter, true)
			}
		case "send":
			if a.log && c.args != "" {
				a.find(c, c.args+a.delimiter, false)
			}
		case "echo":
			if !strings.Contains(c.args, "$") {
				a.find(c, c.args, false)
			}
		case "connection", "disconnect": // MariaDB's mysqltest shows them
			a.find(c, c.name+" "+strings.TrimSpace(c.args)+a.delimiter, false)
		case "reap":
			a.items = append(a.items, item{at: c.at, from: a.next, to: a.next, statement: true, reap: true})
		}
	}
}

// near bounds how far a text may be from the one before: answers are longer than that only in files that nobody reads.
const near = 2000

// find looks for the lines of a text.
func (a *aligner) find(c command, text string, statement bool) {
	want := strings.Split(text, "\n")
	for i := a.next; i+len(want) <= len(a.lines) && i < a.next+near; i++ {
		if !equalLines(a.lines[i:i+len(want)], want) {
			continue
		}
		a.items = append(a.items, item{at: c.at, from: i, to: i + len(want), statement: statement})
		a.next = i + len(want)
		return
	}
}

func equalLines(have, want []string) bool {
	for i := range want {
		if strings.TrimSpace(have[i]) != strings.TrimSpace(want[i]) {
			return false
		}
	}
	return true
}

// answer is the rows of what a server answered, without their header. Where another statement's text may be among the lines, it is
// not clear.
func answer(lines []string) (rows []string, clear bool) {
	for i, l := range lines {
		switch {
		case l == "Warnings:" || strings.HasPrefix(l, "connect ") && strings.HasSuffix(l, ";"):
			return rows, true
		case strings.HasPrefix(l, "ERROR ") || strings.HasPrefix(l, "affected rows:"):
			return nil, false
		case i > 0:
			rows = append(rows, l)
		}
	}
	return rows, true
}
