package report

import (
	"slices"

	"rig/runtime/event"
)

// story is what reports need to know of the tests that run to tell why one failed.
type story struct {
	family
	trails
}

func newStory() story { return story{newFamily(), newTrails()} }

// see takes every event, before the report folds it.
func (s *story) see(e *event.Event) {
	s.family.see(e)
	if d, ok := e.Data.(*event.Statement); ok {
		s.note(s.outermost(e.Test), e.Session, d)
	}
}

// why describes the end of a test as an indented block of lines, "" when there is nothing to say.
func (s *story) why(id string, d *event.TestEnd, paint painter) string {
	if d.Outcome == event.OK || d.Outcome == event.Skipped && len(d.Errors) == 0 {
		return ""
	}
	if e := firstError(d.Errors); e != nil && e.Kind == "subtests" {
		return failure(d.Errors, nil, paint) // the subtest that failed has shown them
	}
	return failure(d.Errors, s.of(s.outermost(id), sessionOf(d.Errors)), paint)
}

// ended drops what is known of a test or subtest, after the report folded its end.
func (s *story) ended(id string) {
	if !s.isSubtest(id) {
		s.forget(id)
	}
	if isFixture(id) {
		file, _ := splitID(id)
		s.forget(file + "::setup_all")
	}
	s.done(id)
}

// copyError keeps an error beyond the event that brought it.
func copyError(e *event.Error) *event.Error {
	if e == nil {
		return nil
	}
	c := *e
	c.Stack = slices.Clone(e.Stack)
	return &c
}
