package prompt

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"rig/runtime/debug"
)

// where reads the argument of break.
func (t *Talk) where(text string) (debug.Point, error) {
	place, cond, _ := strings.Cut(text, " if ")
	p := debug.Point{Cond: strings.TrimSpace(cond)}
	word, rest, _ := strings.Cut(strings.TrimSpace(place), " ")
	rest = strings.TrimSpace(rest)
	switch word {
	case "on", "state", "sql":
		if rest == "" {
			return p, fmt.Errorf("break %s what?", word)
		}
		p.Kind = map[string]string{"on": debug.OnError, "state": debug.OnState, "sql": debug.OnSQL}[word]
		p.Name = rest
		if p.Kind == debug.OnError {
			p.Name = strings.TrimSpace(strings.TrimPrefix(rest, "error"))
			if p.Name == "" {
				p.Name = "any"
			}
		}
		return p, nil
	}
	if rest != "" {
		return p, fmt.Errorf("%q is no place: LINE, FILE:LINE, FUNCTION, on ERROR, state NAME or sql PATTERN", strings.TrimSpace(place))
	}
	if n, err := strconv.Atoi(word); err == nil {
		p.Kind, p.File, p.Line = debug.OnLine, t.file(), n
		return p, positive(n)
	}
	if i := strings.LastIndex(word, ":"); i > 0 {
		if n, err := strconv.Atoi(word[i+1:]); err == nil {
			p.Kind, p.File, p.Line = debug.OnLine, word[:i], n
			return p, positive(n)
		}
	}
	p.Kind, p.Name = debug.OnFunction, word
	return p, nil
}

func positive(n int) error {
	if n < 1 {
		return errors.New("lines count from 1")
	}
	return nil
}

// file is the one that is looked at.
func (t *Talk) file() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cur != nil {
		if frames, err := t.cur.Frames(); err == nil && t.level < len(frames) && frames[t.level].Pos.File != "" {
			return frames[t.level].Pos.File
		}
	}
	return t.o.File
}

func (t *Talk) cmdBreak(args string) error {
	if args == "" {
		all := t.o.Debugger.Points()
		if len(all) == 0 {
			t.say("there are no breakpoints")
		}
		for _, p := range all {
			t.say("%s", pointText(p, true))
		}
		return nil
	}
	p, err := t.where(args)
	if err != nil {
		return err
	}
	if p.Kind == debug.OnLine {
		t.know(p.File)
	}
	p, err = t.o.Debugger.Set(p)
	if err != nil {
		return err
	}
	t.say("%s", pointText(p, false))
	return nil
}

// know shows the debugger a file that has not been loaded. What is wrong with it is told when it loads.
func (t *Talk) know(file string) {
	if b, err := os.ReadFile(file); err == nil {
		_ = t.o.Debugger.Know(file, string(b))
	}
}

func pointText(p debug.Point, hits bool) string {
	what := ""
	switch p.Kind {
	case debug.OnLine:
		what = p.At.String()
		if p.At.IsZero() {
			what = fmt.Sprintf("%s:%d", shown(p.File), p.Line)
		} else if int(p.At.Line) != p.Line {
			what += fmt.Sprintf(", the next statement after line %d", p.Line)
		}
		what = "at " + what
	case debug.OnFunction:
		what = "in " + p.Name
	case debug.OnError:
		what = "on error " + p.Name
	default:
		what = "on " + p.Kind + " " + p.Name
	}
	if p.Cond != "" {
		what += " if " + p.Cond
	}
	if hits && p.Hits > 0 {
		what += fmt.Sprintf(", met %d times", p.Hits)
	}
	if p.Problem != "" {
		what += ": will not be met, " + p.Problem
	}
	return fmt.Sprintf("breakpoint %d %s", p.ID, what)
}

// shown is a file's name as seen from here.
func shown(file string) string {
	dir, err := os.Getwd()
	if err != nil {
		return file
	}
	if rel, err := filepath.Rel(dir, file); err == nil && !strings.HasPrefix(rel, "..") {
		return filepath.ToSlash(rel)
	}
	return file
}

func (t *Talk) cmdDelete(args string) error {
	if args == "all" {
		t.say("%d removed", t.o.Debugger.Clear(func(debug.Point) bool { return true }))
		return nil
	}
	id, err := strconv.Atoi(args)
	if err != nil {
		return errors.New("which breakpoint? delete N, or delete all; break lists them")
	}
	if t.o.Debugger.Clear(func(p debug.Point) bool { return p.ID == id }) == 0 {
		return fmt.Errorf("there is no breakpoint %d", id)
	}
	return nil
}
