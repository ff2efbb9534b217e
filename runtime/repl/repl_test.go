package repl

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestIsSQL(t *testing.T) {
	known := func(name string) bool { return name == "update" }
	for text, want := range map[string]bool{
		"SELECT 1": true, "select 1": true, "select * from t": true, "COMMIT": true, "commit;": true, "BEGIN": true,
		"set = 3": false, "set(x)": false, "set x = 1": true, "update": false, "update += 1": false, "update t set a = 1": true,
		"show.x": false, "x = 1": false, "db.query(1)": false, "(SELECT 1);": true, "x = 1;": false, ":use b": false, "": false,
		"selected": false, "do it": true, "-- hello": true, "/* c */ SELECT 2": true, "(SELECT 1) UNION (SELECT 2)": true, "CHECKSUM TABLE a": true,
		"(select)": false, "with_x(1)": false,
	} {
		if got := IsSQL(text, known); got != want {
			t.Errorf("IsSQL(%q) = %t", text, got)
		}
	}
}

func TestStatements(t *testing.T) {
	for text, want := range map[string][]Statement{
		"SELECT 1":                          {{"SELECT 1", false}},
		"SELECT ';' ; SELECT \"a;b\";":      {{"SELECT ';'", false}, {"SELECT \"a;b\"", false}},
		`SELECT 1\G`:                        {{"SELECT 1", true}},
		`SELECT '\G', 'it\'s;'\G SELECT 2;`: {{`SELECT '\G', 'it\'s;'`, true}, {"SELECT 2", false}},
		"SELECT /* ; */ 1; # ;":             {{"SELECT /* ; */ 1", false}},
		"SELECT 1; -- ;":                    {{"SELECT 1", false}},
		"-- hello":                          nil,
		"/* c */ SELECT 2;":                 {{"/* c */ SELECT 2", false}},
		"BEGIN; SELECT 1":                   {{"BEGIN", false}, {"SELECT 1", false}},
		"CREATE PROCEDURE p() BEGIN IF a THEN SELECT CASE WHEN 1 THEN 2 END; END IF; CASE a WHEN 1 THEN SELECT 1; END CASE; END; SELECT 3": {
			{"CREATE PROCEDURE p() BEGIN IF a THEN SELECT CASE WHEN 1 THEN 2 END; END IF; CASE a WHEN 1 THEN SELECT 1; END CASE; END", false}, {"SELECT 3", false},
		},
		"BEGIN NOT ATOMIC SELECT 1; END; SELECT 2": {{"BEGIN NOT ATOMIC SELECT 1; END", false}, {"SELECT 2", false}},
		";;": nil,
	} {
		if got := Statements(text, ";"); !slices.Equal(got, want) {
			t.Errorf("Statements(%q) = %+v, want %+v", text, got, want)
		}
	}
}

func TestHistoryKeepsNoSecret(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history")
	h := OpenHistory(path, func(line string) bool { return line == "x = hunter2" })
	for _, line := range []string{"def f():\n    pass", "x = hunter2", "SET PASSWORD = 'a'", `y = "a\nb"`, `y = "a\nb"`} {
		if _, err := h.Write(line); err != nil {
			t.Fatal(err)
		}
	}
	again := OpenHistory(path, nil)
	want := []string{"def f():\n    pass", `y = "a\nb"`}
	if got := again.Dump().([]string); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode is %v (%v)", info.Mode(), err)
	}
}

// TestContinuationPrompt: it ends where the prompt does. What a line leaves on its last row is cleared, other than at the edge.
func TestContinuationPrompt(t *testing.T) {
	for _, c := range []struct {
		typed, prompt string
		width         int
		want          string
	}{
		{"x = 1", "rig> ", 20, "x = 1"},
		{"f(\n1)", "rig> ", 20, "f(\x1b[K\n\r...> 1)"},
		{"f(\n", "rig bob> ", 0, "f(\n\r    ...> "},
		{"f(12345678901234\n1)", "rig> ", 20, "f(12345678901234\x1b[K\n\r...> 1)"},
		{"f(1234567890123\n1)", "rig> ", 20, "f(1234567890123\n\r...> 1)"},
		{"'äöü世界'\n1", "rig> ", 14, "'äöü世界'\n\r...> 1"},
	} {
		if got := continued(c.typed, c.typed, c.prompt, c.width); got != c.want {
			t.Errorf("%q at %d: %q, want %q", c.typed, c.width, got, c.want)
		}
	}
}
