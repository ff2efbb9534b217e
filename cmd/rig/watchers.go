package main

import (
	"errors"
	"os"

	"rig/runtime/scenario"
	"rig/runtime/script"
)

// watchFlags attach to a run who looks over its shoulder.
type watchFlags struct {
	Pdb bool `group:"watching" help:"Stop where a test has failed, and look around."`
}

// watchers attaches what the flags ask for, and a debugger where a file calls breakpoint() and a person is there.
func (x *execution) watchers() error {
	if x.cmd.Pdb {
		x.converse(script.AllProbes, false)
		x.follow.debugger.PostMortem(true)
		return nil
	}
	_, in := terminal(x.s.in)
	_, out := terminal(x.s.out)
	files, err := expand(x.cmd.Paths)
	if err == nil && in && out && os.Getenv("CI") == "" && callsBreakpoint(files) {
		x.converse(script.MarkedProbes, false)
	}
	return nil
}

func asSkip(err error) (*scenario.SkipError, bool) {
	var skip *scenario.SkipError
	return skip, errors.As(err, &skip)
}
