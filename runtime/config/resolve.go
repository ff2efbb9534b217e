package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Target gives the server that a text means: a URL (with ://), a driver's DSN (with @, ( or /), a kind, or a name from
// [targets]; "" is the setting target. A server that exists and has no password gets the one of RIG_PASSWORD. The error
// is a [*Problem] that holds no password.
func (c *Config) Target(text string) (Target, error) {
	setting := c.Get("target")
	var origin Origin
	if text == "" || text == setting.Text {
		text, origin = setting.Text, setting.Origin
	}
	t, err := c.find(text)
	if err != nil {
		p := *err
		p.Where, p.Message = origin.Where, "target: "+p.Message
		return Target{}, &p
	}
	if t.Origin == (Origin{}) {
		t.Origin = origin
	}
	t.Options, t.Params = maps.Clone(t.Options), maps.Clone(t.Params)
	return c.withPassword(t)
}

func (c *Config) find(text string) (Target, *Problem) {
	// The user of a driver's DSN may be called mock.
	if path, ok := strings.CutPrefix(text, mockPrefix); ok && (!isAddress(text) || strings.HasSuffix(path, ".star")) {
		if !strings.HasSuffix(path, ".star") {
			return Target{}, &Problem{Message: "mock: goes before a file of rules", Hint: "write mock:rules.star, a file that defines rules = [...]"}
		}
		return Target{Name: text, Kind: kindMock, Address: path}, nil
	}
	if isAddress(text) {
		t, err := parseAddress(text)
		if p, ok := err.(*Problem); ok && p != nil {
			return Target{}, p
		}
		return t, nil
	}
	if text == kindDSN {
		return Target{}, &Problem{Message: "dsn alone does not say where the server is", Hint: urlHint}
	}
	if slices.Contains(kinds(), text) {
		return Target{Name: text, Kind: text}, nil
	}
	if t, ok := c.targets[text]; ok {
		return t, nil
	}
	if !targetName(text) {
		// Perhaps a torn address: it may hold a password.
		return Target{}, &Problem{Message: "it is neither a kind, nor a name, nor an address", Hint: urlHint}
	}
	names := append(kinds()[:len(kinds())-1], c.targetNames()...)
	hint := didYouMean(text, names)
	if hint == "" {
		hint = "the targets are " + strings.Join(names, ", ") + ", or a mysql:// URL"
	}
	return Target{}, &Problem{Message: fmt.Sprintf("unknown target %q", clip(text)), Hint: hint}
}

// withPassword adds the password that the address leaves to a file or to the environment.
func (c *Config) withPassword(t Target) (Target, error) {
	switch {
	case t.Kind != kindDSN || t.HasPassword:
	case t.PasswordFile != "":
		data, p := readBounded(t.PasswordFile)
		if p != nil {
			return Target{}, t.problem("password-file "+t.PasswordFile+": "+strings.TrimPrefix(p.Message, "read the configuration: "), p.Hint)
		}
		password := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
		t.Password, t.HasPassword = password, true
	case c.password != "":
		t.Password, t.HasPassword = c.password, true
	}
	return t, nil
}
