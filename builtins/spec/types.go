package spec

import (
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"
)

// Types is the closed list of parameter types with their test; "any" and the names of rig's own types are accepted as
// they are, by the Type() of the value.
var types = map[string]func(starlark.Value) bool{
	"any":  func(starlark.Value) bool { return true },
	"None": func(v starlark.Value) bool { return v == starlark.None },
	"str":  func(v starlark.Value) bool { _, ok := v.(starlark.String); return ok },
	"bytes": func(v starlark.Value) bool {
		_, ok := v.(starlark.Bytes)
		return ok
	},
	"bool": func(v starlark.Value) bool { _, ok := v.(starlark.Bool); return ok },
	"int": func(v starlark.Value) bool {
		i, ok := v.(starlark.Int)
		if !ok {
			return false
		}
		_, fits := i.Int64()
		return fits
	},
	"float": func(v starlark.Value) bool {
		switch v.(type) {
		case starlark.Float, starlark.Int:
			return true
		}
		return false
	},
	"callable": func(v starlark.Value) bool { _, ok := v.(starlark.Callable); return ok },
	"iterable": func(v starlark.Value) bool { _, ok := v.(starlark.Iterable); return ok },
	"list":     func(v starlark.Value) bool { _, ok := v.(starlark.Sequence); return ok && !isMapping(v) },
	"dict":     isMapping,
}

func isMapping(v starlark.Value) bool { _, ok := v.(starlark.IterableMapping); return ok }

// maxElements bounds what a built-in takes as a list: range(1000000000) is one too, and would be copied.
const maxElements = 1_000_000

// accept checks a value against the declared type of a parameter.
func accept(p *Param, v starlark.Value) error {
	if _, text := v.(starlark.String); !text && p.Type != "any" && starlark.Len(v) > maxElements {
		return fmt.Errorf("%s of %d elements, more than %d", v.Type(), starlark.Len(v), maxElements)
	}
	if p.Type == "any" || p.Type == "" {
		return nil
	}
	if v == starlark.None && (p.Optional || p.Default == starlark.None) {
		return nil
	}
	for want := range strings.SplitSeq(p.Type, "|") {
		if want == "duration" {
			_, err := AsDuration(v)
			if err == nil {
				return nil
			}
			if !strings.Contains(p.Type, "|") {
				return err
			}
			continue
		}
		if test, ok := types[want]; ok {
			if test(v) {
				return nil
			}
			continue
		}
		if v.Type() == want {
			return nil
		}
	}
	if i, ok := v.(starlark.Int); ok && strings.Contains(p.Type, "int") {
		return fmt.Errorf("%s does not fit 64 bits", i)
	}
	return fmt.Errorf("want %s, got %s", strings.ReplaceAll(p.Type, "|", " or "), describe(v))
}

// describe names a value's type with a short look at the value.
func describe(v starlark.Value) string {
	switch v.(type) {
	case starlark.NoneType:
		return "None"
	case starlark.String, starlark.Int, starlark.Float, starlark.Bool:
		s := v.String()
		if len(s) > 40 {
			s = s[:37] + "..."
		}
		return v.Type() + " " + s
	}
	return v.Type()
}

// TypeNames lists them in order.
func TypeNames() []string {
	names := []string{"duration"}
	for n := range types {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}
