// Package config gathers the settings of a run from their layers.
//
// [Load] reads them, strongest first: flags, the environment, the chosen profile, files, defaults. [Config.Get] gives a
// setting with its [Origin], [Config.Target] a server. Whatever is wrong is reported at once, each with its place, as an
// [*Error]. Passwords are in the fields that need them, in no format and in no error.
package config

import (
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	envPrefix   = "RIG_"
	paramPrefix = "RIG_PARAM_"
	passwordEnv = "RIG_PASSWORD"
	minInt      = -1 << 63
)

// Config is the settings of a run. It does not change, so that goroutines may share it.
type Config struct {
	root      string
	values    map[string]Value
	params    map[string]Value // of profile and files
	envParams map[string]Value // by their names in lower case
	targets   map[string]Target
	password  string // RIG_PASSWORD
	warnings  []string
	profiles  []string
}

// TargetNames gives the names of the targets in the files, sorted.
func (c *Config) TargetNames() []string { return c.targetNames() }

// ProfileNames gives the names of the profiles in the files, sorted.
func (c *Config) ProfileNames() []string { return slices.Clone(c.profiles) }

// Warnings tell what is not wrong but likely not meant: variables of the environment whose names are nearly a setting's.
func (c *Config) Warnings() []string { return slices.Clone(c.warnings) }

// Root is the absolute path of the folder of the nearest rig.toml, else of Source.Dir.
func (c *Config) Root() string { return c.root }

// Get gives a setting. A name that is not in [Keys] is a bug and panics.
func (c *Config) Get(name string) Value {
	v, ok := c.values[name]
	if !ok {
		panic("config: no setting is named " + name)
	}
	v.List = slices.Clone(v.List)
	return v
}

func (c *Config) typed(name, want string) Value {
	if k, ok := keyNamed(name); ok && k.Type != want {
		panic("config: the setting " + name + " is of type " + k.Type + ", not " + want)
	}
	return c.Get(name)
}

// String gives the text of a setting of any type.
func (c *Config) String(name string) string { return c.Get(name).Text }

// Int gives a setting of type int, max-bytes in bytes. A seed that is not set is 0 with an empty Text.
func (c *Config) Int(name string) int {
	v := c.typed(name, typeInt)
	k, _ := keyNamed(name)
	i, _ := k.integer(v.Text) // checked by Load
	return int(i)
}

// Bool gives a setting of type bool.
func (c *Config) Bool(name string) bool { return c.typed(name, typeBool).Text == "true" }

// Duration gives a setting of type duration, always more than 0.
func (c *Config) Duration(name string) time.Duration {
	d, _ := time.ParseDuration(c.typed(name, typeDuration).Text) // checked by Load
	return d
}

// List gives a setting of type strings; the caller owns it.
func (c *Config) List(name string) []string { return c.typed(name, typeStrings).List }

// Param gives a parameter of scripts by its name there (test_rows), where the environment, the profile or a file sets it.
func (c *Config) Param(name string) (Value, bool) {
	v, ok := c.envParams[strings.ToLower(name)]
	if !ok {
		v, ok = c.params[name]
	}
	if !ok {
		return Value{}, false
	}
	v.Name, v.List = name, slices.Clone(v.List)
	return v, true
}

// ParamNames gives the names of all parameters that the environment, the profile or a file sets, sorted, so that those
// which no script has can be reported. The environment does not keep the case of a name: it is lower there.
func (c *Config) ParamNames() []string {
	names := slices.Collect(maps.Keys(c.params))
	for env := range c.envParams {
		if !slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, env) }) {
			names = append(names, env)
		}
	}
	slices.Sort(names)
	return names
}

// All gives everything for showing: the settings in the order of [Keys], then params.NAME, then targets.NAME. What is or
// may be secret is marked so.
func (c *Config) All() []Value {
	var all []Value
	for _, k := range Keys() {
		all = append(all, c.Get(k.Name))
	}
	for _, name := range c.ParamNames() {
		v, _ := c.Param(name)
		v.Name = "params." + name
		v.Secret = looksSecret(name) || slices.ContainsFunc(v.List, hiddenAddress)
		all = append(all, v)
	}
	for _, name := range c.targetNames() {
		t := c.targets[name]
		all = append(all, Value{Name: "targets." + name, Text: t.Safe(), List: []string{t.Safe()}, Origin: t.Origin})
	}
	return all
}

func hiddenAddress(text string) bool {
	return isAddress(text) && strings.Contains(text, "@") && hidden(text)
}

// looksSecret guesses by the name of a parameter; only the script that declares it knows.
func looksSecret(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc([]string{"pass", "pwd", "secret", "token", "api_key"}, func(s string) bool {
		return strings.Contains(name, s)
	})
}

func (c *Config) targetNames() []string { return slices.Sorted(maps.Keys(c.targets)) }

// Format writes one setting a line whatever the verb, without secrets.
func (c Config) Format(f fmt.State, _ rune) {
	for _, v := range c.All() {
		fmt.Fprintln(f, v)
	}
}

// LogValue gives the settings without secrets.
func (c Config) LogValue() slog.Value {
	var attrs []slog.Attr
	for _, v := range c.All() {
		attrs = append(attrs, slog.Any(v.Name, v))
	}
	return slog.GroupValue(attrs...)
}
