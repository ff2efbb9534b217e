package anomaly

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rig/runtime/event"
)

func TestShippedTables(t *testing.T) {
	if got := Names(); !slices.Equal(got, []string{"embedded", "mariadb", "mysql"}) {
		t.Fatal(got)
	}
	for _, n := range Names() {
		table := Shipped(n)
		if len(table.Sources) == 0 {
			t.Errorf("%s has no sources", n)
		}
		if differ, both := Compare(table, table); len(differ) > 0 || both < 20 {
			t.Errorf("%s: %v, %d cells", n, differ, both)
		}
	}
	// Where MySQL is documented, InnoDB of MariaDB does the same.
	if differ, both := Compare(Shipped("mariadb"), Shipped("mysql")); len(differ) > 0 || both < 60 {
		t.Errorf("%v, %d cells", differ, both)
	}
}

func TestAgrees(t *testing.T) {
	for _, c := range []struct {
		got, want Verdict
		agrees    bool
	}{
		{Waits, Waits, true},
		{Waits, Held, true},
		{Prevented, Held, true},
		{Error, Held, true},
		{Allowed, Held, false},
		{Waits, Error, false},
		{Held, Allowed, false},
	} {
		if c.got.Agrees(c.want) != c.agrees {
			t.Errorf("%s against %s: want %v", c.got, c.want, c.agrees)
		}
	}
}

func TestColumns(t *testing.T) {
	every := func(string) bool { return true }
	all := Columns(every, true)
	if len(all) != 5 || all[3].Name != "REPEATABLE READ"+Snapshot || len(all[2].Settings) != 1 || len(all[3].Settings) != 1 {
		t.Errorf("%v", all)
	}
	if got := Columns(func(string) bool { return false }, false); len(got) != 1 || got[0].Name != NoLevel {
		t.Errorf("%v", got)
	}
	got, err := Choose(all, []string{"repeatable read"})
	if err != nil || len(got) != 2 {
		t.Errorf("%v %v", got, err)
	}
	if _, err := Choose(Columns(func(c string) bool { return c == "read_committed" }, false), []string{"SERIALIZABLE"}); err == nil {
		t.Error("a level that the target lacks was taken")
	}
}

func folded(t *testing.T) *Fold {
	f := &Fold{}
	for _, d := range []*event.Anomaly{
		{Case: "P4", Title: "lost <update>", Server: "mariadb", Version: "10", Column: "SERIALIZABLE", Verdict: "error", Detail: "1213 in b3", Forbidden: "REPEATABLE READ"},
		{Case: "P4", Title: "lost <update>", Server: "mariadb", Version: "10", Column: "REPEATABLE READ", Verdict: "allowed", Forbidden: "REPEATABLE READ"},
		{Case: "G0", Server: "mariadb", Version: "10", Column: "SERIALIZABLE", Verdict: "waits", Detail: "b2 waits for a"},
	} {
		if err := f.Event(&event.Event{Data: d}); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func TestFormats(t *testing.T) {
	for format, want := range map[string][]string{
		"text":     {"case  REPEATABLE READ  SERIALIZABLE", "G0    -                by waiting", "P4    ALLOWED !        by error 1213", "the definition of the level"},
		"markdown": {"| case | REPEATABLE READ | SERIALIZABLE |", "| P4 | ALLOWED ! | by error 1213 |"},
		"html":     {"lost &lt;update&gt;", `<td class="waits">by waiting<small>b2 waits for a</small>`},
		"json":     {`"verdict": "allowed"`, `"detail": "1213 in b3"`},
	} {
		var b bytes.Buffer
		if err := folded(t).Table().Write(&b, format); err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(b.String(), w) {
				t.Errorf("%s lacks %q:\n%s", format, w, b.String())
			}
		}
	}
	if err := folded(t).Table().Write(&bytes.Buffer{}, "yaml"); err == nil {
		t.Error("an unknown format was written")
	}
}

func TestMixedVerdicts(t *testing.T) {
	f := folded(t)
	if m := f.Mixed(); len(m) > 0 {
		t.Error(m)
	}
	_ = f.Event(&event.Event{Data: &event.Anomaly{Case: "G0", Column: "SERIALIZABLE", Verdict: "error"}})
	if m := f.Mixed(); len(m) != 1 || m[0] != "G0 at SERIALIZABLE: waits, then error" {
		t.Error(m)
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	var saved bytes.Buffer
	if err := folded(t).Table().Write(&saved, "json"); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ text, err string }{
		"saved":   {saved.String(), ""},
		"broken":  {`{"server": "x",,}`, "byte 16"},
		"empty":   {`{}`, "no cases"},
		"verdict": {`{"columns": ["A"], "cases": [{"case": "G0", "verdicts": {"A": {"verdict": "perhaps"}}}]}`, `"perhaps" is no verdict`},
		"column":  {`{"columns": ["A"], "cases": [{"case": "G0", "verdicts": {"B": {"verdict": "allowed"}}}]}`, `no column "B"`},
	} {
		path := filepath.Join(dir, name+".json")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		table, err := Load(path)
		if c.err == "" && (err != nil || table.Verdict("P4", "REPEATABLE READ") != Allowed) || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Load("mariadbb"); err == nil || !strings.Contains(err.Error(), "no table") {
		t.Error(err)
	}
}

func TestForbids(t *testing.T) {
	for _, c := range []struct {
		column, from string
		want         bool
	}{
		{"REPEATABLE READ", "READ COMMITTED", true},
		{"REPEATABLE READ" + Snapshot, "REPEATABLE READ", true},
		{"READ COMMITTED", "REPEATABLE READ", false},
		{"SERIALIZABLE", "", false},
		{NoLevel, "SERIALIZABLE", false},
	} {
		if Forbids(c.column, c.from) != c.want {
			t.Errorf("%s from %s: want %v", c.column, c.from, c.want)
		}
	}
}
