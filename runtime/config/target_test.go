package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAddresses(t *testing.T) {
	tests := []struct {
		text, network, address, user, password, database, safe string
	}{
		{"mysql://u:p@db:3307/shop", "tcp", "db:3307", "u", "p", "shop", "mysql://u@db:3307/shop"},
		{"mysql://u:pa%40ss%2F%3A@db/shop", "tcp", "db:3306", "u", "pa@ss/:", "shop", "mysql://u@db:3306/shop"},
		{"mysql://u:p@ss:w@db/shop", "tcp", "db:3306", "u", "p@ss:w", "shop", "mysql://u@db:3306/shop"},
		{"mysql://u:p+%2B@db/a%20b", "tcp", "db:3306", "u", "p++", "a b", "mysql://u@db:3306/a%20b"},
		{"MariaDB://u@db", "tcp", "db:3306", "u", "", "", "mysql://u@db:3306/"},
		{"tidb://db:4000", "tcp", "db:4000", "", "", "", "mysql://db:4000/"},
		{"dolt://[::1]:3307/x", "tcp", "[::1]:3307", "", "", "x", "mysql://[::1]:3307/x"},
		{"mysql://u@[fe80::1%25eth0]/x", "tcp", "", "", "", "", ""},
		{"mysql://u@[2001:db8::1]/x", "tcp", "[2001:db8::1]:3306", "u", "", "x", "mysql://u@[2001:db8::1]:3306/x"},
		{"mysql://u:p@/shop?socket=/run/m.sock", "unix", "/run/m.sock", "u", "p", "shop", "mysql://u@/shop?socket=/run/m.sock"},
		{"mysql:///shop?socket=/run/a%20b", "unix", "/run/a b", "", "", "shop", "mysql://@/shop?socket=/run/a%20b"},
		{"mysql://a%40b@db/x%40y", "tcp", "db:3306", "a@b", "", "x@y", "mysql://a%40b@db:3306/x%40y"},
		{"u:p@tcp(db:3307)/shop", "tcp", "db:3307", "u", "p", "shop", "mysql://u@db:3307/shop"},
		{"u:p@ss/w:(d)@tcp(db)/shop", "tcp", "db:3306", "u", "p@ss/w:(d)", "shop", "mysql://u@db:3306/shop"},
		{"u:://@tcp(db)/shop", "tcp", "db:3306", "u", "://", "shop", "mysql://u@db:3306/shop"},
		{"u:p@unix(/run/m.sock)/shop", "unix", "/run/m.sock", "u", "p", "shop", "mysql://u@/shop?socket=/run/m.sock"},
		{"u@tcp([::1]:3306)/", "tcp", "[::1]:3306", "u", "", "", "mysql://u@[::1]:3306/"},
		{"u@/shop", "tcp", "127.0.0.1:3306", "u", "", "shop", "mysql://u@127.0.0.1:3306/shop"},
		{"u@unix/shop", "unix", "/tmp/mysql.sock", "u", "", "shop", "mysql://u@/shop?socket=/tmp/mysql.sock"},
		{"/", "tcp", "127.0.0.1:3306", "", "", "", "mysql://127.0.0.1:3306/"},
		{"tcp(db)/x", "tcp", "db:3306", "", "", "x", "mysql://db:3306/x"},
	}
	for _, tt := range tests {
		got, err := parseAddress(tt.text)
		if tt.address == "" {
			if err == nil {
				t.Errorf("%s: taken as %v", tt.text, got)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		if got.Network != tt.network || got.Address != tt.address || got.User != tt.user || got.Password != tt.password || got.Database != tt.database {
			t.Errorf("%s: %s %s user %q password %q database %q", tt.text, got.Network, got.Address, got.User, got.Password, got.Database)
		}
		if got.HasPassword != (tt.password != "") || got.Kind != "dsn" || got.Safe() != tt.safe {
			t.Errorf("%s: has a password %t, kind %s, safe %s", tt.text, got.HasPassword, got.Kind, got.Safe())
		}
		again, err := ParseURL(got.Safe())
		if err != nil || again.Address != got.Address || again.User != got.User || again.Database != got.Database {
			t.Errorf("%s: the safe form %s reads as %v, %v", tt.text, got.Safe(), again, err)
		}
	}
}

func TestEmptyPassword(t *testing.T) {
	for _, text := range []string{"mysql://u:@db/x", "u:@tcp(db)/x"} {
		if got, err := parseAddress(text); err != nil || !got.HasPassword || got.Password != "" {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}

func TestConnectionParameters(t *testing.T) {
	const both = "charset=utf8mb4&collation=utf8mb4_bin&time_zone=%2B02:00&tls=skip-verify&tls-server-name=x"
	for _, text := range []string{"mysql://u@db/x?" + both, "u@tcp(db)/x?" + both} {
		got, err := parseAddress(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		want := map[string]string{"charset": "utf8mb4", "collation": "utf8mb4_bin", "time_zone": "+02:00"}
		if !maps.Equal(got.Params, want) || got.TLS != (TLS{Mode: "skip-verify", ServerName: "x"}) {
			t.Errorf("%s: %v %v", text, got.Params, got.TLS)
		}
	}
	for query, zone := range map[string]string{"loc=UTC": "+00:00", "loc=Europe%2FBerlin": "Europe/Berlin", "time_zone='%2B01:00'": "+01:00", "time_zone=+01:00": "+01:00", "time_zone=SYSTEM": "SYSTEM"} {
		if got, err := ParseDSN("u@tcp(db)/x?" + query); err != nil || got.Params["time_zone"] != zone {
			t.Errorf("%s: %v, %v", query, got.Params, err)
		}
	}
	for value, mode := range map[string]string{"true": "verify", "1": "verify", "TRUE": "verify", "false": "off", "Off": "off", "preferred": "preferred", "required": "required"} {
		if got, err := ParseURL("mysql://db/?tls=" + value); err != nil || got.TLS.Mode != mode {
			t.Errorf("tls=%s: %v, %v", value, got.TLS, err)
		}
	}
}

// TestAddressErrors checks what is said, and that the password hunter2 is not.
func TestAddressErrors(t *testing.T) {
	tests := []struct{ text, want string }{
		{"postgres://u:hunter2@db/x", `scheme is "postgres"`},
		{"mysql://u:hunter2/x@db/x", "an @ or # after its host"},
		{"mysql://u:hunter2?x@db/x", "an @ or # after its host"},
		{"mysql://u:hunter2#x@db/x", "an @ or # after its host"},
		{"mysql://u:hunter2%zz@db/x", "the password in the URL has a % that is no escape"},
		{"mysql://u%zz:hunter2@db/x", "the user in the URL"},
		{"mysql://u:hunter2@/x", "the URL has no host"},
		{"mysql://", "the URL has no host"},
		{"mysql://u:hunter2@db/x?socket=/a", "a host and a socket"},
		{"mysql://u:hunter2@/x?socket=a", "not absolute"},
		{"mysql://u:hunter2@db:0/x", "the port is not a number from 1 to 65535"},
		{"mysql://u:hunter2@db:65536/x", "the port is not"},
		{"mysql://u:hunter2", "the port is not"},
		{"mysql://u:hunter2@a b/x", "the host is no name"},
		{"mysql://u:hunter2@::1/x", "more than one colon"},
		{"mysql://u:hunter2@[::1/x", "has no ]"},
		{"mysql://u:hunter2@[::1]3306/x", "something other than a port"},
		{"mysql://u:hunter2@[db]/x", "no IPv6 address"},
		{"mysql://u:hunter2@db/x/y", "not the name of a database"},
		{"mysql://u:hunter2@db/x%zz", "not the name of a database"},
		{"mysql://u:hunter2@db/x%00", "zero byte"},
		{"mysql://u:hunter2@db/x?tls", "not name=value"},
		{"mysql://u:hunter2@db/x?tls=true&tls=false", `"tls" is given twice`},
		{"mysql://u:hunter2@db/x?tsl=true", `unknown parameter "tsl"` + "\ndid you mean \"tls\"?"},
		{"mysql://u:hunter2@db/x?zzzz=1", "the parameters are tls, "},
		{"mysql://u:hunter2@db/x?tls=hunter2", "tls must be true, false"},
		{"mysql://u:hunter2@db/x?charset=a,b", `"charset" is not one plain word`},
		{"mysql://u:hunter2@db/x?charset=a%27;DROP", "plain word"},
		{"mysql://u:hunter2@db/x?loc=Local", "depends on the machine"},
		{"mysql://u:hunter2@db/x?loc=UTC&time_zone=UTC", "one thing"},
		{"mysql://u:hunter2@db/x?time_zone=a%27b", "no time zone"},
		{"mysql://u:hunter2@db/x?tls=off&tls-ca=a", "no use while tls is off"},
		{"mysql://u:hunter2@db/x?tls-cert=a", "needs tls-key"},
		{"u:hunter2@tcp(db:3306)", "the DSN has no /"},
		{"u:hunt/er2hunter2@tcp(db:3306)", "no / between its address"},
		{"u:a/b@hunter2", "no / between its address"},
		{"u:hunter2@tcp(db:3306/x", "no ) at its end"},
		{"u:hunter2@udp(db)/x", "neither tcp nor unix"},
		{"u:x@hunter2(db)/x", "neither tcp nor unix"},
		{"u:hunter2@unix(a)/x", "not absolute"},
		{"u:hunter2@tcp(db)/x?a=/b", "no ) at its end"},
		{"u:hunter2@tcp(db)/x?tls=custom", "tls must be"},
		{"u:hunter2@tcp(db)/x?parseTime=true", `"parseTime" is not allowed`},
	}
	for _, tt := range tests {
		got, err := parseAddress(tt.text)
		if err == nil {
			t.Errorf("%s: taken as %v", tt.text, got)
			continue
		}
		if !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want in it %q", tt.text, err, tt.want)
		}
		if strings.Contains(err.Error(), "hunter2") || got.Password != "" {
			t.Errorf("%s: the password is in %v or kept", tt.text, err)
		}
	}
	for name, hint := range refusedParams() {
		_, err := ParseDSN("u:hunter2@tcp(db)/x?" + name + "=1")
		if err == nil || !strings.Contains(err.Error(), "the parameter \""+name+"\" is not allowed\n"+hint) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestMockTargets: a file of rules is a target, and a DSN whose user is called mock stays one.
func TestMockTargets(t *testing.T) {
	c, err := Load(Source{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"mock:rules.star": "mock rules.star", "mock:a/b@c.star": "mock a/b@c.star", "mock:secret@tcp(db)/x": "dsn db:3306", "mock@unix(/s)/": "dsn /s",
	} {
		if got, err := c.Target(text); err != nil || got.Kind+" "+got.Address != want {
			t.Errorf("%s: %s %s, %v", text, got.Kind, got.Address, err)
		}
	}
	for _, text := range []string{"mock:", "mock:rules"} {
		if _, err := c.Target(text); err == nil || !strings.Contains(err.Error(), "mock: goes before a file of rules") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestTargetTables(t *testing.T) {
	dir := tree(t, map[string]string{
		"rig.toml": `
[targets.staging]
url = "mysql://u@db/x?charset=utf8mb4"
password-file = "secrets/p"
tls-ca = "ca.pem"
[targets.parts]
host = "::1"
port = 3307
user = "u"
password = ""
database = "x"
tls = false
[targets.socket]
socket = "/run/m.sock"
[targets.old]
dsn = "u:p@tcp(db)/x"
[targets.fast]
kind = "mariadb"
binary = "bin/mariadbd"
tcp = true
options = { a = "x", b = 2, c = true, d = "" }
`, "secrets/p": "hunter2\r\n",
	})
	c := load(t, Source{Dir: dir, Env: []string{"RIG_PASSWORD=fromenv"}})
	get := func(name string) Target {
		got, err := c.Target(name)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := get("staging"); got.Name != "staging" || got.Kind != "dsn" || got.Address != "db:3306" || got.Password != "hunter2" || !got.HasPassword ||
		got.TLS.CA != filepath.Join(dir, "ca.pem") || got.Params["charset"] != "utf8mb4" || got.Origin.String() != "rig.toml:2:10" {
		t.Errorf("staging %v %v %v", got, got.TLS, got.Origin)
	}
	if got := get("parts"); got.Address != "[::1]:3307" || got.Password != "" || !got.HasPassword || got.TLS.Mode != "off" || got.Database != "x" {
		t.Errorf("parts %v %q", got, got.Password)
	}
	if got := get("socket"); got.Network != "unix" || got.Address != "/run/m.sock" || got.Password != "fromenv" {
		t.Errorf("socket %v", got)
	}
	if got := get("old"); got.Password != "p" {
		t.Errorf("old %v", got)
	}
	got := get("fast")
	if got.Kind != "mariadb" || got.Binary != filepath.Join(dir, "bin/mariadbd") || !got.TCP || got.HasPassword ||
		!maps.Equal(got.Options, map[string]string{"a": "x", "b": "2", "c": "true", "d": ""}) {
		t.Errorf("fast %v %s %v", got, got.Binary, got.Options)
	}
	got.Options["a"] = "changed"
	if get("fast").Options["a"] != "x" {
		t.Error("two callers share the options")
	}
	if got := get("mysql"); got.Kind != "mysql" || got.Name != "mysql" || got.HasPassword {
		t.Errorf("mysql %v", got)
	}
	if err := os.Remove(filepath.Join(dir, "secrets/p")); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Target("staging"); err == nil || !strings.Contains(err.Error(), "rig.toml:2:10: target staging (mysql://u@db:3306/x): password-file "+dir+"/secrets/p: no such file") {
		t.Errorf("got %v", err)
	}
}

// TestFirstFileHasTheTarget checks that targets have the order of files, as settings do.
func TestFirstFileHasTheTarget(t *testing.T) {
	dir := tree(t, map[string]string{"rig.toml": "[targets.s]\nhost = \"low\"\n", "high.toml": "[targets.s]\nhost = \"high\"\n"})
	c := load(t, Source{Dir: dir, Files: []string{filepath.Join(dir, "high.toml")}})
	if got, err := c.Target("s"); err != nil || got.Address != "high:3306" {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestTargetErrors(t *testing.T) {
	dir := tree(t, map[string]string{"rig.toml": "target = \"stagng\"\n[targets.staging]\nhost = \"db\"\n"})
	tests := []struct {
		text  string
		flags map[string]string
		want  string
	}{
		{"", nil, "rig.toml:1:1: target: unknown target \"stagng\"\ndid you mean \"staging\"?"},
		{"", map[string]string{"target": "mysql://u:hunter2@db:x/"}, "--target: target: the port is not a number"},
		{"mariab", nil, "target: unknown target \"mariab\"\ndid you mean \"mariadb\"?"},
		{"zzzzzz", nil, "the targets are embedded, mariadb, mysql, dolt, tidb, staging, or a mysql:// URL"},
		{"dsn", nil, "dsn alone does not say where"},
		{"u:hunter2", nil, "neither a kind, nor a name, nor an address"},
	}
	for _, tt := range tests {
		c := load(t, Source{Dir: dir, Flags: tt.flags})
		_, err := c.Target(tt.text)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v, want in it %q", tt.text, err, tt.want)
		}
	}
}

// TestSecretsDoNotPrint puts a password wherever one can stand and prints everything in every way.
func TestSecretsDoNotPrint(t *testing.T) {
	dir := tree(t, map[string]string{"rig.toml": `
[params]
db_password = "hunter2"
url = "mysql://u:hunter2@db/x"
many = ["a", "u:hunter2@tcp(db)/x"]
[targets.a]
host = "db"
password = "hunter2"
[targets.b]
url = "mysql://u:hunter2@db/x"
`})
	for _, text := range []string{"mysql://u:hunter2@db/x", "u:hunter2@tcp(db)/x", "u:hunter2", "a"} {
		s := Source{Dir: dir, Env: []string{"RIG_PASSWORD=hunter2"}, Flags: map[string]string{"target": text}}
		c := load(t, s)
		values := []any{s, &s, c, *c, c.Get("target"), c.All()}
		if target, err := c.Target(""); err == nil {
			values = append(values, target, &target, []Target{target}, struct{ T Target }{target}, map[string]Target{"x": target})
			if target.Password != "hunter2" {
				t.Errorf("%s: the password is lost", text)
			}
		}
		for _, v := range values {
			for _, out := range printed(t, v) {
				if strings.Contains(out, "hunter2") {
					t.Errorf("%s: %T prints the password: %s", text, v, out)
				}
			}
		}
		if got := c.String("target"); got != text {
			t.Errorf("target is %s", got)
		}
	}
}

func printed(t *testing.T, v any) []string {
	t.Helper()
	var out []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		out = append(out, fmt.Sprintf(verb, v))
	}
	var text, js bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("m", "v", v)
	slog.New(slog.NewJSONHandler(&js, nil)).Info("m", "v", v)
	data, err := json.Marshal(v)
	if err != nil {
		t.Errorf("%T: %v", v, err)
	}
	return append(out, text.String(), js.String(), string(data))
}

func TestValueForms(t *testing.T) {
	v := Value{Name: "target", Text: "mysql://u:hunter2@db/x", Origin: Origin{Layer: "env", Where: "RIG_TARGET"}, Secret: true}
	if got, want := fmt.Sprint(v), "target = mysql://u@db:3306/x (RIG_TARGET)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	data, err := json.Marshal(v)
	if want := `{"name":"target","text":"mysql://u@db:3306/x","layer":"env","where":"RIG_TARGET","secret":true}`; err != nil || string(data) != want {
		t.Errorf("got %s, %v, want %s", data, err, want)
	}
	v = Value{Name: "params.token", Text: "/hunter2", Secret: true}
	if got := fmt.Sprint(v); got != "params.token = *** ()" {
		t.Errorf("got %s", got)
	}
}
