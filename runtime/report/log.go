package report

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"rig/runtime/event"
)

// log shows a line of a script, or of rig.
func (c *Console) log(e *event.Event, d *event.Log) {
	if !d.Asked && !c.shows(moduleOf(d), levelOf(d.Level)) {
		return
	}
	if c.logs != nil && !d.Asked && (d.Level != "print" || c.o.LogTo != nil) {
		c.record(e, levelOf(d.Level), moduleOf(d), d.Message, d)
		return
	}
	prefix := ""
	if e.Test != "" && len(c.tests) > 1 {
		prefix = c.paint(dim, oneLine(e.Test)+":") + " "
	}
	if d.Level != "print" {
		c.line(prefix, c.logLine(e, d))
		return
	}
	text := strings.TrimSuffix(clean(d.Message), "\n")
	if prefix != "" && strings.Contains(text, "\n") { // a table or a transcript stays as it is, to be read and copied
		c.line(strings.TrimSuffix(prefix, " "))
		prefix = "  "
	}
	for line := range strings.SplitSeq(text, "\n") {
		c.line(prefix, line)
	}
}

func (c *Console) logLine(e *event.Event, d *event.Log) string {
	look := dim
	switch d.Level {
	case "warn":
		look = warn
	case "error":
		look = bad
	}
	return c.paint(look, oneLine(d.Level)) + logText(e, d)
}

// logText gives " file.star:3: message key=value" without the level.
func logText(e *event.Event, d *event.Log) string {
	var b strings.Builder
	if !e.Pos.IsZero() {
		fmt.Fprintf(&b, " %s:", oneLine(event.Pos{File: e.Pos.File, Line: e.Pos.Line}.String()))
	}
	if d.Module != "" {
		b.WriteString(" " + oneLine(d.Module) + ":")
	}
	b.WriteString(" " + oneLine(d.Message))
	for _, f := range d.Fields {
		value := clean(f.Value)
		if value == "" || strings.ContainsAny(value, " \t\n\"=") {
			value = quote(value)
		}
		b.WriteString(" " + oneLine(f.Key) + "=" + value)
	}
	return b.String()
}

// quote is a value between quotation marks in one line; text that is clean stays as it is.
func quote(s string) string {
	return `"` + strings.NewReplacer(`"`, `\"`, "\n", `\n`, "\t", `\t`).Replace(s) + `"`
}

// record gives a line to the handler. d is nil for lines that tell an event of another kind.
func (c *Console) record(e *event.Event, level slog.Level, module, message string, d *event.Log) {
	at := time.Time{}
	if !c.started.IsZero() {
		at = c.started.Add(e.At)
	}
	if c.o.LogTo == nil { // a terminal; other formats quote
		message = oneLine(message)
	}
	r := slog.NewRecord(at, level, message, 0)
	own := []string{"time", "level", "msg", "module"}
	r.AddAttrs(slog.String("module", module))
	add := func(key, value string) {
		if value != "" {
			own = append(own, key)
			r.AddAttrs(slog.String(key, c.attr(value)))
		}
	}
	if !e.Pos.IsZero() {
		add("pos", event.Pos{File: e.Pos.File, Line: e.Pos.Line}.String())
	}
	if c.o.LogTo != nil || len(c.tests) > 1 || d == nil {
		add("test", e.Test)
	}
	add("session", e.Session)
	if d != nil {
		for _, f := range d.Fields {
			key := f.Key
			if slices.Contains(own, key) { // each key once
				key = "fields." + key
			}
			r.AddAttrs(slog.String(c.attr(key), c.attr(f.Value)))
		}
	}
	if err := c.logs.Handle(context.Background(), r); err != nil && c.err == nil {
		c.err = fmt.Errorf("write log: %w", err)
	}
}

// attr makes text safe for a terminal; what goes elsewhere is quoted by its handler.
func (c *Console) attr(s string) string {
	if c.o.LogTo != nil {
		return s
	}
	return clean(s)
}

// permanent is the console as a writer of permanent text, for the handler of log lines: it is called with mu held.
type permanent struct{ c *Console }

func (p permanent) Write(b []byte) (int, error) {
	p.c.out = append(p.c.out, b...)
	return len(b), nil
}
