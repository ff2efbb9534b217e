package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

const accounts = `"""Accounts."""

def make(db):
    db.exec("CREATE TABLE account (id INT PRIMARY KEY, balance INT)")
    db.insert("account", ["id", "balance"], [(i, 100) for i in range(3)])

def test_sum(t):
    make(t.db)
    expect.eq(t.db.query("SELECT count(*) FROM account").scalar(), 3)
`

// replScreen opens rig repl in a terminal, over the file of accounts.
func replScreen(t *testing.T, width, height int, line string) *screen {
	t.Helper()
	s := onScreen(t, width, height, "until [ -f bank.star ]; do :; done; "+line)
	// The file appears whole.
	tmp := filepath.Join(s.dir, "bank.new")
	if err := os.WriteFile(tmp, []byte(accounts), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(tmp, filepath.Join(s.dir, "bank.star")); err != nil {
		t.Fatal(err)
	}
	return s
}

// documented compares what is to be seen with the screen of that name in docs/repl.md; RIG_UPDATE_DOCS=1 writes it there.
func documented(t *testing.T, name, seen string) {
	t.Helper()
	const path = "../../docs/repl.md"
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	re := regexp.MustCompile("(?s)(<!-- screen: " + name + " -->\n```\n)(.*?)(```\n)")
	m := re.FindStringSubmatch(string(b))
	if m == nil {
		t.Fatalf("%s has no place for the screen %s", path, name)
	}
	var lines []string
	for line := range strings.Lines(seen) {
		lines = append(lines, strings.TrimRight(line, " \n")+"\n")
	}
	want := regexp.MustCompile(` +|#\d+|\d+(\.\d+)?m?s\b|\b10\.\d+\.\d+|\d+-\d+-\d+ \d+:\d+:\d+`).ReplaceAllString
	seen = strings.TrimRight(strings.Join(lines, ""), "\n") + "\n"
	if want(m[2], "?") == want(seen, "?") {
		return
	}
	if os.Getenv("RIG_UPDATE_DOCS") == "" {
		t.Errorf("%s shows another screen %s (RIG_UPDATE_DOCS=1 writes it anew):\n%s", path, name, seen)
		return
	}
	out := strings.Replace(string(b), m[0], m[1]+seen+m[3], 1)
	if err := os.WriteFile(path, []byte(out), 0o644); err != nil {
		t.Fatal(err)
	}
}

// ask types an input of one line and waits for the prompt after it: what is typed ahead would be seen twice.
func (s *screen) ask(line string) {
	s.t.Helper()
	s.enter(line)
	s.shows(`(?s)> ` + regexp.QuoteMeta(line) + `\n.*^rig>$`)
}

func TestScreenRepl(t *testing.T) {
	s := replScreen(t, 90, 60, "rig repl bank.star")
	s.shows(`^rig>$`)
	s.enter("make(db)")
	s.shows(`make\(db\)\nrig>$`)
	s.enter("SELECT * FROM account")
	s.shows(`^\(3 rows\)\nrig>$`)
	s.enter(`SELECT * FROM account WHERE id = 1\G`)
	s.shows(`^balance: 100\n\(1 row\)\nrig>$`)
	// An input of several lines ends with an empty one.
	s.enter("def twice(x):")
	s.enter("    return 2 * x")
	s.shows(`^rig> def twice\(x\):\n\.\.\.>     return 2 \* x\n\.\.\.>$`)
	s.types("Enter")
	s.shows(`(?s)twice.*^rig>$`)
	s.enter("twice(21)")
	s.shows(`^42\nrig>$`)
	s.enter(":run test_sum")
	s.shows(`^bank.star::test_sum: passed.*\nrig>$`)
	s.enter("nosuch")
	text := s.shows(`^error: <input \d+>:1:1: undefined: nosuch\nrig>$`)
	documented(t, "first", text)
	// The history: the input before the last, whole.
	s.types("Up", "Up", "Up", "Enter")
	s.shows(`(?s)^42\n.*^42\nrig>$`)
	// Ctrl-C takes back what was typed; Ctrl-D leaves.
	s.types("-l", "garbage (")
	s.shows(`garbage \(`)
	s.types("C-c")
	s.shows(`(?s)garbage.*^rig>$`)
	s.types("C-d")
	s.shows(`^\[exit 0\]`)
	b, err := os.ReadFile(filepath.Join(s.dir, ".rig/repl_history"))
	if err != nil || !strings.Contains(string(b), `def twice(x):\n    return 2 * x`+"\n") || strings.Contains(string(b), "garbage") {
		t.Errorf("the history is %q (%v)", b, err)
	}
}

// TestScreenReplFullScreen: at the bottom of the screen nothing is written over what stands above, whatever is typed, listed or wrapped.
func TestScreenReplFullScreen(t *testing.T) {
	s := replScreen(t, 60, 20, "rig repl bank.star")
	s.shows(`^rig>$`)
	for _, line := range []string{"for i in range(30): print(i)", ""} {
		s.enter(line)
	}
	s.shows(`^29\nrig>$`)
	s.ask("SELECT 1")
	s.ask("SELECT 2")
	s.enter("[1,")
	s.shows(`^\.\.\.>$`)
	s.enter("2]")
	s.shows(`^\[1, 2\]\nrig>$`)
	long := `"` + strings.Repeat("wide_", 20) + `"`
	s.enter("len(" + long + ")")
	s.shows(`^100\nrig>$`)
	s.types("-l", "db.")
	s.shows(`query_all  `)
	s.types("BSpace", "BSpace", "BSpace")
	s.enter("'end'")
	text := s.shows(`^"end"\nrig>$`)
	want := "28\n29\nrig> SELECT 1\n+---+\n| 1 |\n+---+\n| 1 |\n+---+\n(1 row)\n" +
		"rig> SELECT 2\n+---+\n| 2 |\n+---+\n| 2 |\n+---+\n(1 row)\nrig> [1,\n...> 2]\n[1, 2]\n" +
		"rig> len(" + long[:51] + "\n" + long[51:] + ")\n100\nrig> 'end'\n\"end\"\nrig>\n"
	if !strings.HasSuffix(text, want) {
		t.Errorf("the screen is\n%s\nwant at its end\n%s", text, want)
	}
}

// pastes gives a text to the terminal at once; bracketed tells the program that it is a paste.
func (s *screen) pastes(text string, bracketed bool) {
	s.t.Helper()
	s.tmux("set-buffer", text)
	if bracketed {
		s.tmux("paste-buffer", "-p")
	} else {
		s.tmux("paste-buffer")
	}
}

// TestScreenReplPastes: a statement over lines is one, however it is pasted; by hand it runs when it is limited, or has its semicolon.
func TestScreenReplPastes(t *testing.T) {
	for _, bracketed := range []bool{true, false} {
		s := replScreen(t, 90, 60, "rig repl bank.star")
		s.shows(`^rig>$`)
		s.enter("make(db)")
		s.shows(`make\(db\)\nrig>$`)
		s.pastes("DELETE FROM account\n\nWHERE id = 1;\n", bracketed)
		if bracketed {
			s.shows(`WHERE id = 1;`)
			s.types("Enter")
		}
		s.shows(`(?s)WHERE id = 1;.*^1 row changed\nrig>$`)
		s.pastes("def f():\n    a = 1\n\n    return a + 41\n\nf()\nSELECT id\nFROM account\nWHERE id = 2;\n", bracketed)
		if bracketed {
			s.shows(`WHERE id = 2;`)
			s.types("Enter")
		}
		s.shows(`(?s)^42\n.*^\| 2  \|\n\+----\+\n\(1 row\)\nrig>$`)
	}
	s := replScreen(t, 90, 60, "rig repl bank.star")
	s.shows(`^rig>$`)
	s.enter("make(db)")
	s.shows(`make\(db\)\nrig>$`)
	s.enter("DELETE FROM account")
	s.shows(`^rig> DELETE FROM account\n\.\.\.>$`)
	s.enter("")
	s.shows(`^rig> DELETE FROM account\n\.\.\.>\n\.\.\.>$`)
	s.enter("WHERE id = 1")
	s.shows(`^1 row changed\nrig>$`)
	s.enter(`UPDATE account SET balance = 1\;`) // tmux takes a semicolon at the end for its own
	s.shows(`^2 rows changed\nrig>$`)
}

func TestScreenReplCompletes(t *testing.T) {
	s := replScreen(t, 90, 30, "rig repl bank.star")
	s.shows(`^rig>$`)
	s.types("-l", "task.s")
	text := s.shows(`(?s)task\.s\n.*shared .*signal .*spawn +-- `)
	documented(t, "completion", text)
	s.enter("pawn(make, db)")
	s.shows(`^<task make#`)
	s.enter("_.wait()")
	s.types("-l", "b = t.connect(iso")
	s.shows(`isolation= +-- `)
	s.enter(`lation = "READ COMMITTED")`)
	s.types("-l", "SELECT bal")
	s.shows(`balance +-- account: int`)
	s.types("Tab")
	s.shows(`SELECT balance`)
	s.types("-l", " FROM acc")
	s.shows(`FROM acc$`)
	s.types("Tab")
	s.shows(`FROM account`)
	s.types("Enter")
	s.shows(`(?s)\(3 rows\)\nrig>$`)
	s.types("-l", ":se")
	s.shows(`sessions +-- what each`)
}

// TestScreenReplColors: words, strings and comments have colours while they are typed, and nothing is completed within a comment.
func TestScreenReplColors(t *testing.T) {
	s := replScreen(t, 90, 30, "env -u NO_COLOR TERM=screen-256color rig repl bank.star")
	s.shows(`^rig>$`)
	s.types("-l", `for q in ["a"]: # c`)
	s.shows(`# c\n*$`)
	text := s.tmux("capture-pane", "-e", "-p")
	want := "\x1b[34mfor\x1b[39m q \x1b[34min\x1b[39m [\x1b[32m\"a\"\x1b[39m]: \x1b[2m# c"
	if !strings.Contains(text, want) {
		t.Errorf("got %q, want %q", text, want)
	}
}

// TestScreenReplSearches: Ctrl-R finds an input of the history.
func TestScreenReplSearches(t *testing.T) {
	s := replScreen(t, 90, 30, "rig repl bank.star")
	s.shows(`^rig>$`)
	for _, line := range []string{`alpha = "first"`, "beta = 2", "gamma = 3"} {
		s.ask(line)
	}
	s.types("C-r")
	s.shows(`inc-search`)
	s.types("-l", "alp")
	s.shows(`(?s)gamma = 3\nrig> alpha = "first"\n.*inc-search.*alp`)
	s.types("Enter")
	s.shows(`^rig> alpha = "first"\nrig>$`)
	s.enter("alpha")
	s.shows(`^"first"\nrig>$`)
}

// TestScreenReplSecrets: what looks like a password is in no history.
func TestScreenReplSecrets(t *testing.T) {
	s := replScreen(t, 90, 30, "rig repl")
	s.shows(`^rig>$`)
	s.enter(`x = "IDENTIFIED BY hunter2"`)
	s.enter(`y = "mysql://me:hunter3@localhost/db"`)
	s.enter("40 + 2")
	s.shows(`^42$`)
	s.types("C-d")
	s.shows(`^\[exit 0\]`)
	b, err := os.ReadFile(filepath.Join(s.dir, ".rig/repl_history"))
	if err != nil || strings.Contains(string(b), "hunter") || !strings.Contains(string(b), "40 + 2") {
		t.Errorf("the history is %q (%v)", b, err)
	}
}

// TestScreenReplCtrlC: the statement ends on the server, and the session goes on.
func TestScreenReplCtrlC(t *testing.T) {
	needMariadb(t)
	s := replScreen(t, 90, 30, "rig repl -t mariadb bank.star")
	s.shows(`^rig>$`)
	s.ask("CONNECTION = db.id")
	s.enter(`SELECT SLEEP(1000)\;`) // tmux takes a semicolon at the end for its own
	s.shows(`SLEEP\(1000\);\n`)
	s.types("C-c")
	s.shows(`error: sql: interrupted by Ctrl-C.*\nrig>$`)
	s.enter("CONNECTION == db.id")
	s.shows(`^True\nrig>$`)
	s.enter("SELECT count(*) AS busy FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'")
	s.shows(`(?s)^\| 0 +\|$.*^rig>$`)
	// A script that loops ends, too.
	for _, line := range []string{"def forever():", `    print("begins")`, "    while True: pass", ""} {
		s.enter(line)
	}
	s.shows(`True: pass\n\.\.\.>\nrig>$`)
	s.enter("forever()")
	s.shows(`^begins$`)
	s.types("C-c")
	s.shows(`(?s)begins\n.*error: .*interrupted by Ctrl-C.*^rig>$`)
	s.enter("40 + 2")
	text := s.shows(`^42\nrig>$`)
	documented(t, "ctrl-c", text)
}

func TestScreenReplSessions(t *testing.T) {
	needMariadb(t)
	s := replScreen(t, 140, 40, "rig repl -t mariadb bank.star")
	s.shows(`^rig>$`)
	for _, line := range []string{
		"make(db)", `b = t.connect("b")`, "BEGIN", "UPDATE account SET balance = 0 WHERE id = 1",
		`p = b.start("UPDATE account SET balance = 5 WHERE id = 1")`, `p.blocked(within = "10s")`,
	} {
		s.ask(line)
	}
	s.shows(`^True\nrig>$`)
	s.ask(":sessions")
	s.shows(`b +#\d+ +waits for a lock of db`)
	s.ask(":locks")
	s.shows(`\| b +\| waits for \| X on PRIMARY of account +\| 1 record \(1\)`)
	s.ask("COMMIT")
	s.enter("p.wait()")
	text := s.shows(`^result\(rows_affected = 1.*\nrig>$`)
	documented(t, "sessions", text)
}

func TestScreenReplNarrow(t *testing.T) {
	s := replScreen(t, 20, 40, "rig repl bank.star")
	s.shows(`^rig>$`)
	s.enter("make(db)")
	s.enter("SELECT id, balance, 1234567 AS c FROM account WHERE id = 1")
	text := s.shows(`(?s)\*\*\* row 1 \*\*\*\n +id: 1\nbalance: 100\n +c: 1234567\n.*^rig>$`)
	if strings.Contains(text, "+---") {
		t.Errorf("a table that is wider than the terminal:\n%s", text)
	}
	// An input of several lines, one of which is wider than the terminal: it is shortened, and the arrows go through its lines.
	for _, line := range []string{"def wide(x):", "    return 1000 + 2000", "    # the end"} {
		s.enter(line)
	}
	s.types("Up", "Up", "End", "BSpace", "BSpace", "Down", "Down", "Enter")
	s.shows(`(?s)^rig> def wide\(x\):\n\.\.\.>     return 1000\n \+ 20\n\.\.\.>     # the end\n\.\.\.>\nrig>$`)
	s.enter("wide(1)")
	s.shows(`^1020\nrig>$`)
}

func TestScreenReplDumb(t *testing.T) {
	s := replScreen(t, 80, 40, "env TERM=dumb rig repl bank.star")
	s.tmux("pipe-pane", "cat >"+filepath.Join(s.dir, "out"))
	s.shows(`^rig>`)
	s.enter("def f():")
	s.shows(`^\.\.\.>`)
	s.enter("    return 42")
	s.shows(`^\.\.\.>     return 42\n\.\.\.>`)
	s.enter("")
	s.shows(`^\.\.\.>\nrig>`)
	s.enter("f()")
	s.shows(`^42$`)
	s.types("C-c")
	s.shows(`^\(:quit leaves\)`)
	s.enter(":quit")
	s.shows(`^\[exit 0\]`)
	b, err := os.ReadFile(filepath.Join(s.dir, "out"))
	if err != nil || !strings.Contains(string(b), "42") || strings.Contains(string(b), "\x1b") {
		t.Errorf("a dumb terminal gets %q (%v)", b, err)
	}
}

// TestScreenReplReload: a file that does not load is mended and read again.
func TestScreenReplReload(t *testing.T) {
	s := replScreen(t, 90, 30, "printf 'x = (' > broken.star; rig repl broken.star")
	s.shows(`(?s)^error: broken.star:1:.*:reload.*^rig>$`)
	if err := os.WriteFile(filepath.Join(s.dir, "broken.star"), []byte("x = 42\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s.enter(":reload")
	s.shows(`^broken.star: x\nrig>$`)
	s.enter("x")
	s.shows(`^42\nrig>$`)
}

// TestScreenReplTargetGoesAway: the server is killed. Statements say so, and the rest goes on.
func TestScreenReplTargetGoesAway(t *testing.T) {
	needMariadb(t)
	s := replScreen(t, 100, 40, "rig repl -t mariadb")
	s.shows(`^rig>$`)
	s.enter(`db.query("SELECT @@pid_file").scalar()`)
	text := s.shows(`^"/.*"$`)
	killServer(t, regexp.MustCompile(`(?m)^"(/.*)"$`).FindStringSubmatch(text)[1])
	s.enter("SELECT 1")
	s.shows(`error: sql: the connection was lost.*session db\nhint: .*conn.reset\(\)`)
	s.enter("SELECT 2")
	s.shows(`error: sql: session db has ended: it was lost`)
	s.enter(":sessions")
	s.shows(`^> db +#\d+ +closed$`)
	s.enter(":locks")
	s.shows(`error: :locks: .*(lost|gone|closed|EOF|broken|reset|refused)`)
	s.enter("40 + 2")
	s.shows(`^42\nrig>$`)
	start := time.Now()
	s.types("C-d")
	s.shows(`^\[exit \d+\]`)
	if d := time.Since(start); d > 25*time.Second {
		t.Errorf("leaving took %s", d)
	}
}
