package main

import (
	"fmt"
	"io"
)

// fileWords are what a scenario file has besides built-ins: names that rig looks for, a statement of the language, a form of values.
func fileWords() []struct{ name, title, doc string } {
	const own = " The t that it gets has a database of its own, as every test has: a table that it makes there is not in the tests' databases. Make tables in setup."
	return []struct{ name, title, doc string }{
		{"test_", "def test_...(t)", "A test: every function of the file whose name begins so, with one argument. Its doc string is shown by --list. Each test has a database of its own, made at its first use and dropped after it."},
		{"setup", "def setup(t)", "Optional. Runs before each test, in the test's own database, with the test's t: the place for its tables and rows. When it fails, the test fails and its body does not run."},
		{"teardown", "def teardown(t)", "Optional. Runs after each test, also after one that failed, before what t.cleanup registered."},
		{"setup_all", "def setup_all(t)", "Optional. Runs once, before the first test of the file. What it returns is frozen, and t.shared in every test of the file. When it fails, every test of the file fails." + own},
		{"teardown_all", "def teardown_all(t)", "Optional. Runs once, after the last test of the file, with the t of setup_all. When it fails, the run fails."},
		{"requires", "requires = [...]", "Optional. What the target must have, such as \"row_locks\" or \"mariadb>=10.6\"; elsewhere the file's tests are skipped, with the reason. rig help capabilities lists the names; t.requires does it for one test."},
		{"tags", "tags = [...]", "Optional. Words by which --tag selects the file's tests."},
		{"load", `load("./lib.star", "name")`, "A statement of the language, for the top of a file: takes names from another one. \"./x.star\" lies beside the file, \"//x.star\" is from the folder of rig.toml, \"@rig//x.star\" is of rig's own library. load(\"./lib.star\", other = \"name\") gives it another name here. It is no function, and no other thing may have its name."},
		{"duration", "duration", "A text such as \"200ms\", \"5s\" or \"1m30s\" (units ns, us, ms, s, m, h), or a number, which is seconds: sleep(0.5) is sleep(\"500ms\"), and timeout = 5 is timeout = \"5s\". A negative one is refused."},
	}
}

// writeWords prints them for the reference.
func writeWords(w io.Writer) {
	fmt.Fprintf(w, "\n## The file\n\nWhat rig looks for in a scenario file, and what is no function.\n\n")
	for _, x := range fileWords() {
		fmt.Fprintf(w, "- `%s`: %s\n", x.title, x.doc)
	}
}

// writeWordMatching prints the word of a name, and gives all names.
func writeWordMatching(w io.Writer, name string, found *bool) []string {
	var all []string
	for _, x := range fileWords() {
		all = append(all, x.name)
		if x.name == name && !*found {
			*found = true
			fmt.Fprintf(w, "\n### `%s`\n\n%s\n", x.title, x.doc)
		}
	}
	return all
}
