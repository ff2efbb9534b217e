package server

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"rig/runtime/fault"
)

// Capabilities tells what a server can do. It does not change.
type Capabilities struct {
	typ, version string
	infile       bool
	have         map[string]bool
}

func capabilitiesOf(typ string, f found, kind string) *Capabilities {
	c := &Capabilities{typ: typ, version: f.version, infile: f.infile, have: map[string]bool{}}
	for _, row := range table() {
		since := row.since(typ)
		c.have[row.name] = since != no && compare(f.version, since) >= 0
	}
	if typ == Mock { // whatever is asked of it, rules answer
		for _, row := range table() {
			c.have[row.name] = true
		}
	}
	c.have["load_data"] = c.have["load_data"] && f.infile
	c.have[throwAway] = kind != DSN
	c.have[serverControl] = kind != DSN && kind != Embedded && kind != Mock
	return c
}

// canonical takes the prefix from an isolation level: "isolation:serializable" and "isolation_serializable" are "serializable".
func canonical(name string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	for _, prefix := range []string{"isolation:", "isolation_"} {
		if level, ok := strings.CutPrefix(name, prefix); ok {
			return level
		}
	}
	return name
}

// Has reports whether the server has a capability; a name that means nothing is none.
func (c *Capabilities) Has(name string) bool { return c.have[canonical(name)] }

// List gives the capabilities that the server has, in order.
func (c *Capabilities) List() []string {
	var out []string
	for n, ok := range c.have {
		if ok {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out
}

// requirement is a name with an optional "!" before it and an optional comparison behind.
var requirementForm = regexp.MustCompile(`^(!?)\s*([A-Za-z][A-Za-z_:]*)\s*(?:(>=|<=|==|!=|>|<)\s*([0-9]+(?:\.[0-9]+)*))?$`)

// Check tests a requirement: a capability, or a server with an optional version, such as "row_locks", "mariadb>=10.6",
// "mysql<8" or "!embedded". A version counts as far as it is written: 10.11.14 is ==10.11, and is not >10.11. why says what
// is lacking. A requirement that means nothing is a *fault.Error.
func (c *Capabilities) Check(requirement string) (ok bool, why string, err error) {
	form := requirementForm.FindStringSubmatch(strings.TrimSpace(requirement))
	if form == nil {
		return false, "", unknownRequirement(requirement, requirement)
	}
	not, name, op, version := form[1] != "", canonical(form[2]), form[3], form[4]
	has, isCapability := c.have[name]
	switch {
	case isCapability && op == "":
		ok = has != not
		why = c.lacks(name, not)
	case name == Mock || slices.Contains(Kinds(), name):
		is := name == c.typ && (op == "" || compareOp(compare(c.version, version), op))
		ok = is != not
		why = fmt.Sprintf("needs %s, this is %s", strings.TrimSpace(requirement), c.server())
	default:
		return false, "", unknownRequirement(requirement, name)
	}
	if ok {
		return true, "", nil
	}
	return false, why, nil
}

// Means tells a requirement that means something, whatever a server has, from one that does not: the error is that of
// [Capabilities.Check].
func Means(requirement string) error {
	_, _, err := capabilitiesOf(Mock, found{}, Mock).Check(requirement)
	return err
}

func (c *Capabilities) lacks(name string, not bool) string {
	switch {
	case not:
		return fmt.Sprintf("needs a server without %s, this is %s", name, c.server())
	case name == "load_data" && !c.infile:
		return fmt.Sprintf("needs load_data, which %s lacks while its local_infile is off", c.server())
	case name == throwAway || name == serverControl:
		return fmt.Sprintf("needs %s, which a server that rig starts as a process has (this is %s)", name, c.server())
	}
	return fmt.Sprintf("needs %s, which %s lacks", name, c.server())
}

func unknownRequirement(requirement, name string) error {
	names := Kinds()
	for _, n := range Names() {
		names = append(names, n[0])
	}
	if slices.Contains(names, canonical(name)) {
		return fault.New(fault.BadArgument, "requires", fmt.Sprintf("%q compares a capability, which has no version", requirement))
	}
	e := fault.New(fault.BadArgument, "requires", fmt.Sprintf("%q is no capability and no server", requirement))
	list := "there are " + strings.Join(names, ", ")
	if near := fault.Suggest(name, names); near != "" {
		return e.WithHint(fmt.Sprintf("did you mean %q? %s", near, list))
	}
	return e.WithHint(list)
}

func (c *Capabilities) server() string { return strings.TrimSpace(c.typ + " " + c.version) }

func compareOp(c int, op string) bool {
	switch op {
	case ">=":
		return c >= 0
	case "<=":
		return c <= 0
	case "==":
		return c == 0
	case "!=":
		return c != 0
	case ">":
		return c > 0
	}
	return c < 0
}
