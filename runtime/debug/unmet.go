package debug

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"rig/runtime/fault"
	"rig/runtime/script"
)

// What can be said of breakpoints before anything runs. Silence is better than a wrong word: without the whole of what is loaded
// nothing is said of names.

// unmet tells why a breakpoint on an error or a state will not be met, "" where it may be. It must hold mu.
func (d *Debugger) unmet(p *point) string {
	switch p.Kind {
	case OnError:
		return noClass(p.Name)
	case OnState:
		return d.noState(p.Name)
	}
	return ""
}

// noFunction must hold mu.
func (d *Debugger) noFunction(name string) string {
	in, fn, ofFile := strings.Cut(name, "::")
	if !ofFile {
		in, fn = "", name
	}
	if !d.whole {
		return ""
	}
	var all []string
	for _, key := range slices.Sorted(maps.Keys(d.files)) {
		f := d.files[key]
		if ofFile && key != Key(in) {
			continue
		}
		for i := range f.sites {
			if f.sites[i].Func == fn {
				return ""
			}
			all = append(all, f.sites[i].Func)
		}
		if f.outline != nil && slices.Contains(f.outline.Funcs, fn) {
			return "the function " + fn + " has no statement to stop at"
		}
	}
	if ofFile && d.files[Key(in)].sites == nil {
		return "the file is not loaded"
	}
	return "there is no function " + fn + meant(fn, all)
}

// noState must hold mu.
func (d *Debugger) noState(name string) string {
	if !d.whole {
		return ""
	}
	all := slices.Clone(d.o.States)
	for _, f := range d.files {
		if f.outline == nil || f.outline.AnyState {
			return ""
		}
		all = append(all, f.outline.States...)
	}
	for _, s := range all {
		if s == name || strings.HasSuffix(name, "."+s) {
			return ""
		}
	}
	slices.Sort(all)
	return "no machine has the state " + name + meant(name, all)
}

// ownClasses are the kinds of errors that are no faults of a database.
func ownClasses() []string {
	return []string{"any", "script", "expectation", "fail", "panic", "subtests", "environment", "schedule", "unseen", "error"}
}

// noClass tells that no error is of a class. Servers have codes that rig does not know.
func noClass(name string) string {
	if _, err := strconv.Atoi(name); err == nil {
		return ""
	}
	kinds := ownClasses()
	categories := []string{string(fault.Transient), string(fault.Permanent), string(fault.UnknownCategory)}
	for _, k := range fault.Kinds() {
		kinds = append(kinds, string(k.Kind))
	}
	all := slices.Concat(kinds, categories, fault.Names())
	if slices.ContainsFunc(all, func(c string) bool { return strings.EqualFold(c, name) }) {
		return ""
	}
	hint := meant(name, all)
	for _, k := range kinds {
		if hint == "" && abbreviates(name, k) {
			hint = "; did you mean " + k + "?"
		}
	}
	return "no error has the kind, name or code " + name + hint
}

// abbreviates reports whether the letters of a word are those of another in their order, from the first on: dupkey.
func abbreviates(word, full string) bool {
	if len(word) < 3 || full == "" || word[0] != full[0] {
		return false
	}
	for _, c := range word {
		i := strings.IndexRune(full, c)
		if i < 0 {
			return false
		}
		full = full[i+1:]
	}
	return true
}

func meant(word string, all []string) string {
	if near := fault.Suggest(word, all); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}

// checkNames refuses a condition with a name that is not defined where it is evaluated. It must hold mu.
func (d *Debugger) checkNames(p *point) error {
	if p.Cond == "" || d.o.Names == nil {
		return nil
	}
	all, known := d.visible(p)
	if !known {
		return nil
	}
	all = append(all, d.o.Names...)
	name := script.CheckNames(p.Cond, func(name string) bool { return slices.Contains(all, name) })
	if name == "" {
		return nil
	}
	return fmt.Errorf("the condition: undefined: %s%s", name, meant(name, all))
}

// visible gives the names that a condition may use besides those of every script; known is false where that cannot be said. It must
// hold mu.
func (d *Debugger) visible(p *point) (names []string, known bool) {
	if p.Kind == OnLine {
		f := d.files[p.File]
		s := snap(f.sites, p.Line)
		if s == nil || f.outline == nil {
			return nil, false
		}
		return f.outline.Visible(s.Func), true
	}
	function := "*"
	if p.Kind == OnFunction {
		_, fn, has := strings.Cut(p.Name, "::")
		if function = fn; !has {
			function = p.Name
		}
	}
	for _, f := range d.files {
		if f.outline == nil {
			return nil, false
		}
		if p.Kind != OnFunction || slices.Contains(f.outline.Funcs, function) {
			names = append(names, f.outline.Visible(function)...)
		}
	}
	return names, d.whole
}
