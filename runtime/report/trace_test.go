package report

import (
	"strings"
	"testing"

	"rig/runtime/event"
)

// The lines of tests that run at once are told apart, by the file too where there are several; one test's are not marked.
func TestTraceNamesItsTest(t *testing.T) {
	for _, x := range []struct {
		name string
		plan []string
		want []string
	}{
		{"one", []string{"a.star::test_a"}, []string{"a.star:1  def f():", "    x = 1", "a.star:7  y = 2", "late#1   b.star:8  z = 3"}},
		{"several", []string{"a.star::test_a", "a.star::test_b"}, []string{
			"a.star:1  def f():", "test_a     x = 1", "test_a a.star:7  y = 2", "test_b/sub     x = 1", "test_b/sub a.star:7  y = 2", "test_b late#1   b.star:8  z = 3",
		}},
		{"files", []string{"a.star::test_a", "b.star::test_b"}, []string{"a.star:1  def f():", "a.star::test_a a.star:7  y = 2", "a.star::test_b late#1   b.star:8  z = 3"}},
	} {
		t.Run(x.name, func(t *testing.T) {
			s := begin(nil, x.plan...)
			s.add("", "", "a.star:1", &event.Trace{Thread: "load a.star", Source: "def f():", Depth: 1})
			for _, id := range []string{"a.star::test_a", "a.star::test_b/sub"} {
				s.add(id, "", "a.star:7", &event.Trace{Thread: id, Source: "y = 2", Depth: 1, Changes: []event.Field{{Key: "x", Value: "1"}}})
			}
			s.add("a.star::test_b", "", "b.star:8", &event.Trace{Thread: "late#1", Source: "z = 3", Depth: 2})
			got := onConsole(t, ConsoleOptions{}, s)
			for _, line := range x.want {
				if !strings.Contains("\n"+got, "\n"+line+"\n") {
					t.Errorf("no line %q in\n%s", line, got)
				}
			}
		})
	}
}
