package value

import (
	gocontext "context"
	"time"

	"go.starlark.net/starlark"

	"rig/runtime/coord"
	"rig/runtime/event"
	"rig/runtime/scenario"
	"rig/runtime/script"
)

// Member is a machine's place in a coordinator.
type Member struct {
	Crew, ID string
	Group    *coord.Group
	Test     *scenario.Test
	Thread   *script.Thread // of the member's own
	Pos      event.Pos      // the line that runs the coordinator
	Connect  scenario.ConnectOptions
	Data     starlark.Value // a dict to copy, nil without one
	Timeout  time.Duration
}

// MemberResult is how a member's machine ended. State is one of the machine's, Result what its run would return; nil where it
// did not begin.
type MemberResult struct {
	State  string
	Result starlark.Value
}

// Runner is a machine that a coordinator can run as a member.
type Runner interface {
	starlark.Value
	RunMember(ctx gocontext.Context, m Member) (MemberResult, error)
}
