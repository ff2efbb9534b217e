package server

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"rig/runtime/fault"
)

func capabilitiesFor(typ, version, kind string) *Capabilities {
	return capabilitiesOf(typ, found{kind: typ, version: version, infile: true}, kind)
}

func TestCheck(t *testing.T) {
	mariadb := capabilitiesFor(MariaDB, "10.5.12", MariaDB)
	embedded := capabilitiesFor(Embedded, "8.0.31", Embedded)
	tidb := capabilitiesFor(TiDB, "7.5.1", DSN)
	mysql := capabilitiesFor(MySQL, "8.0.36", DSN)
	for _, tt := range []struct {
		on          *Capabilities
		requirement string
		why         string // "" is ok
	}{
		{mariadb, "row_locks", ""},
		{embedded, "row_locks", "needs row_locks, which embedded 8.0.31 lacks"},
		{embedded, "!row_locks", ""},
		{mariadb, "!row_locks", "needs a server without row_locks, this is mariadb 10.5.12"},
		{mariadb, "mariadb", ""},
		{mariadb, "mariadb>=10.6", "needs mariadb>=10.6, this is mariadb 10.5.12"},
		{mariadb, "mariadb >= 10.5", ""},
		{mariadb, "mariadb==10.5", ""},
		{mariadb, "mariadb>10.5", "needs mariadb>10.5, this is mariadb 10.5.12"},
		{mariadb, "mariadb!=10.5", "needs mariadb!=10.5, this is mariadb 10.5.12"},
		{mariadb, "mariadb<=10.5", ""},
		{mariadb, "mariadb<10.5.13", ""},
		{mariadb, "mariadb>=9.99", ""},
		{mysql, "mysql<8", "needs mysql<8, this is mysql 8.0.36"},
		{mysql, "mariadb>=10.6", "needs mariadb>=10.6, this is mysql 8.0.36"},
		{embedded, "embedded", ""},
		{embedded, "!embedded", "needs !embedded, this is embedded 8.0.31"},
		{mariadb, "!embedded", ""},
		{mariadb, "!mariadb<10.6", "needs !mariadb<10.6, this is mariadb 10.5.12"},
		{tidb, "tidb", ""},
		{tidb, "check_constraints", ""},
		{tidb, "foreign_keys", "needs foreign_keys, which tidb 7.5.1 lacks"},
		{tidb, "isolation:serializable", "needs serializable, which tidb 7.5.1 lacks"},
		{tidb, "isolation_read_committed", ""},
		{mariadb, "skip_locked", "needs skip_locked, which mariadb 10.5.12 lacks"},
		{mariadb, "server_control", ""},
		{embedded, "server_control", "needs server_control, which a server that rig starts as a process has (this is embedded 8.0.31)"},
		{tidb, "throw_away", "needs throw_away, which a server that rig starts as a process has (this is tidb 7.5.1)"},
	} {
		ok, why, err := tt.on.Check(tt.requirement)
		if err != nil || ok != (tt.why == "") || why != tt.why {
			t.Errorf("%s on %s: %v, %q, %v; want %q", tt.requirement, tt.on.server(), ok, why, err, tt.why)
		}
		if err := Means(tt.requirement); err != nil {
			t.Errorf("%s: %v", tt.requirement, err)
		}
	}
}

func TestCheckUnknown(t *testing.T) {
	c := capabilitiesFor(MariaDB, "10.11.14", MariaDB)
	for requirement, hint := range map[string]string{
		"row_lock":       `did you mean "row_locks"?`,
		"mariabd>=10.6":  `did you mean "mariadb"?`,
		"mariadb>=ten":   `did you mean "mariadb"?`,
		"xyzzy":          "there are embedded, mariadb",
		"":               "there are embedded, mariadb",
		"savepoints>=10": "",
		"mariadb>=":      "",
		"!":              "there are",
	} {
		ok, why, err := c.Check(requirement)
		var e *fault.Error
		if ok || why != "" || !errors.As(err, &e) || e.Kind != fault.BadArgument || !strings.Contains(e.Hint, hint) {
			t.Errorf("%q: %v, %q, %v", requirement, ok, why, err)
			continue
		}
		if without := Means(requirement); without == nil || without.Error() != err.Error() {
			t.Errorf("%q: without a server %v, with one %v", requirement, without, err)
		}
		if hint != "" && !strings.Contains(e.Hint, "skip_locked") {
			t.Errorf("%q: the list is not in %q", requirement, e.Hint)
		}
	}
}

func TestList(t *testing.T) {
	for _, typ := range Kinds() {
		c := capabilitiesFor(typ, "99", DSN)
		if c.Has("no such") {
			t.Error("an unknown name is had")
		}
		list := c.List()
		if !slices.IsSorted(list) || len(list) == 0 {
			t.Errorf("%s: %v", typ, list)
		}
		for _, n := range Names() {
			if n[1] == "" {
				t.Errorf("%s has no description", n[0])
			}
			if c.Has(n[0]) != slices.Contains(list, n[0]) {
				t.Errorf("%s: %s is in Has and not in List, or the other way", typ, n[0])
			}
			if _, _, err := c.Check(n[0]); err != nil {
				t.Errorf("%s is listed and unknown: %v", n[0], err)
			}
		}
	}
}

func TestIdentify(t *testing.T) {
	for _, tt := range []struct{ version, comment, kind, want string }{
		{"10.11.14-MariaDB-0+deb12u2", "Debian 12", MariaDB, "10.11.14"},
		{"5.5.5-10.6.12-MariaDB", "", MariaDB, "10.6.12"},
		{"8.0.36", "MySQL Community Server - GPL", MySQL, "8.0.36"},
		{"8.0.36-28", "Percona Server (GPL), Release 28", MySQL, "8.0.36"},
		{"8.0.11-TiDB-v7.5.1", "TiDB Server (Apache License 2.0)", TiDB, "7.5.1"},
		{"8.0.33", "Dolt", Dolt, "8.0.33"},
	} {
		if f := identify(tt.version, tt.comment); f.kind != tt.kind || f.version != tt.want {
			t.Errorf("%s %s: %+v", tt.version, tt.comment, f)
		}
	}
}

func TestUnknownKind(t *testing.T) {
	_, err := Start(t.Context(), Spec{Kind: "mariabd"}, nil)
	var e *fault.Error
	if !errors.As(err, &e) || e.Kind != fault.BadArgument || e.Hint != `did you mean "mariadb"?` {
		t.Errorf("got %v", err)
	}
}

func TestAddressHidesPassword(t *testing.T) {
	a := Address{Network: "tcp", Addr: "h:1", User: "u", Password: secret, Database: "d"}
	s := Spec{Kind: DSN, Address: a}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, v := range []any{a, &a, s, &s, []Address{a}, map[string]Address{"x": a}} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, secret) || strings.Contains(text, fmt.Sprintf("%x", secret)) {
				t.Errorf("%s of %T shows the password: %s", verb, v, text)
			}
		}
	}
	if a.String() != "u@h:1/d" || a.GoString() != a.String() || a.LogValue().String() != a.String() {
		t.Errorf("String is %s", a)
	}
}
