package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"rig/runtime/fault"
)

// Source is where settings come from. Dir is the folder where rig.toml is looked for, then upwards; "" is the working
// folder. Of Files, given by --config, the first wins. Env has the form of os.Environ. Flags are those given on the
// command line by the key's name, the parts of a list joined by "\x00".
type Source struct {
	Dir     string
	Files   []string
	Profile string
	Env     []string
	Flags   map[string]string
}

// Format names the places whatever the verb: flags and environment may hold secrets.
func (s Source) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "settings from %q, files %q, profile %q", s.Dir, s.Files, s.Profile)
}

// MarshalText writes what Format does, to JSON too.
func (s Source) MarshalText() ([]byte, error) { return fmt.Append(nil, s), nil }

// loader gathers layers and problems.
type loader struct {
	source Source
	env    map[string]string
	paths  []string // of files
	files  []*file
	err    Error
}

// Load reads and checks every layer. The error is an [*Error] with all that is wrong.
func Load(s Source) (*Config, error) {
	l := &loader{source: s, env: environment(s.Env)}
	dir, err := filepath.Abs(s.Dir)
	if err != nil {
		return nil, fmt.Errorf("find the folder of the configuration: %w", err)
	}
	c := &Config{root: dir, password: l.env[passwordEnv], envParams: l.envParams(), warnings: l.misspelt()}
	for _, path := range s.Files {
		l.add(path, path)
	}
	if path := l.nearest(dir); path != "" {
		c.root = filepath.Dir(path)
		l.add(path, shownPath(dir, path))
	}
	layers := append([]layer{l.flags(), l.environ()}, l.profile()...)
	for _, f := range l.files {
		layers = append(layers, f.layer)
	}
	layers = append(layers, defaults())
	if l.err.Problems != nil {
		return nil, &l.err
	}
	c.values, c.params = merge(layers)
	c.profiles = l.profileNames()
	c.targets = map[string]Target{}
	for _, f := range slices.Backward(l.files) {
		for name, t := range f.targets {
			c.targets[name] = t
		}
	}
	return c, nil
}

// merge takes every value from the first layer that has it.
func merge(layers []layer) (settings, params map[string]Value) {
	settings, params = map[string]Value{}, map[string]Value{}
	for _, l := range slices.Backward(layers) {
		for name, v := range l.settings {
			settings[name] = v
		}
		for name, v := range l.params {
			params[name] = v
		}
	}
	return settings, params
}

// environment indexes NAME=value; of several with one name the first counts, as in os.Getenv.
func environment(env []string) map[string]string {
	m := map[string]string{}
	for _, kv := range env {
		name, value, ok := strings.Cut(kv, "=")
		if _, twice := m[name]; ok && !twice {
			m[name] = value
		}
	}
	return m
}

// nearest finds rig.toml in dir or the first folder above that has it; "" where none has.
func (l *loader) nearest(dir string) string {
	for {
		path := filepath.Join(dir, fileName)
		_, err := os.Stat(path)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return path // what cannot be looked at is reported when it is read
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}

// shownPath is the path from dir where that can be said.
func shownPath(dir, path string) string {
	if rel, err := filepath.Rel(dir, path); err == nil {
		return rel
	}
	return path
}

// add reads a file unless it was read before.
func (l *loader) add(path, name string) {
	if slices.ContainsFunc(l.paths, func(p string) bool { return same(p, path) }) {
		return
	}
	l.paths = append(l.paths, path)
	f := readFile(path, name)
	l.files = append(l.files, f)
	l.err.Problems = append(l.err.Problems, f.problems...)
	l.err.More += f.more
}

// same reports whether two paths lead to one file.
func same(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

func (l *loader) problem(where string, p *Problem) {
	p.Where = where
	l.err.Problems = append(l.err.Problems, p)
}

// flags is the layer of the command line.
func (l *loader) flags() layer {
	out := newLayer()
	for _, k := range Keys() {
		text, ok := l.source.Flags[k.Name]
		if !ok {
			continue
		}
		v, p := k.value(splitList(k, text, "\x00"), Origin{Layer: layerFlag, Where: k.Flag})
		if p != nil {
			l.problem(k.Flag, p)
			continue
		}
		out.settings[k.Name] = v
	}
	for name := range l.source.Flags {
		if _, ok := keyNamed(name); !ok {
			l.problem("--"+name, &Problem{Message: "there is no setting of this name", Hint: didYouMean(name, keyNames())})
		}
	}
	return out
}

// splitList gives the parts of a list without blank ones; the text of another type is one part.
func splitList(k Key, text, separator string) []string {
	if k.Type != typeStrings {
		return []string{text}
	}
	parts := []string{}
	for part := range strings.SplitSeq(text, separator) {
		if part = strings.TrimSpace(part); part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

// environ is the layer of the environment. An empty variable is one that is not set, except of a parameter.
func (l *loader) environ() layer {
	out := newLayer()
	for _, k := range Keys() {
		name := k.Env()
		text := l.env[name]
		if text == "" {
			continue
		}
		v, p := k.value(splitList(k, text, ","), Origin{Layer: layerEnv, Where: name})
		if p != nil {
			l.problem(name, p)
			continue
		}
		out.settings[k.Name] = v
	}
	return out
}

// misspelt are the variables that are none of rig's and nearly one of them. Others may be somebody else's.
func (l *loader) misspelt() []string {
	known := []string{passwordEnv}
	for _, k := range Keys() {
		known = append(known, k.Env())
	}
	var out []string
	for name := range l.env {
		rest, ours := strings.CutPrefix(name, envPrefix)
		if !ours || rest == "" || strings.HasPrefix(name, paramPrefix) || slices.Contains(known, name) {
			continue
		}
		if near := nearVariable(rest, known); near != "" {
			out = append(out, fmt.Sprintf("the variable %s sets nothing, did you mean %s?", clip(name), near))
		}
	}
	slices.Sort(out)
	return out
}

// nearVariable compares what follows RIG_: the beginning, which all share, would make everything near.
func nearVariable(rest string, known []string) string {
	if _, dropped := strings.CutPrefix(rest, "PARAMS_"); dropped || strings.HasPrefix(rest, "PARM_") || strings.HasPrefix(rest, "PRAM_") {
		_, name, _ := strings.Cut(rest, "_")
		return paramPrefix + name
	}
	var names []string
	for _, k := range known {
		names = append(names, strings.TrimPrefix(k, envPrefix))
	}
	if near := fault.Suggest(rest, names); near != "" {
		return envPrefix + near
	}
	return ""
}

// envParams are the parameters that the environment gives.
func (l *loader) envParams() map[string]Value {
	out := map[string]Value{}
	for name, text := range l.env {
		if param, ok := strings.CutPrefix(name, paramPrefix); ok && param != "" {
			param = strings.ToLower(param)
			out[param] = listValue(param, []string{text}, Origin{Layer: layerEnv, Where: name})
		}
	}
	return out
}

// profile gives the layers of the chosen profile, one for each file that has it.
func (l *loader) profile() []layer {
	if l.source.Profile == "" {
		return nil
	}
	var layers []layer
	for _, f := range l.files {
		if p, ok := f.profiles[l.source.Profile]; ok {
			layers = append(layers, p)
		}
	}
	if layers == nil && l.err.Problems == nil {
		l.problem("--profile", &Problem{Message: fmt.Sprintf("there is no profile %q", clip(l.source.Profile)), Hint: profileHint(l.source.Profile, l.profileNames())})
	}
	return layers
}

// profileNames are those of every file, sorted, each once.
func (l *loader) profileNames() []string {
	var names []string
	for _, f := range l.files {
		for name := range f.profiles {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func profileHint(name string, names []string) string {
	if hint := didYouMean(name, names); hint != "" {
		return hint
	}
	if len(names) == 0 {
		return "no file has one: write [profiles." + clip(name) + "] into " + fileName
	}
	return "the profiles are " + strings.Join(names, ", ")
}

func defaults() layer {
	out := newLayer()
	for _, k := range Keys() {
		v := Value{Name: k.Name, Text: k.Default, Origin: Origin{Layer: layerDefault}}
		if k.Type != typeStrings && k.Default != "" {
			v.List = []string{k.Default}
		}
		out.settings[k.Name] = v
	}
	return out
}
