package importer

import (
	"fmt"
	"slices"
	"strings"
)

func sortedKeys[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func sortedLines(list []string) []string {
	out := slices.Clone(list)
	slices.Sort(out)
	return out
}

// helper is a function that the code may use.
type helper struct{ name, code string }

var mysqltestHelpers = []helper{
	{"value", `def value(rows):
    """The first row, as mysqltest puts it into a variable."""
    if len(rows) == 0:
        return ""
    return "\t".join(["NULL" if v == None else str(v) for v in rows[0]])
`},
	{"cell", `def cell(rows, column, n):
    """One cell of row n, as mysqltest's query_get_value gives it."""
    if n > len(rows):
        return "No such row"
    v = rows[n - 1][column]
    return "NULL" if v == None else str(v)
`},
	{"holds", `def holds(text):
    """Whether mysqltest takes a text for true."""
    return text.strip() not in ("", "0", "NULL")
`},
	{"one_of", `def one_of(codes, fn, *args, **kwargs):
    """Expects a call to end with one of some error numbers; 0 is success."""
    r = try_(fn, *args, **kwargs)
    code = 0 if r else (r.error.code or 2013)  # no number: the connection is lost
    check(code in codes, "ended with error %d" % code)
`},
}

// shownHelper is within the test: the test's database stands for test, which mysqltest's rows name.
const shownHelper = `def shown(rows, replaced = {}):
    """The rows as mysqltest prints them: cells joined by tabs; replaced gives columns another text."""
    if type(rows) == "result":
        return []
    out = []
    for row in rows:
        cells = ["NULL" if v == None else str(v).replace(t.database, "test") for v in row]
        out.extend("\t".join([replaced.get(i, cell) for i, cell in enumerate(cells)]).split("\n"))
    return out
`

// scenario puts the file together.
func (g *mysqltest) scenario() string {
	c := &code{}
	head := "Imported from " + g.reader.name + " (mysqltest)."
	if len(g.noted) > 0 {
		head += fmt.Sprintf("\n\nNot translated: %d, each at its place in a comment.", len(g.noted))
	}
	c.doc(head)
	c.line("")
	c.line(`requires = ["row_locks"]`)
	for _, h := range mysqltestHelpers {
		if g.helpers[h.name] {
			c.line("\n\n%s", strings.TrimSuffix(h.code, "\n"))
		}
	}
	name := testName(g.base())
	c.line("\n\ndef test_%s(t):", name)
	c.depth = 1
	if g.helpers["shown"] {
		for l := range strings.SplitSeq(strings.TrimSuffix(shownHelper, "\n"), "\n") {
			c.line("%s", l)
		}
		c.line("")
	}
	for i, v := range g.declared {
		if !slices.Contains(g.declared[:i], v) {
			c.line(`%s = ""`, v)
		}
	}
	if g.helpers["seen"] {
		c.line("seen = []  # the rows of what has no recorded result")
	}
	c.line("default = t.db")
	c.WriteString(g.body.String())
	if g.helpers["seen"] {
		c.line(`expect.golden(%s, "\n".join(seen))`, quote(name))
	}
	return c.String()
}
