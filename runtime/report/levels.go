package report

import (
	"fmt"
	"log/slog"
	"strings"

	"rig/runtime/event"
	"rig/runtime/fault"
)

// The levels of lines, least first. Statements are traced: they are shown by level trace, or where their module is named.
const (
	levelTrace = slog.LevelDebug - 4
	levelOff   = slog.LevelError + 100
)

// The modules whose lines have levels of their own.
const (
	moduleScript    = "script"
	moduleRig       = "rig"
	moduleStatement = "statement"
)

// Module is a source of log lines, with what it tells.
type Module struct{ Name, Doc string }

// Modules lists the sources of log lines. The caller owns the result.
func Modules() []Module {
	return []Module{
		{moduleScript, "what scripts write with log.*, t.log and print"},
		{moduleRig, "the run: its id, seed, parameters"},
		{"load", "files that were loaded"},
		{"target", "servers: starting, ready, stopped"},
		{"session", "sessions opened, closed, killed"},
		{moduleStatement, "every statement; shown by trace, -vv, or by statement=debug"},
		{"database", "databases made and dropped"},
		{"machine", "steps of state machines, and warnings about them"},
		{"task", "tasks that ended"},
		{"retry", "failed attempts, and breakers that change state"},
		{"coordinator", "what members of coordinators do that others see: barriers, events, messages, ends"},
		{"watch", "jobs that were watched"},
		{"history", "histories of operations that begin, and their verdicts"},
		{"span", "spans that ended"},
		{"expect", "expectations that do not hold"},
	}
}

// LevelNames lists the levels, most lines first. The caller owns the result.
func LevelNames() []string { return []string{"trace", "debug", "info", "warn", "error", "off"} }

// Levels say which lines are shown. The zero value leaves it to -v and -q.
type Levels struct {
	given bool
	all   slog.Level
	of    map[string]slog.Level
}

// ParseLevels reads "LEVEL,MODULE=LEVEL,...": a level for all modules, and those of single ones.
func ParseLevels(text string) (Levels, error) {
	var l Levels
	if text == "" {
		return l, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		module, name, single := strings.Cut(strings.TrimSpace(part), "=")
		if !single {
			module, name = "", module
		}
		level, err := parseLevel(name)
		if err != nil {
			return Levels{}, fmt.Errorf("log level %q: %w", text, err)
		}
		if !single {
			if l.given {
				return Levels{}, fmt.Errorf("log level %q: two levels for all modules", text)
			}
			l.given, l.all = true, level
			continue
		}
		if err := l.set(module, level); err != nil {
			return Levels{}, fmt.Errorf("log level %q: %w", text, err)
		}
	}
	return l, nil
}

func (l *Levels) set(module string, level slog.Level) error {
	var names []string
	for _, m := range Modules() {
		names = append(names, m.Name)
		if m.Name != module {
			continue
		}
		if _, twice := l.of[module]; twice {
			return fmt.Errorf("two levels for %s", module)
		}
		if l.of == nil {
			l.of = map[string]slog.Level{}
		}
		l.of[module] = level
		return nil
	}
	return fmt.Errorf("there is no module %q%s", module, nearest(module, names))
}

func parseLevel(name string) (slog.Level, error) {
	levels := map[string]slog.Level{
		"trace": levelTrace, "debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError, "off": levelOff,
	}
	if l, ok := levels[name]; ok {
		return l, nil
	}
	return 0, fmt.Errorf("there is no level %q%s", name, nearest(name, LevelNames()))
}

func nearest(word string, names []string) string {
	if near := fault.Suggest(word, names); near != "" {
		return fmt.Sprintf(", did you mean %q?", near)
	}
	return " (" + strings.Join(names, ", ") + ")"
}

// base is the level of modules that are not named.
func (l *Levels) base(verbose int, quiet bool) slog.Level {
	switch {
	case l.given:
		return l.all
	case quiet:
		return slog.LevelWarn
	case verbose > 1:
		return levelTrace
	case verbose > 0:
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// shows decides on a line.
func (c *Console) shows(module string, level slog.Level) bool {
	if at, named := c.o.Levels.of[module]; named {
		return level >= at
	}
	if module == moduleStatement {
		level = levelTrace
	}
	return level >= c.base
}

// detailed reports whether any line of detail may be shown.
func (c *Console) detailed() bool {
	if c.base <= slog.LevelDebug {
		return true
	}
	for _, at := range c.o.Levels.of {
		if at <= slog.LevelDebug {
			return true
		}
	}
	return false
}

// moduleOf gives the source of a log line; machines name their states there, which belong to the script.
func moduleOf(d *event.Log) string {
	switch d.Module {
	case moduleRig, "machine":
		return d.Module
	}
	return moduleScript
}

func levelOf(name string) slog.Level {
	switch name {
	case "debug":
		return slog.LevelDebug
	case "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	}
	return slog.LevelInfo
}
