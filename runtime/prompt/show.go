package prompt

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"

	"rig/runtime/debug"
	"rig/runtime/event"
)

// excerpt shows the lines around a place.
func (t *Talk) excerpt(p event.Pos, around int) string {
	text, ok := t.source(p.File)
	if !ok || p.Line == 0 {
		return ""
	}
	lines := strings.Split(text, "\n")
	var b strings.Builder
	for n := max(1, int(p.Line)-around); n <= min(len(lines), int(p.Line)+around); n++ {
		mark := " "
		if n == int(p.Line) {
			mark = ">"
		}
		line := strings.ReplaceAll(strings.TrimRight(lines[n-1], "\r"), "\t", "    ")
		if line == "" && mark == " " {
			continue
		}
		b.WriteString(t.cut(fmt.Sprintf("%s %4d | %s", mark, n, line)) + "\n")
	}
	return b.String()
}

func (t *Talk) source(file string) (string, bool) {
	if t.o.Source != nil {
		if text, ok := t.o.Source(file); ok {
			return text, true
		}
	}
	b, err := os.ReadFile(file)
	return string(b), err == nil
}

// cut makes a line fit the terminal.
func (t *Talk) cut(line string) string {
	if t.o.Width == nil {
		return line
	}
	w := t.o.Width()
	if r := []rune(line); w > 3 && len(r) > w {
		return string(r[:w-3]) + "..."
	}
	return line
}

func (t *Talk) cmdWhere(string) error {
	x, level, err := t.current()
	if err != nil {
		return err
	}
	frames, err := x.Frames()
	if err != nil {
		return err
	}
	t.say("[%d] %s", x.ID, x.Name)
	for i, f := range frames {
		mark := " "
		if i == level {
			mark = ">"
		}
		where := f.Pos.String()
		if f.Builtin {
			where = "built-in"
		}
		t.say("%s #%d %s at %s", mark, i, f.Func, where)
	}
	return nil
}

func (t *Talk) cmdLocals(string) error {
	x, level, err := t.current()
	if err != nil {
		return err
	}
	scopes, err := x.Scopes(level)
	if err != nil {
		return err
	}
	n := 0
	for _, s := range scopes {
		if s.Name == "Globals" {
			continue
		}
		for _, v := range s.Variables {
			n++
			note := ""
			if s.Name == "Captured" {
				note = " (captured)"
			}
			t.say("%s", t.cut(fmt.Sprintf("  %s = %s%s", v.Name, v.Value, note)))
		}
	}
	if n == 0 {
		t.say("no variables")
	}
	return nil
}

func (t *Talk) cmdList(args string) error {
	t.mu.Lock()
	x, level := t.cur, t.level
	t.mu.Unlock()
	p := event.Pos{File: t.o.File, Line: 1}
	if x != nil {
		if frames, err := x.Frames(); err == nil && level < len(frames) {
			p = frames[level].Pos
		}
	}
	if args != "" {
		n, err := strconv.Atoi(args)
		if err != nil || n < 1 {
			return fmt.Errorf("list which line? list LINE")
		}
		p.Line = int32(n)
	}
	text := t.excerpt(p, 5)
	if text == "" {
		return fmt.Errorf("%s has no line %d", p.File, p.Line)
	}
	t.say("%s", text)
	return nil
}

func (t *Talk) threadLine(x *debug.Thread) string {
	switch x.State() {
	case debug.Standing:
		return fmt.Sprintf("[%d] %s stands at %s", x.ID, x.Name, x.Where())
	case debug.Gone:
		return fmt.Sprintf("[%d] %s has ended", x.ID, x.Name)
	}
	d := x.Doing()
	switch {
	case d.Name == "":
		return fmt.Sprintf("[%d] %s runs", x.ID, x.Name)
	case d.SQL != "":
		return fmt.Sprintf("[%d] %s runs %s: %s", x.ID, x.Name, d.Name, strings.Join(strings.Fields(d.SQL), " "))
	}
	return fmt.Sprintf("[%d] %s runs %s", x.ID, x.Name, d.Name)
}

func (t *Talk) cmdThreads(string) error {
	all := t.o.Debugger.Threads()
	if len(all) == 0 {
		return errors.New("no thread runs")
	}
	t.mu.Lock()
	cur := t.cur
	t.mu.Unlock()
	for _, x := range all {
		mark := " "
		if x == cur {
			mark = ">"
		}
		t.say("%s", t.cut(mark+" "+t.threadLine(x)))
	}
	return nil
}

func (t *Talk) cmdSessions(string) error {
	x, _, err := t.current()
	if err != nil {
		return err
	}
	var list []Session
	if t.o.Sessions != nil {
		list = t.o.Sessions(x)
	}
	if len(list) == 0 {
		t.say("the test has no session yet")
		return nil
	}
	for line := range strings.Lines(SessionTable(list, "")) {
		t.say("%s", t.cut(strings.TrimRight(line, " \n")))
	}
	return nil
}

// SessionTable prints sessions, one in each line. current is marked; "" marks none.
func SessionTable(list []Session, current string) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
	chosen := Chosen(list, current)
	for i, s := range list {
		does, mark := []string{s.State}, " "
		if s.Open != "" {
			does = append(does, "in "+cmp.Or(s.XA, "a transaction")+" "+s.Open)
		}
		if s.Statement != "" {
			does = append(does, s.Statement)
		}
		if i == chosen {
			mark = ">"
		}
		fmt.Fprintf(w, "%s %s\t#%s\t%s\n", mark, s.Name, s.Server, strings.Join(does, ", "))
	}
	_ = w.Flush() // into memory: it does not fail
	var out strings.Builder
	for line := range strings.Lines(b.String()) {
		out.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return out.String()
}

// Chosen is the place of the session that a name means: the first that lives, else the last that has ended. -1 is none.
func Chosen(list []Session, name string) int {
	at := -1
	for i, s := range list {
		if name == "" || s.Name != name {
			continue
		}
		if at = i; s.State != "closed" {
			return i
		}
	}
	return at
}

func (t *Talk) cmdHelp(string) error {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
	for _, c := range commands() {
		fmt.Fprintf(w, "  %s\t%s\n", strings.TrimSpace(c.name+" "+c.args), c.doc)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	t.say("%s\nThe beginning of a name is enough: b, n, s, o, c, w, p.", strings.TrimRight(b.String(), "\n"))
	return nil
}

func join(ids []int) string {
	var out []string
	for _, n := range ids {
		out = append(out, strconv.Itoa(n))
	}
	return strings.Join(out, ", ")
}

func (t *Talk) stopText(e debug.Event) string {
	var b strings.Builder
	why := e.Stop.Reason
	if len(e.Stop.Points) > 0 {
		why = "breakpoint " + join(e.Stop.Points)
	}
	if e.Stop.Text != "" && e.Stop.Text != why {
		why += ": " + e.Stop.Text
	}
	where := e.Thread.Where()
	fmt.Fprintf(&b, "[%d] %s stands at %s (%s)\n", e.Thread.ID, e.Thread.Name, where, why)
	if x := e.Stop.Error; x != nil {
		fmt.Fprintf(&b, "  %s\n", errorText(x))
	}
	b.WriteString(t.excerpt(where, 1))
	return b.String()
}

func errorText(e *event.Error) string {
	text := e.Message
	if e.Code != 0 {
		text += fmt.Sprintf(" (%d)", e.Code)
	}
	if e.Session != "" {
		text += ", session " + e.Session
	}
	return text
}
