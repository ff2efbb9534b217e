package mock

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"rig/runtime/fault"
)

// How says how a rule's Query is compared.
type How string

// The ways.
const (
	Exact     How = "query"     // the whole statement; ? stands for any literal
	Prefix    How = "prefix"    // its beginning, likewise
	Regexp    How = "regexp"    // anywhere in the text that Asked.SQL has
	Handshake How = "handshake" // no statement: a new connection
)

// Rule answers statements. Blanks, comments and the case of words make no difference to Exact and Prefix.
type Rule struct {
	How     How
	Query   string
	Args    []Arg    // what must stand in the place of each ?; nil is anything
	Answers []Answer // one after the other; the last one stays. None is one empty Answer
	Times   int      // after so many the rule is used up, and Verify wants so many; Any is no bound
	Where   string   // for errors: where the rule was written
}

// Any is Rule.Times of a rule that answers as often as it is asked.
const Any = -1

// Arg is what a rule wants in the place of a ?.
type Arg struct {
	Any   bool
	Value Value
}

// Answer is what a client gets. The zero Answer is OK without rows.
type Answer struct {
	Results []Result // more than one as from CALL
	Err     *Error   // instead of Results
	Delay   time.Duration
	Drop    Drop
}

// Result is one result set, or a count where Columns is empty.
type Result struct {
	Columns      []Column
	Rows         [][]Value
	Affected     uint64
	LastInsertID uint64
}

// Error is a server's.
type Error struct {
	Code     int
	SQLState string // "" is the one that goes with the code
	Message  string // "" is one that names the error
}

// Drop says how a connection ends with an answer.
type Drop string

// The ways a connection ends.
const (
	Stays       Drop = ""
	BeforeReply Drop = "before_reply" // the statement was read, the reply is lost
	MidPacket   Drop = "mid_packet"   // the first packet of the reply stops in its middle
	MidRows     Drop = "mid_rows"     // the reply stops after its first row, or in its middle where it has none
	AfterReply  Drop = "after_reply"  // after a whole reply
	Garbage     Drop = "garbage"      // the reply is no MySQL protocol
)

// Drops lists them.
func Drops() []string {
	return []string{string(BeforeReply), string(MidPacket), string(MidRows), string(AfterReply), string(Garbage)}
}

// RuleError tells what is wrong with a rule.
type RuleError struct {
	Number  int // of the rule, from 1
	Problem string
	Hint    string
}

func (e *RuleError) Error() string { return fmt.Sprintf("rule %d: %s", e.Number, e.Problem) }

func wrong(format string, args ...any) *RuleError {
	return &RuleError{Problem: fmt.Sprintf(format, args...)}
}

// rule is a Rule that was checked.
type rule struct {
	Rule
	number  int
	tokens  []token
	pattern *regexp.Regexp
	used    int // guarded by Server.mu
}

// maxDelay bounds a delay: more is a slip of the keyboard.
const maxDelay = time.Hour

func compile(r Rule) (*rule, *RuleError) {
	c := &rule{Rule: r}
	if len(c.Answers) == 0 {
		c.Answers = []Answer{{}}
	}
	c.Answers = slices.Clone(c.Answers)
	if r.Times < Any {
		return nil, wrong("times: %d is less than 0", r.Times)
	}
	if err := c.compileQuery(); err != nil {
		return nil, err
	}
	for i := range c.Answers {
		if err := c.Answers[i].check(); err != nil {
			if len(c.Answers) > 1 {
				err.Problem = fmt.Sprintf("answer %d: %s", i+1, err.Problem)
			}
			return nil, err
		}
	}
	return c, nil
}

func (c *rule) compileQuery() *RuleError {
	switch c.How {
	case Handshake:
		if c.Query != "" || c.Args != nil {
			return wrong("a rule about handshakes has no statement")
		}
		return nil
	case Regexp:
		p, err := regexp.Compile(c.Query)
		if err != nil {
			return wrong("regexp: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		}
		if c.Args != nil {
			return wrong("args go with the ? of query or prefix, not with a regexp")
		}
		c.pattern = p
	case Exact, Prefix:
		c.tokens = lex(c.Query)
		if n := places(c.tokens); c.Args != nil && n != len(c.Args) {
			return wrong("args: %d given, and %d ? in %q", len(c.Args), n, clip(c.Query))
		}
	default:
		return wrong("there is no way %q to compare a statement", c.How)
	}
	if strings.TrimSpace(c.Query) == "" {
		return wrong("%s: it is empty", c.How)
	}
	return nil
}

func (a *Answer) check() *RuleError {
	if a.Delay < 0 || a.Delay > maxDelay {
		return wrong("delay: want 0s to %s, got %s", maxDelay, a.Delay)
	}
	if a.Drop != Stays && !slices.Contains(Drops(), string(a.Drop)) {
		e := wrong("drop: there is no %q", string(a.Drop))
		e.Hint = "there are " + strings.Join(Drops(), ", ")
		if near := fault.Suggest(string(a.Drop), Drops()); near != "" {
			e.Hint = fmt.Sprintf("did you mean %q?", near)
		}
		return e
	}
	if a.Err != nil {
		if len(a.Results) > 0 {
			return wrong("an answer is rows or an error, not both")
		}
		full := *a.Err
		a.Err = &full
		return a.Err.check()
	}
	if len(a.Results) == 0 {
		a.Results = []Result{{}}
	}
	a.Results = slices.Clone(a.Results)
	for i := range a.Results {
		if err := a.Results[i].check(); err != nil {
			return err
		}
	}
	return nil
}

func (e *Error) check() *RuleError {
	if e.Code < 1 || e.Code > 65535 {
		return wrong("error: want a code from 1 to 65535, got %d", e.Code)
	}
	known := fault.ClassifyCode(e.Code, "")
	if e.SQLState == "" {
		e.SQLState = known.SQLState
	}
	if e.SQLState == "" {
		e.SQLState = "HY000"
	}
	if len(e.SQLState) != 5 || strings.IndexFunc(e.SQLState, func(r rune) bool { return !(r >= '0' && r <= '9' || r >= 'A' && r <= 'Z') }) >= 0 {
		return wrong("error: a sqlstate is 5 digits or capitals, got %q", e.SQLState)
	}
	if e.Message == "" {
		e.Message = "mock error"
		if known.Name != "" {
			e.Message += " " + known.Name
		}
	}
	if len(e.Message) > 1<<15 {
		return wrong("error: a message of %d bytes is longer than 32 KiB", len(e.Message))
	}
	return nil
}

// check makes one kind of each column.
func (r *Result) check() *RuleError {
	if len(r.Columns) == 0 && len(r.Rows) > 0 {
		return wrong("rows without columns")
	}
	if len(r.Columns) > 4096 {
		return wrong("%d columns are more than 4096", len(r.Columns))
	}
	r.Columns = slices.Clone(r.Columns)
	for i, row := range r.Rows {
		if len(row) != len(r.Columns) {
			return wrong("rows: row %d has %s, the columns are %d (%s)", i+1, count(len(row), "value"), len(r.Columns), r.names())
		}
		for j, v := range row {
			kind, ok := join(r.Columns[j].Kind, v.Kind)
			if !ok {
				return wrong("rows: column %s has %s in row %d and %s before", r.Columns[j].Name, v.Kind, i+1, r.Columns[j].Kind)
			}
			r.Columns[j].Kind = kind
		}
	}
	for j, c := range r.Columns {
		if c.Kind != Uint {
			continue
		}
		if err := r.unsigned(j); err != nil {
			return err
		}
	}
	return nil
}

// unsigned refuses a column that has negative numbers beside ones beyond the signed range.
func (r *Result) unsigned(j int) *RuleError {
	var negative, large string
	for _, row := range r.Rows {
		switch v := row[j]; {
		case v.Kind == Uint:
			large = v.Text
		case strings.HasPrefix(v.Text, "-"):
			negative = v.Text
		}
	}
	if negative == "" {
		return nil
	}
	return wrong("rows: column %s has the negative %s beside %s, which no integer column holds; decimal(...) does", r.Columns[j].Name, negative, large)
}

func (r *Result) names() string {
	names := make([]string, len(r.Columns))
	for i, c := range r.Columns {
		names[i] = c.Name
	}
	return strings.Join(names, ", ")
}

// join gives the kind of a column that holds both.
func join(a, b Kind) (Kind, bool) {
	switch {
	case a == b, b == Null:
		return a, true
	case a == Null:
		return b, true
	}
	whole := func(k Kind) bool { return k == Int || k == Uint }
	switch {
	case whole(a) && whole(b):
		return Uint, true
	case whole(a) && (b == Decimal || b == Float):
		return b, true
	case whole(b) && (a == Decimal || a == Float):
		return a, true
	}
	return a, false
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func clip(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > 80 {
		return s[:77] + "..."
	}
	return s
}
