package main

import (
	"rig/runtime/script"
)

// debugCmd runs scenarios under the debugger, in a conversation. It takes the flags of exec.
type debugCmd struct{ execCmd }

// Help is shown below the flags.
func (debugCmd) Help() string {
	return "Set breakpoints with break, run with continue, look with where, locals and print; help lists the commands. " +
		"Where stdin is no terminal, commands are read as plain lines: rig debug test.star < commands."
}

// Run debugs the scenarios.
func (c *debugCmd) Run(s streams, flags *paramFlags) error {
	if c.List {
		return usage("debug lists no tests: rig exec --list does")
	}
	if c.Jobs == "" {
		c.Jobs = "1" // tests of other threads would stop in between
	}
	return c.execCmd.start(s, flags, func(x *execution) error {
		if err := present(c.Paths); err != nil {
			return err
		}
		x.converse(script.AllProbes, true)
		return nil
	})
}
