package debug

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.starlark.net/starlark"

	"rig/runtime/event"
	"rig/runtime/script"
)

// The kinds of breakpoints.
const (
	OnLine     = "line"
	OnFunction = "function"
	OnError    = "error"
	OnState    = "state"
	OnSQL      = "sql"
)

// Point is a breakpoint. Of the fields File to Name those are used that its kind has.
type Point struct {
	ID   int
	Kind string
	File string // absolute, or of rig's library
	Line int
	Name string // the function, the error's class, the state, the pattern of the SQL
	Cond string // an expression; the thread stops where it is true

	At      event.Pos // where a line breakpoint stops: the next statement; zero where there is none
	Problem string    // why it will not be met, "" when it can be
	Hits    int
}

type point struct {
	Point
	pattern *regexp.Regexp
}

// file is a source whose statements are known.
type file struct {
	show    string
	sites   []script.Site
	live    bool            // loaded: the sites are those that threads come to
	outline *script.Outline // nil where only its statements are known
}

// Key makes the name that breakpoints use of a file's name as positions have it.
func Key(name string) string {
	if strings.HasPrefix(name, "@") {
		return name
	}
	abs, err := filepath.Abs(filepath.FromSlash(name))
	if err != nil {
		return name
	}
	return abs
}

// Loaded is told of a file with probes before its top level runs.
func (d *Debugger) Loaded(name string, sites []script.Site) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.files[Key(name)] = file{name, sites, true, d.files[Key(name)].outline}
	d.resolve()
}

// Know tells the debugger the statements of a file that is not loaded yet, so that breakpoints can be placed in it.
func (d *Debugger) Know(name, source string) error {
	o, err := script.OutlineOf(name, source)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.know(o)
	d.resolve()
	return nil
}

// Learn is Know for many. whole says that nothing else will be loaded, so that what is in none of them will not be met.
func (d *Debugger) Learn(list []*script.Outline, whole bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, o := range list {
		d.know(o)
	}
	d.whole = whole
	d.resolve()
}

// know must hold mu.
func (d *Debugger) know(o *script.Outline) {
	f := d.files[Key(o.Name)]
	if !f.live {
		f.show, f.sites = o.Name, o.Sites
	}
	f.outline = o
	d.files[Key(o.Name)] = f
}

// Set adds a breakpoint. One that cannot be met is added too, with the problem; a condition that cannot be evaluated is an error.
func (d *Debugger) Set(p Point) (Point, error) {
	x := &point{Point: p}
	if p.Kind == OnLine && !strings.HasPrefix(p.File, "@") {
		x.File = Key(p.File)
	}
	if p.Kind == OnSQL {
		re, err := regexp.Compile("(?i)" + p.Name)
		if err != nil {
			return Point{}, fmt.Errorf("the pattern %q: %w", p.Name, err)
		}
		x.pattern = re
	}
	if p.Cond != "" {
		if err := script.CheckExpression(p.Cond); err != nil {
			return Point{}, fmt.Errorf("the condition: %w", err)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.checkNames(x); err != nil {
		return Point{}, err
	}
	d.next++
	x.ID, x.Hits = d.next, 0
	d.points = append(d.points, x)
	d.resolve()
	return x.Point, nil
}

// Clear removes the breakpoints that fit and tells how many.
func (d *Debugger) Clear(fits func(Point) bool) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := len(d.points)
	d.points = slices.DeleteFunc(d.points, func(p *point) bool { return fits(p.Point) })
	d.resolve()
	return n - len(d.points)
}

// Points lists the breakpoints.
func (d *Debugger) Points() []Point {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []Point
	for _, p := range d.points {
		out = append(out, p.Point)
	}
	return out
}

// resolve places the line breakpoints and says of the others whether they can be met. It must hold mu.
func (d *Debugger) resolve() {
	clear(d.at)
	arms := 0
	for _, p := range d.points {
		switch p.Kind {
		case OnLine:
			d.place(p)
		case OnFunction:
			p.Problem = d.noFunction(p.Name)
		case OnError, OnState, OnSQL:
			arms++
			p.Problem = d.unmet(p)
		}
	}
	d.arms.Store(int32(arms))
}

func (d *Debugger) place(p *point) {
	p.At, p.Problem = event.Pos{}, ""
	f, ok := d.files[p.File]
	if !ok {
		p.Problem = "the file is not loaded"
		return
	}
	s := snap(f.sites, p.Line)
	if s == nil {
		p.Problem = fmt.Sprintf("there is no statement at or after line %d", p.Line)
		return
	}
	p.At = s.Pos
	if !f.live {
		return
	}
	d.at[s] = append(d.at[s], p)
}

// snap finds the statement that a line means: the one that begins there, else the one that the line is in, else the next. A def
// is no place to stop; its body is.
func snap(sites []script.Site, line int) *script.Site {
	var around, next *script.Site
	for i := range sites {
		s := &sites[i]
		switch first := int(s.Pos.Line); {
		case s.Def:
		case first == line:
			return s
		case first < line && line <= int(s.Last) && s.Func != "lambda":
			around = s
		case first > line && (next == nil || s.Pos.Line < next.Pos.Line):
			next = s
		}
	}
	if around != nil {
		return around
	}
	return next
}

func (p *point) function(s *script.Site) bool {
	file, name, has := strings.Cut(p.Name, "::")
	if !has {
		return p.Name == s.Func
	}
	return name == s.Func && Key(file) == Key(s.Pos.File)
}

// class reports whether an error is of the class that a breakpoint names: its kind, its category, its name or its code; any is all.
func (p *point) class(e *event.Error) bool {
	if p.Name == "any" {
		return true
	}
	for _, c := range []string{e.Kind, e.Category, e.Name, strconv.Itoa(e.Code)} {
		if strings.EqualFold(c, p.Name) {
			return true
		}
	}
	return false
}

// hit stops at a built-in for the breakpoints that fit.
func (d *Debugger) hit(x *Thread, th *starlark.Thread, fits func(*point) bool, why Stop) {
	d.mu.Lock()
	var all []*point
	for _, p := range d.points {
		if fits(p) {
			all = append(all, p)
		}
	}
	d.mu.Unlock()
	if len(all) == 0 {
		return
	}
	if met := d.met(x, th, all); met != nil {
		met.Reason, met.Text, met.Error = why.Reason, why.Text, why.Error
		d.stop(x, th, *met)
	}
}

// met gives the stop for those of the breakpoints whose conditions are true, nil where none is. A condition that fails stops, too:
// who wrote it wants to know.
func (d *Debugger) met(x *Thread, th *starlark.Thread, points []*point) *Stop {
	var out *Stop
	for _, p := range points {
		ok, text := true, ""
		if p.Cond != "" {
			ok, text = d.holds(x, th, p.Cond)
		}
		if !ok {
			continue
		}
		d.mu.Lock()
		p.Hits++
		d.mu.Unlock()
		if out == nil {
			out = &Stop{Reason: ReasonBreakpoint}
			if p.Kind == OnFunction {
				out.Reason = ReasonFunction
			}
		}
		out.Points = append(out.Points, p.ID)
		if text != "" {
			out.Text = text
		}
	}
	return out
}

func (d *Debugger) holds(x *Thread, th *starlark.Thread, cond string) (ok bool, problem string) {
	frames, _ := framesOf(th)
	for i := range frames {
		if frames[i].fn == nil {
			continue
		}
		v, err := d.eval(x.script.Context(), x, &frames[i], cond)
		if err != nil {
			return true, fmt.Sprintf("the condition %s: %v", cond, err)
		}
		return bool(v.Truth()), ""
	}
	return true, ""
}
