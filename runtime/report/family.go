package report

import (
	"strings"

	"rig/runtime/event"
)

// splitID cuts a test's id "file.star::test_x/sub" into file and name. What has no file belongs to "rig".
func splitID(id string) (file, name string) {
	if file, name, ok := strings.Cut(id, "::"); ok {
		return file, name
	}
	return "rig", id
}

// isFixture tells the ids under which setup_all and teardown_all appear; no test can have such a name.
func isFixture(id string) bool {
	return strings.HasSuffix(id, "::teardown_all") || strings.HasSuffix(id, "::setup_all")
}

// baseID takes the number of a repetition ("#2") from an id.
func baseID(id string) string {
	i := strings.LastIndexByte(id, '#')
	if i < 0 || i == len(id)-1 || strings.Trim(id[i+1:], "0123456789") != "" {
		return id
	}
	return id[:i]
}

// family tells tests from subtests. Event.Parent does not: journals of earlier versions have the test's own id there. A subtest's
// id continues the id of a test that is planned or runs.
type family struct {
	planned map[string]bool
	running map[string]bool
}

func newFamily() family {
	return family{planned: map[string]bool{}, running: map[string]bool{}}
}

// see takes the plan, and starts; call done after an end was looked at.
func (f *family) see(e *event.Event) {
	switch d := e.Data.(type) {
	case *event.Plan:
		for _, id := range d.Tests {
			f.planned[id] = true
		}
	case *event.TestStart:
		f.running[e.Test] = true
	}
}

func (f *family) done(id string) { delete(f.running, id) }

// outermost gives the test that a test's or subtest's id belongs to: the id itself for a test.
func (f *family) outermost(id string) string {
	if f.planned[id] {
		return id
	}
	from := max(strings.Index(id, "::"), 0)
	for i := from; i < len(id); i++ {
		if id[i] == '/' && (f.planned[id[:i]] || f.running[id[:i]]) {
			return id[:i]
		}
	}
	return id
}

func (f *family) isSubtest(id string) bool { return f.outermost(id) != id }
