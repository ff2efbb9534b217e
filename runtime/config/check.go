package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Never written to.
var (
	bareNumber = regexp.MustCompile(`^-?[0-9]+$`)
	identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// check takes the tree's settings and notes whatever does not fit.
func (f *file) check() {
	f.checkSettings(f.root, layerFile, f.layer, "profiles", "targets")
	if e := f.table("profiles"); e != nil {
		for _, p := range e.value.entries {
			if f.isTable(p, "profiles."+p.key) {
				l := newLayer()
				f.profiles[p.key] = l
				f.checkSettings(p.value, layerProfile, l)
			}
		}
	}
	if e := f.table("targets"); e != nil {
		for _, t := range e.value.entries {
			f.checkTarget(t)
		}
	}
}

// table is a top-level table; nil where there is none.
func (f *file) table(name string) *entry {
	e := f.root.find(name)
	if e == nil || !f.isTable(e, name) {
		return nil
	}
	return e
}

func (f *file) isTable(e *entry, name string) bool {
	if e.value.shape == shapeTable {
		return true
	}
	f.problem(e.at, fmt.Sprintf("%s is a table, not %s", clip(name), e.value.shape), "")
	return false
}

// checkSettings takes the settings of one table; tables are the names that it may have besides.
func (f *file) checkSettings(table *node, from string, into layer, tables ...string) {
	names := append(keyNames(), append(tables, "params")...)
	for _, e := range table.entries {
		k, ok := keyNamed(e.key)
		switch {
		case ok:
			f.checkSetting(k, e, from, into)
		case e.key == "params":
			if f.isTable(e, "params") {
				f.checkParams(e.value, from, into)
			}
		case !slices.Contains(tables, e.key):
			f.problem(e.at, fmt.Sprintf("unknown key %q", clip(e.key)), unknownHint(e.key, names))
		}
	}
}

func unknownHint(key string, names []string) string {
	if key == "targets" || key == "profiles" {
		return "a profile has settings and params; " + key + " stand at the top of the file"
	}
	return didYouMean(key, names)
}

func (f *file) checkSetting(k Key, e *entry, from string, into layer) {
	if e.value.broken {
		return
	}
	texts, bad := k.accept(e.value)
	if bad != nil {
		f.problem(bad.at, fmt.Sprintf("%s takes %s, not %s", k.Name, k.wants(), bad.shape), k.quotes(bad))
		return
	}
	v, p := k.value(texts, f.origin(from, e.at))
	if p != nil {
		f.problem(e.value.at, p.Message, p.Hint)
		return
	}
	into.settings[k.Name] = v
}

// accept gives the texts of a value of the right shape, else the part of it that is wrong.
func (k Key) accept(n *node) (texts []string, bad *node) {
	switch {
	case k.Type == typeStrings && n.shape == shapeList:
		texts = []string{}
		for _, i := range n.items {
			if i.shape != shapeText {
				return nil, i
			}
			texts = append(texts, i.text)
		}
		return texts, nil
	case n.shape == shapeText && (k.Type == typeString || k.Type == typeStrings || k.Type == typeDuration || k.sized),
		n.shape == shapeInteger && (k.Type == typeInt || k.Type == typeDuration),
		n.shape == shapeBool && k.Type == typeBool:
		return []string{n.text}, nil
	}
	return nil, n
}

// quotes is the hint for a value of the wrong shape that only the quotes make so.
func (k Key) quotes(n *node) string {
	switch {
	case n.shape == shapeText && (k.Type == typeInt || k.Type == typeBool):
		return "write it without quotes"
	case n.scalar() && (k.Type == typeString || k.Type == typeStrings):
		return "write it in quotes"
	}
	return ""
}

// wants says what a key's value is.
func (k Key) wants() string {
	switch {
	case k.sized:
		return `an integer or a size such as "16MiB"`
	case k.Type == typeInt:
		return "an integer"
	case k.Type == typeBool:
		return "true or false"
	case k.Type == typeDuration:
		return `a duration such as "30s"`
	case k.Type == typeStrings:
		return "a text or a list of texts"
	}
	return "a text"
}

// value checks the texts of a key's value; the problem has no place yet.
func (k Key) value(texts []string, o Origin) (Value, *Problem) {
	if k.Type == typeStrings {
		return listValue(k.Name, texts, o), nil
	}
	text := texts[0]
	v := Value{Name: k.Name, Text: text, List: texts, Origin: o}
	var p *Problem
	switch k.Type {
	case typeInt:
		_, p = k.integer(text)
	case typeBool:
		v.Text, p = k.truth(text)
	case typeDuration:
		v.Text, p = k.duration(text)
	default:
		p = k.choice(text)
		v.Secret = k.Name == "target" && hidden(text)
	}
	v.List = []string{v.Text}
	return v, p
}

// hidden reports whether a target's text has a password, or may have one.
func hidden(text string) bool {
	if !isAddress(text) {
		return !targetName(text)
	}
	t, err := parseAddress(text)
	return err != nil || t.HasPassword
}

func (k Key) choice(text string) *Problem {
	if text == "" {
		return &Problem{Message: k.Name + " is empty"}
	}
	if k.Choices == nil || slices.Contains(k.Choices, text) {
		return nil
	}
	return &Problem{Message: fmt.Sprintf("%s must be %s, not %q", k.Name, oneOf(k.Choices), clip(text)), Hint: didYouMean(text, k.Choices)}
}

func (k Key) truth(text string) (string, *Problem) {
	switch strings.ToLower(text) {
	case "true", "1", "yes", "on":
		return "true", nil
	case "false", "0", "no", "off":
		return "false", nil
	}
	return "", &Problem{Message: fmt.Sprintf("%s must be true or false, not %q", k.Name, clip(text))}
}

// duration takes Go's form, or a bare number of seconds, to which it adds the unit.
func (k Key) duration(text string) (string, *Problem) {
	if bareNumber.MatchString(text) {
		text += "s"
	}
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return "", &Problem{Message: fmt.Sprintf("%s has a bad duration %q", k.Name, clip(text)), Hint: `write it as "500ms", "30s", "5m" or "1h30m"`}
	case d <= 0:
		return "", &Problem{Message: k.Name + " must be longer than 0", Hint: "every wait has a bound; make it long"}
	}
	return text, nil
}

// sizes are the units of a size in bytes, the longer first.
func sizes() []struct {
	unit  string
	bytes int64
} {
	return []struct {
		unit  string
		bytes int64
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}}
}

func (k Key) integer(text string) (int64, *Problem) {
	number, factor := text, int64(1)
	if k.sized {
		for _, s := range sizes() {
			if n, ok := strings.CutSuffix(text, s.unit); ok {
				number, factor = strings.TrimSpace(n), s.bytes
			}
		}
	}
	i, err := strconv.ParseInt(number, 10, 64)
	switch {
	case err != nil:
		return 0, &Problem{Message: fmt.Sprintf("%s takes %s, not %q", k.Name, k.wants(), clip(text))}
	case i*factor/factor != i:
		return 0, &Problem{Message: k.Name + " has more than 64 bits"}
	case i*factor < k.least:
		return 0, &Problem{Message: fmt.Sprintf("%s must be at least %d, not %d", k.Name, k.least, i)}
	}
	return i * factor, nil
}

// paramName is a parameter's name as scripts write it; false where it cannot be one.
func paramName(key string) (string, bool) {
	name := strings.ReplaceAll(key, "-", "_")
	return name, identifier.MatchString(name)
}

// checkParams takes a table of parameters; what each may be only the script knows.
func (f *file) checkParams(table *node, from string, into layer) {
	at := map[string]span{}
	for _, e := range table.entries {
		name, ok := paramName(e.key)
		if !ok {
			f.problem(e.at, fmt.Sprintf("the parameter %q has a name that no script can give", clip(e.key)), "letters, digits and _ only, such as test_rows")
			continue
		}
		if first, twice := at[name]; twice {
			f.duplicate(e.at, e.key, first)
			continue
		}
		at[name] = e.at
		if e.value.broken {
			continue
		}
		texts, ok := e.value.texts()
		if !ok {
			f.problem(e.at, fmt.Sprintf("the parameter %q takes a text, a number, true or false, or a list of them, not %s", clip(e.key), e.value.shape), "")
			continue
		}
		v := listValue(name, texts, f.origin(from, e.at))
		into.params[name] = v
	}
}
