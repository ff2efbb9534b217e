package profile

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/pprof/profile"
	"go.starlark.net/starlark"

	"rig/runtime/script"
)

// run profiles a script with a built-in that waits for 100 ms, in a bubble where time passes only there.
func run(t *testing.T, src string) *Profiler {
	t.Helper()
	p := New()
	wait := starlark.NewBuiltin("conn.query", func(th *starlark.Thread, _ *starlark.Builtin, _ starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		after := script.Follow(th, "conn.query", "SELECT 1")
		time.Sleep(100 * time.Millisecond)
		after(nil)
		return starlark.None, nil
	})
	h := script.NewHost(script.Options{Predeclared: starlark.StringDict{"query": wait}, Watch: []script.Watch{p}, Probes: script.AllProbes})
	m, err := h.LoadText(context.Background(), "x.star", src)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Thread(context.Background(), "main", nil).Call(m.Globals["main"].(starlark.Callable), nil, nil); err != nil {
		t.Fatal(err)
	}
	return p
}

// lines gives the samples as "innermost@line < outer@line count time".
func lines(t *testing.T, p *Profiler, kind string) []string {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b, kind); err != nil {
		t.Fatal(err)
	}
	got, err := profile.Parse(&b)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, s := range got.Sample {
		var stack []string
		for _, l := range s.Location {
			stack = append(stack, fmt.Sprintf("%s@%d", l.Line[0].Function.Name, l.Line[0].Line))
		}
		out = append(out, fmt.Sprintf("%s %d %s", strings.Join(stack, " < "), s.Value[0], time.Duration(s.Value[1])))
	}
	slices.Sort(out)
	return out
}

const program = `
def inner(n):
    x = query()
    return n

def main():
    a = inner(1)
    b = [inner(2), query()]
`

func TestProfiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := run(t, program)
		want := []string{
			"conn.query@0 < inner@3 < main@7 1 100ms", "conn.query@0 < inner@3 < main@8 1 100ms", "conn.query@0 < main@8 1 100ms",
		}
		if got := lines(t, p, Wall); !slices.Equal(got, want) {
			t.Errorf("wall:\n%s", strings.Join(got, "\n"))
		}
		want = []string{
			"<toplevel>@2 1 0s", "<toplevel>@6 1 0s", "inner@3 < main@7 1 0s", "inner@3 < main@8 1 0s", "inner@4 < main@7 1 0s", "inner@4 < main@8 1 0s",
			"main@7 1 0s", "main@8 1 0s",
		}
		if got := lines(t, p, Script); !slices.Equal(got, want) {
			t.Errorf("script:\n%s", strings.Join(got, "\n"))
		}
		if err := p.Write(io.Discard, "cpu"); err == nil {
			t.Error("a profile of another kind is written")
		}
	})
}
