package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/alecthomas/kong"
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"rig/builtins"
	"rig/builtins/test"
	"rig/runtime/config"
	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/scenario"
	"rig/runtime/script"
	"rig/stdlib"
)

// paramFlags are the flags that the files on the command line declare with param(). The grammar cannot know them: where the
// arguments have a flag that it does not know, the files are loaded once to learn what they declare.
type paramFlags struct {
	values   map[string]string // by parameter name, as given
	declared []test.ParamDecl
}

// take removes the flags of parameters from the arguments of exec.
func (p *paramFlags) take(model *kong.Application, args []string) ([]string, error) {
	p.values = map[string]string{}
	node := commandOf(model, args)
	if node == nil || !slices.Contains([]string{"exec", "graph", "debug", "repl"}, node.Name) {
		return args, nil
	}
	scan := scanArgs(node, args)
	if len(scan.unknown) == 0 && !scan.help || len(scan.paths) == 0 {
		return args, nil
	}
	p.learn(scan.paths)
	var out []string
	for i := 0; i < len(args); i++ {
		name, value, has := splitFlag(args[i])
		d := p.find(name)
		if i <= scan.command || !slices.Contains(scan.unknown, i) || d == nil {
			out = append(out, args[i])
			continue
		}
		if _, isBool := d.Default.(starlark.Bool); isBool && !has {
			value, has = strconv.FormatBool(!strings.HasPrefix(name, "no-") || p.exact(name) != nil), true
		}
		if !has {
			i++
			if i == len(args) {
				return nil, usage("--%s: expected a value", name)
			}
			value = args[i]
		}
		p.values[d.Name] = value
	}
	return out, nil
}

func flagName(param string) string { return strings.ReplaceAll(param, "_", "-") }

func (p *paramFlags) exact(flag string) *test.ParamDecl {
	for i := range p.declared {
		if flagName(p.declared[i].Name) == flag {
			return &p.declared[i]
		}
	}
	return nil
}

// find gives the parameter of a flag; --no-x is x where x is a bool.
func (p *paramFlags) find(flag string) *test.ParamDecl {
	if d := p.exact(flag); d != nil {
		return d
	}
	if base, ok := strings.CutPrefix(flag, "no-"); ok {
		if d := p.exact(base); d != nil {
			if _, isBool := d.Default.(starlark.Bool); isBool {
				return d
			}
		}
	}
	return nil
}

// secrets are the values given to parameters that are secret.
func (p *paramFlags) secrets() []string {
	var out []string
	for _, d := range p.declared {
		if d.Secret && p.values[d.Name] != "" {
			out = append(out, p.values[d.Name])
		}
	}
	return out
}

// learn loads the files only to hear what they declare; what is wrong with them is told when they run.
func (p *paramFlags) learn(paths []string) {
	for i, path := range paths {
		paths[i], _, _ = strings.Cut(path, "::")
	}
	files, err := expand(paths)
	if err != nil {
		return
	}
	set := newParamSet(nil, nil)
	host := newHost(hostOptions{params: set})
	for _, f := range files {
		_, _ = host.Load(context.Background(), f)
	}
	p.declared = set.list()
}

// byFile sorts the declarations so that those of one file stand together, files in the order of their first.
func (p *paramFlags) byFile() []test.ParamDecl {
	var files []string
	for _, d := range p.declared {
		if !slices.Contains(files, d.Module) {
			files = append(files, d.Module)
		}
	}
	out := slices.Clone(p.declared)
	slices.SortStableFunc(out, func(a, b test.ParamDecl) int {
		return slices.Index(files, a.Module) - slices.Index(files, b.Module)
	})
	return out
}

func (p *paramFlags) print(w io.Writer) {
	if len(p.declared) == 0 {
		return
	}
	file := ""
	for _, d := range p.byFile() {
		if d.Module != file {
			file = d.Module
			fmt.Fprintf(w, "\nParameters of %s:\n", file)
		}
		more := fmt.Sprintf("default %s", d.Default)
		if d.Secret {
			more = "secret"
		}
		if len(d.Choices) > 0 {
			var c []string
			for _, v := range d.Choices {
				c = append(c, v.String())
			}
			more += "; one of " + strings.Join(c, ", ")
		}
		if d.Min != nil {
			more += fmt.Sprintf("; at least %v", *d.Min)
		}
		if d.Max != nil {
			more += fmt.Sprintf("; at most %v", *d.Max)
		}
		fmt.Fprintf(w, "  --%-24s %s (%s)\n", flagName(d.Name)+"="+strings.ToUpper(d.Default.Type()), d.Help, more)
	}
}

// paramSet gives parameters their values; it is the test.Params of a run.
type paramSet struct {
	cfg   *config.Config // nil: defaults only
	flags map[string]string
	bus   *event.Bus // hears of secrets

	mu       sync.Mutex
	decls    []test.ParamDecl                     // guarded by mu
	values   map[string]map[string]starlark.Value // guarded by mu, by module
	fields   []event.Field                        // guarded by mu
	reserved map[string]bool
}

func newParamSet(cfg *config.Config, flags map[string]string) *paramSet {
	return &paramSet{cfg: cfg, flags: flags, values: map[string]map[string]starlark.Value{}, reserved: flagNames()}
}

// settingError is a value that the user gave and that does not fit: wrong usage, although it shows while a file loads.
type settingError struct{ error }

func (e *settingError) Unwrap() error { return e.error }

// misused reports whether a file did not load because of such a value.
func misused(broken []error) bool {
	return slices.ContainsFunc(broken, func(err error) bool {
		var s *settingError
		return errors.As(err, &s)
	})
}

var paramName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,40}$`)

// Declare takes a declaration and gives the value.
func (s *paramSet) Declare(d test.ParamDecl) (starlark.Value, error) {
	if !paramName.MatchString(d.Name) {
		return nil, fmt.Errorf("param: %q is no name for a parameter: lower case letters, digits and _, a letter first", d.Name)
	}
	if s.reserved[flagName(d.Name)] {
		return nil, fmt.Errorf("param: --%s is a flag of rig itself: choose another name", flagName(d.Name))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.values[d.Module][d.Name] != nil {
		return nil, fmt.Errorf("param: %s is declared twice in this file", d.Name)
	}
	v, origin, err := s.value(d)
	if err != nil && d.Secret {
		err = errors.New("the value is not allowed; it is secret and not shown")
	}
	if err != nil {
		err = fmt.Errorf("param %s (from %s): %w", d.Name, origin, err)
		if origin != "default" {
			err = &settingError{err}
		}
		return nil, err
	}
	if s.values[d.Module] == nil {
		s.values[d.Module] = map[string]starlark.Value{}
	}
	s.values[d.Module][d.Name] = v
	known := slices.ContainsFunc(s.decls, func(x test.ParamDecl) bool { return x.Name == d.Name })
	if !known {
		s.decls = append(s.decls, d)
		shown := v.String()
		if d.Secret {
			shown = "***"
		}
		s.fields = append(s.fields, event.Field{Key: d.Name, Value: shown + " (" + origin + ")"})
	}
	if text, ok := starlark.AsString(v); ok && d.Secret {
		s.bus.Secret(text)
	}
	return v, nil
}

// forget lets files be loaded anew.
func (s *paramSet) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.values)
}

func (s *paramSet) value(d test.ParamDecl) (v starlark.Value, origin string, err error) {
	v, origin = d.Default, "default"
	if text, ok := s.flags[d.Name]; ok {
		origin = "--" + flagName(d.Name)
		v, err = parseParam(text, d.Default)
	} else if s.cfg != nil {
		if c, ok := s.cfg.Param(d.Name); ok {
			origin = c.Origin.String()
			v, err = parseParam(c.Text, d.Default)
		}
	}
	if err == nil {
		err = checkParam(d, v)
	}
	return v, origin, err
}

// parseParam reads a text as the type of the default.
func parseParam(text string, def starlark.Value) (starlark.Value, error) {
	switch def.(type) {
	case starlark.Int:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("want an int, got %q", text)
		}
		return starlark.MakeInt64(n), nil
	case starlark.Float:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, fmt.Errorf("want a number, got %q", text)
		}
		return starlark.Float(f), nil
	case starlark.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return nil, fmt.Errorf("want true or false, got %q", text)
		}
		return starlark.Bool(b), nil
	}
	return starlark.String(text), nil
}

func checkParam(d test.ParamDecl, v starlark.Value) error {
	if len(d.Choices) > 0 {
		var names []string
		for _, c := range d.Choices {
			if same, err := starlark.Equal(c, v); err == nil && same {
				return nil
			}
			text, ok := starlark.AsString(c)
			if !ok {
				text = c.String()
			}
			names = append(names, text)
		}
		text, _ := starlark.AsString(v)
		return fmt.Errorf("want one of %s, got %s%s", strings.Join(names, ", "), v, didYouMean(text, names))
	}
	f, ok := starlark.AsFloat(v)
	if !ok {
		return nil
	}
	if d.Min != nil && f < *d.Min {
		return fmt.Errorf("want at least %v, got %s", *d.Min, v)
	}
	if d.Max != nil && f > *d.Max {
		return fmt.Errorf("want at most %v, got %s", *d.Max, v)
	}
	return nil
}

func (s *paramSet) list() []test.ParamDecl {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.decls)
}

func (s *paramSet) shown() []event.Field {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.fields)
}

// of gives t.params for a file: what it and the libraries declare.
func (s *paramSet) of(file string, files map[string]bool) starlark.Value {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := starlark.StringDict{}
	for module, values := range s.values {
		if module != file && files[module] {
			continue
		}
		for k, v := range values {
			all[k] = v
		}
	}
	st := starlarkstruct.FromStringDict(starlark.String("params"), all)
	st.Freeze()
	return st
}

// unknown finds a flag that no file took: it cannot be, because take asked the same files.
func (s *paramSet) unknown() error {
	for name := range s.flags {
		if !slices.ContainsFunc(s.list(), func(d test.ParamDecl) bool { return d.Name == name }) {
			return fmt.Errorf("no file declares the parameter %s", name)
		}
	}
	return nil
}

// misspelt finds parameters that the environment or a file gives under a name that nearly is one that a script declares.
func (s *paramSet) misspelt() []string {
	var names, out []string
	for _, d := range s.list() {
		names = append(names, d.Name)
	}
	for _, given := range s.cfg.ParamNames() {
		if slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, given) }) {
			continue
		}
		if near := fault.Suggest(given, names); near != "" {
			v, _ := s.cfg.Param(given)
			out = append(out, fmt.Sprintf("%s gives the parameter %s, which no file here declares, did you mean %s?", v.Origin, given, near))
		}
	}
	return out
}

// hostOptions is what a host of this command needs.
type hostOptions struct {
	root     string
	registry *scenario.Registry
	params   test.Params
	builtins builtins.Options
	print    func(t *script.Thread, pos event.Pos, text string)
	follow   following
}

func newHost(o hostOptions) *script.Host {
	if o.registry == nil {
		o.registry = scenario.NewRegistry()
	}
	o.builtins.Registry, o.builtins.Params = o.registry, o.params
	root := o.root
	if root == "" {
		root, _ = os.Getwd() // without one, loads stay beside their file
	}
	if abs, err := filepath.Abs(root); err == nil {
		root = abs
	}
	return script.NewHost(script.Options{Root: root, Predeclared: builtins.Predeclared(o.builtins), Library: stdlib.FS, Print: o.print, Watch: o.follow.watch, Probes: o.follow.probes, Count: o.follow.count})
}
