package config

import (
	"bytes"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
	"github.com/rogpeppe/go-internal/txtar"
)

// FuzzAddress reads any text, and the text as a password of addresses that are sound otherwise.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{"mysql://u:p@db:3306/x?tls=true", "u:p@tcp(db)/x", "u@unix(/a)/x", "pass/word@(x)", "p%zz#?&", "a://b", "[::1]:x", "?p=@/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := parseAddress(text); err == nil {
			checkAddress(t, text, got)
		} else if got.HasPassword || got.Password != "" {
			t.Errorf("%q: the password is kept beside the error %v", text, err)
		}
		escaped := "mysql://u:" + strings.ReplaceAll(url.QueryEscape(text), "+", "%20") + "@db/x"
		if got, err := ParseURL(escaped); err != nil || got.Password != text {
			t.Errorf("%q: password %q, %v", escaped, got.Password, err)
		}
		if got, err := ParseDSN("u:" + text + "@tcp(db)/x"); err != nil || got.Password != text || got.User != "u" {
			t.Errorf("%q in a DSN: password %q, %v", text, got.Password, err)
		}
		const words = "the URL's host port password in user DSN database is not a number name of no an and after"
		if len(text) < 5 || strings.Contains(words, text) || strings.ContainsAny(text, " ") {
			return // such a text may be in a message by chance
		}
		for _, raw := range []string{"mysql://u:" + text + "@db:x/x", "u:" + text + "@tcp(db:x)/x", "mysql://u:" + text + "@db", "u:" + text + "@tcp(db)"} {
			if _, err := parseAddress(raw); err != nil && strings.Contains(err.(*Problem).Message, text) {
				t.Errorf("%q: the password is in %v", raw, err)
			}
		}
	})
}

// checkAddress checks what holds of every address that is taken.
func checkAddress(t *testing.T, text string, got Target) {
	t.Helper()
	if got.Network != "tcp" && got.Network != "unix" || got.Address == "" {
		t.Errorf("%q: network %q, address %q", text, got.Network, got.Address)
	}
	again, err := ParseURL(got.Safe())
	if err != nil || again.Address != got.Address || again.User != got.User || again.Database != got.Database || again.HasPassword {
		t.Errorf("%q: its safe form %q reads as %q %q %q, %v", text, got.Safe(), again.Address, again.User, again.Database, err)
	}
	for _, v := range got.Params {
		if strings.ContainsAny(v, "'\"\\; \n") {
			t.Errorf("%q: the parameter %q is no plain word", text, v)
		}
	}
}

// FuzzFile reads any file. What it says must point into the file and not show a password that stands in a known place.
func FuzzFile(f *testing.F) {
	data, err := os.ReadFile("testdata/problems.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for i, file := range txtar.Parse(data).Files {
		if i%2 == 0 {
			f.Add(file.Data, strings.HasSuffix(file.Name, ".json"))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, json bool) {
		x := &file{name: "f", json: json}
		x.parse(data)
		lines := bytes.Count(data, []byte{'\n'}) + 1
		for _, p := range x.problems {
			if p.Message == "" || p.Pos.Line < 1 || int(p.Pos.Line) > lines || p.Pos.Col < 1 {
				t.Errorf("problem %+v in %q", p, data)
			}
			if p.Excerpt != "" && strings.Count(p.Excerpt, "\n") != 1 {
				t.Errorf("excerpt %q", p.Excerpt)
			}
		}
		var all map[string]any
		if len(x.problems) == 0 && !json && toml.Unmarshal(x.data, &all) != nil {
			t.Errorf("%q is taken, and go-toml refuses it", data)
		}
		if !json && len(x.problems) == 0 {
			hides(t, x.data)
		}
	})
}

// hides adds a target with a password and something wrong to a sound file.
func hides(t *testing.T, data []byte) {
	t.Helper()
	const tail = "\n[targets.fuzz-target]\nhost = 5\npassword = \"hunter2hunter2\" x\n"
	x := &file{name: "f"}
	x.parse(append(bytes.Clone(data), tail...))
	if len(x.problems) == 0 {
		t.Errorf("no problem in %q", x.data)
	}
	for _, p := range x.problems {
		if strings.Contains(p.Error(), "hunter2hunter2") && !bytes.Contains(data, []byte("hunter2")) {
			t.Errorf("the password shows: %v", p)
		}
	}
}
