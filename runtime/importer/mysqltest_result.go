package importer

import (
	"regexp"
	"slices"
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
	a := &aligner{lines: lines, delimiter: ";", log: true, connects: slices.ContainsFunc(lines, showsConnect)}
	a.collect(commands)
	a.align()
	for i, it := range a.items {
		if !it.statement || a.unclear(i) {
			continue
		}
		end := len(lines)
		if i+1 < len(a.items) {
			end = a.items[i+1].from
		}
		if rows, ok := answer(lines[it.to:max(end, it.to)]); ok {
			out[it.at] = rows
		}
	}
	return out
}

// unclear says that an item's answer has no border with another's: a reap shows nothing of its own, so what stands there may
// be of the reap, or of the statement or reap before it.
func (a *aligner) unclear(i int) bool {
	it := a.items[i]
	if it.reap && i > 0 && (a.items[i-1].reap || a.items[i-1].rows) {
		return true
	}
	return i+1 < len(a.items) && a.items[i+1].reap && (it.reap || it.rows)
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
	rows      bool // the statement gives some
	reap      bool // it has no line of its own
}

// aligner finds the items of a test in its result.
type aligner struct {
	lines     []string
	next      int // the line where the search goes on
	delimiter string
	log       bool
	connects  bool // the result shows connect and connection: MariaDB's do
	wanted    []wanted
	items     []item
}

// wanted is a command whose text should be in the result.
type wanted struct {
	command
	text      []string // none for reap
	statement bool
}

// collect lists what a result shows of commands, in order.
func (a *aligner) collect(list []command) {
	for i, c := range list {
		sent := i > 0 && list[i-1].name == "send" && list[i-1].args == ""
		switch c.name {
		case "delimiter":
			a.delimiter = strings.TrimSpace(c.args)
		case "disable_query_log", "enable_query_log":
			a.log = c.name == "enable_query_log"
		case "", "eval", "query":
			if a.log && (sent || !strings.Contains(c.args, "$")) {
				a.want(c, c.args+a.delimiter, !sent)
			}
		case "send":
			if a.log && c.args != "" {
				a.want(c, c.args+a.delimiter, false)
			}
		case "echo":
			if !strings.Contains(c.args, "$") {
				a.want(c, c.args, false)
			}
		case "connection", "disconnect":
			if a.connects {
				a.want(c, c.name+" "+strings.TrimSpace(c.args)+a.delimiter, false)
			}
		case "reap":
			a.wanted = append(a.wanted, wanted{command: c, statement: true})
		}
	}
}

func (a *aligner) want(c command, text string, statement bool) {
	a.wanted = append(a.wanted, wanted{c, strings.Split(text, "\n"), statement})
}

// align finds what is wanted. A text that comes only behind the texts which should follow it was not logged: it is another's.
func (a *aligner) align() {
	for k, w := range a.wanted {
		if len(w.text) == 0 {
			a.items = append(a.items, item{at: w.at, from: a.next, to: a.next, statement: true, reap: true})
			continue
		}
		i := a.find(w.text)
		if i < 0 || a.overtaken(k, i) {
			continue
		}
		a.next = i + len(w.text)
		rows := w.statement && (givesRows(w.args) || firstWord(w.args) == "CALL")
		a.items = append(a.items, item{at: w.at, from: i, to: a.next, statement: w.statement, rows: rows})
	}
}

// ahead is how many of the following texts are looked for.
const ahead = 4

func (a *aligner) overtaken(k, line int) bool {
	for _, w := range a.wanted[k+1 : min(len(a.wanted), k+1+ahead)] {
		if len(w.text) == 0 || equalTexts(w.text, a.wanted[k].text) {
			continue
		}
		if i := a.find(w.text); i >= 0 && i < line {
			return true
		}
	}
	return false
}

// near bounds how far a text may be from the one before: answers are longer than that only in files that nobody reads.
const near = 2000

// find gives the line where a text begins, -1 without one.
func (a *aligner) find(text []string) int {
	for i := a.next; i+len(text) <= len(a.lines) && i < a.next+near; i++ {
		if equalTexts(a.lines[i:i+len(text)], text) {
			return i
		}
	}
	return -1
}

func equalTexts(have, want []string) bool {
	if len(have) != len(want) {
		return false
	}
	for i := range want {
		if strings.TrimSpace(have[i]) != strings.TrimSpace(want[i]) {
			return false
		}
	}
	return true
}

var connectLine = regexp.MustCompile(`^(connect\s.*|(connection|disconnect) [A-Za-z_0-9]+);$`)

func showsConnect(line string) bool {
	return connectLine.MatchString(line)
}

// answer is the rows of what a server answered, without their header. Where another statement's text may be among the lines, it is
// not clear.
func answer(lines []string) (rows []string, clear bool) {
	for i, l := range lines {
		switch {
		case l == "Warnings:" || showsConnect(l):
			return rows, true
		case strings.HasPrefix(l, "ERROR ") || strings.HasPrefix(l, "affected rows:"):
			return nil, false
		case i > 0:
			rows = append(rows, l)
		}
	}
	return rows, true
}
