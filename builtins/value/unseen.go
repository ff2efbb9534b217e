package value

import (
	gocontext "context" // this package has a function of that name

	"rig/runtime/event"
	"rig/runtime/scenario"
)

// Unseen is about failures that a script may pass over: at the end of the test, those that nobody looked at fail it.
type Unseen struct {
	Call    string // "task.map"
	Pos     event.Pos
	Looked  func() bool
	Message func() string
	Hint    string
}

// Watch has the test look after them.
func (u Unseen) Watch(t *scenario.Test) {
	t.Cleanup(u.Call, func(gocontext.Context) error {
		if !u.Looked() {
			t.Late(&unseenError{&event.Error{Kind: "unseen", Message: u.Message(), Pos: u.Pos, Excerpt: t.Host().Excerpt(u.Pos), Hint: u.Hint}})
		}
		return nil
	})
}

// unseenError tells of failures that a script passed over.
type unseenError struct{ e *event.Error }

func (e *unseenError) Error() string { return e.e.Message }

// Report gives the form for reports.
func (e *unseenError) Report() *event.Error { return e.e }
