package script

import (
	"slices"
	"testing"

	"go.starlark.net/syntax"
)

// TestSums: which += of f are proven to add numbers, by line.
func TestSums(t *testing.T) {
	for name, c := range map[string]struct {
		src  string
		want []int32
	}{
		"a counter":             {"def f(x):\n  n = 0\n  for i in x:\n    n += i\n    n -= 1\n", []int32{4}},
		"two":                   {"def f(x):\n  a = 0\n  b = 1.5\n  a += x\n  (b) += a\n", []int32{4, 5}},
		"text":                  {"def f(x):\n  n = ''\n  n += x\n", nil},
		"never a number":        {"def f(x):\n  n += x\n", nil},
		"a parameter":           {"def f(n, x):\n  n = 0\n  n += x\n", nil},
		"a parameter's default": {"def f(x, n = 0):\n  n = 0\n  n += x\n", nil},
		"rest":                  {"def f(x, *n):\n  n = 0\n  n += x\n", nil},
		"assigned later":        {"def f(x):\n  n = 0\n  n += x\n  n = x\n", nil},
		"a loop variable":       {"def f(x):\n  n = 0\n  for n in x:\n    n += x\n", nil},
		"in a tuple":            {"def f(x):\n  n = 0\n  (a, [n]) = x\n  n += x\n", nil},
		"times":                 {"def f(x):\n  n = 0\n  n *= x\n  n += x\n", nil},
		"a function":            {"def f(x):\n  n = 0\n  def n(): pass\n  n += x\n", nil},
		"an element":            {"def f(x):\n  n = 0\n  x[0] += n\n  x.y += n\n", nil},
		"nested":                {"def f(x):\n  n = ''\n  def g():\n    n = 0\n    n += x\n  n += x\n", []int32{5}},
		"at the top":            {"n = 0\nn += 'x' * 5\n", nil},
	} {
		f, err := fileOptions().Parse("x.star", c.src, 0)
		if err != nil {
			t.Fatal(name, err)
		}
		r := &rewriter{sums: map[*syntax.AssignStmt]bool{}}
		r.rewriteStmts(f.Stmts)
		var got []int32
		for s := range r.sums {
			got = append(got, s.OpPos.Line)
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: lines %v, want %v", name, got, c.want)
		}
	}
}
