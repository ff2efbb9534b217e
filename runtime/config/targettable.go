package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// fields are the keys of a target's table, with the shapes that each takes.
func fields() []struct {
	name   string
	shapes []shape
} {
	text := []shape{shapeText}
	return []struct {
		name   string
		shapes []shape
	}{
		{"kind", text},
		{"url", text},
		{"dsn", text},
		{"host", text},
		{"port", []shape{shapeInteger}},
		{"socket", text},
		{"user", text},
		{"password", text},
		{"password-file", text},
		{"database", text},
		{"tls", []shape{shapeText, shapeBool}},
		{"tls-ca", text},
		{"tls-cert", text},
		{"tls-key", text},
		{"tls-server-name", text},
		{"options", []shape{shapeTable}},
		{"binary", text},
		{"tcp", []shape{shapeBool}},
	}
}

func fieldNames() []string {
	var names []string
	for _, f := range fields() {
		names = append(names, f.name)
	}
	return names
}

// The keys that only some kinds have.
func addressFields() []string {
	return []string{"url", "dsn", "host", "port", "socket", "user", "password", "password-file", "database", "tls", "tls-ca", "tls-cert", "tls-key", "tls-server-name"}
}

func serverFields() []string { return []string{"options", "binary", "tcp"} }

// targetTable reads one [targets.NAME].
type targetTable struct {
	f    *file
	name string
	at   span
	has  map[string]*entry
	bad  bool
}

func (f *file) checkTarget(e *entry) {
	t := &targetTable{f: f, name: e.key, at: e.at, has: map[string]*entry{}}
	f.broken[e.key] = true
	switch {
	case !targetName(e.key):
		t.problem(e.at, fmt.Sprintf("the target %q has a name that cannot be told from an address", clip(e.key)), "letters, digits, ., _ and - only")
	case slices.Contains(kinds(), e.key):
		t.problem(e.at, fmt.Sprintf("a target cannot be named %q: that is a kind of target", e.key), "choose a name of your own and say kind = "+strconv.Quote(e.key))
	}
	if !f.isTable(e, "targets."+e.key) {
		return
	}
	t.collect(e.value)
	target := t.build()
	target.Origin = f.origin(layerFile, e.at)
	if !t.bad {
		delete(f.broken, e.key)
		f.targets[e.key] = target
	}
}

// targetName reports whether s can be the name of a target: hosts have the same shape.
func targetName(s string) bool { return hostShape.MatchString(s) }

func (t *targetTable) problem(at span, message, hint string) {
	t.bad = true
	t.f.problem(at, message, hint)
}

// missing notes what is not there, unless the table has a problem that may be why.
func (t *targetTable) missing(message, hint string) {
	if !t.bad && !t.f.cut {
		t.problem(t.at, message, hint)
	}
	t.bad = true
}

// wrong notes a problem with a key's value.
func (t *targetTable) wrong(field, message, hint string) {
	t.problem(t.has[field].value.at, message, hint)
}

// collect sorts the entries by name and checks their shapes.
func (t *targetTable) collect(table *node) {
	for _, e := range table.entries {
		i := slices.Index(fieldNames(), e.key)
		if i < 0 {
			hint := didYouMean(e.key, fieldNames())
			if _, ok := keyNamed(e.key); ok {
				hint = e.key + " is a setting of the run: write it above the first [table]"
			}
			t.problem(e.at, fmt.Sprintf("unknown key %q", clip(e.key)), hint)
			continue
		}
		if e.value.broken {
			t.bad = true
			continue
		}
		want := fields()[i].shapes
		if !slices.Contains(want, e.value.shape) {
			t.problem(e.value.at, fmt.Sprintf("%s takes %s, not %s", e.key, want[0], e.value.shape), "")
			continue
		}
		if e.value.shape == shapeText && e.value.text == "" && e.key != "password" {
			t.problem(e.value.at, e.key+" is empty", "leave it out")
			continue
		}
		t.has[e.key] = e
	}
}

func (t *targetTable) text(field string) string {
	if e := t.has[field]; e != nil {
		return e.value.text
	}
	return ""
}

// first is the first of the fields that is there.
func (t *targetTable) first(fields ...string) *entry {
	for _, f := range fields {
		if e := t.has[f]; e != nil {
			return e
		}
	}
	return nil
}

// build makes the target. It goes on after a problem where the rest still means something.
func (t *targetTable) build() Target {
	kind := t.kind()
	switch {
	case kind == "":
		return Target{}
	case kind == kindDSN:
		if e := t.first(serverFields()...); e != nil {
			t.problem(e.at, e.key+" is for servers that rig starts, and this one exists already", "name the kind of server that rig shall start: kind = \"mariadb\"")
		}
		return t.existing()
	}
	if e := t.first(addressFields()...); e != nil {
		t.problem(e.at, fmt.Sprintf("kind = %q makes a server of its own, so it has no %s", kind, e.key), "to reach a server that runs already leave kind out")
	}
	if e := t.first(serverFields()...); kind == kindEmbedded && e != nil {
		t.problem(e.at, "the embedded engine has no "+e.key, "options, binary and tcp are for mariadb, mysql, dolt and tidb")
	}
	return Target{Name: t.name, Kind: kind, Binary: t.binary(), TCP: t.text("tcp") == "true", Options: t.options()}
}

// kind is the one given, or dsn where there is an address.
func (t *targetTable) kind() string {
	switch kind := t.text("kind"); {
	case kind == "" && t.first("url", "dsn", "host", "socket") != nil:
		return kindDSN
	case kind == "":
		t.missing(fmt.Sprintf("the target %q has neither a kind nor an address", clip(t.name)), "give kind ("+oneOf(kinds()[:5])+"), url, dsn, host or socket")
		return ""
	case kind != "" && !slices.Contains(kinds(), kind):
		hint := didYouMean(kind, kinds())
		if hint == "" {
			hint = "the kinds are " + strings.Join(kinds(), ", ")
		}
		t.wrong("kind", fmt.Sprintf("unknown kind %q", clip(kind)), hint)
		return ""
	default:
		return kind
	}
}

// existing makes a target of kind dsn.
func (t *targetTable) existing() Target {
	target := t.address()
	target.Name, target.Kind = t.name, kindDSN
	t.password(&target)
	t.tls(&target)
	return target
}

// address reads the one way to the server that the table gives.
func (t *targetTable) address() Target {
	ways := []string{"url", "dsn", "host", "socket"}
	way := t.first(ways...)
	if way == nil {
		t.missing(fmt.Sprintf("the target %q has no address", clip(t.name)), "give url, dsn, host or socket")
		return Target{}
	}
	for _, other := range ways {
		if e := t.has[other]; e != nil && e != way {
			t.problem(e.at, way.key+" and "+other+" are given, and a server is reached by one of them", "leave one out")
		}
	}
	if e := t.has["port"]; e != nil && way.key == "socket" {
		t.problem(e.at, "a socket has no port", "")
	}
	if way.key == "host" || way.key == "socket" {
		return t.parts(way)
	}
	if e := t.first("port", "user", "database"); e != nil {
		t.problem(e.at, e.key+" belongs into the "+way.key, "")
	}
	parse := ParseURL
	if way.key == "dsn" {
		parse = ParseDSN
	}
	target, err := parse(way.value.text)
	t.note(way.key, err)
	return target
}

// parts makes the target of host and port, or of a socket.
func (t *targetTable) parts(way *entry) Target {
	target := Target{User: t.text("user"), Database: t.text("database")}
	if way.key == "socket" {
		t.note(way.key, target.unix(way.value.text))
		return target
	}
	host, port := strings.Trim(way.value.text, "[]"), defaultPort
	if e := t.has["port"]; e != nil {
		port = e.value.text
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		t.wrong("port", "port must be from 1 to 65535", "")
		port = defaultPort
	}
	if strings.Count(host, ":") == 1 {
		t.wrong("host", "the host has a colon", "give the port by itself: port = 3306")
		return target
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	t.note("host", target.tcp(host+":"+port))
	return target
}

// note takes over the message of a parser.
func (t *targetTable) note(field string, err error) {
	if p, ok := err.(*Problem); ok && p != nil {
		t.wrong(field, p.Message, p.Hint)
	}
}

func (t *targetTable) password(target *Target) {
	given := t.first("password", "password-file")
	if given == nil {
		return
	}
	if target.HasPassword {
		t.problem(given.at, given.key+" is given, and the address has a password too", "leave one out")
		return
	}
	if e := t.has["password-file"]; e != nil {
		target.PasswordFile = t.f.path(e.value.text)
	}
	if e := t.has["password"]; e != nil {
		target.Password, target.HasPassword = e.value.text, true
		if f := t.has["password-file"]; f != nil {
			t.problem(f.at, "password and password-file are given", "leave one out")
		}
	}
}

// tls takes the table's settings; where the address has some too they must not meet.
func (t *targetTable) tls(target *Target) {
	given := t.first("tls", "tls-ca", "tls-cert", "tls-key", "tls-server-name")
	if given == nil {
		return
	}
	if target.TLS != (TLS{}) {
		t.problem(given.at, given.key+" is given, and the address has settings of TLS too", "give them in one place")
		return
	}
	c := TLS{CA: t.f.path(t.text("tls-ca")), Cert: t.f.path(t.text("tls-cert")), Key: t.f.path(t.text("tls-key")), ServerName: t.text("tls-server-name")}
	if mode := t.text("tls"); mode != "" {
		var err error
		c.Mode, err = tlsMode(mode)
		t.note("tls", err)
	}
	if name, why := c.conflict(); why != "" {
		t.problem(t.has[name].at, why, "")
	}
	target.TLS = c
}

// path makes a path of the file absolute: it starts from the file's folder.
func (f *file) path(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(f.dir, p)
}

// binary is a name for PATH, or a path.
func (t *targetTable) binary() string {
	b := t.text("binary")
	if !strings.ContainsRune(b, '/') {
		return b
	}
	return t.f.path(b)
}

func (t *targetTable) options() map[string]string {
	e := t.has["options"]
	if e == nil {
		return nil
	}
	options := map[string]string{}
	for _, o := range e.value.entries {
		if !slices.Contains([]shape{shapeText, shapeInteger, shapeBool}, o.value.shape) {
			t.problem(o.at, fmt.Sprintf("the option %q takes a text, an integer, true or false, not %s", clip(o.key), o.value.shape), "")
			continue
		}
		options[o.key] = o.value.text
	}
	return options
}
