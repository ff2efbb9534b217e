package report

import (
	"fmt"
	"strings"

	"rig/runtime/event"
)

// trace shows a statement that begins, and before it what the last one of its function changed. Where the run has several tests, which
// may run at once, each line begins with its test.
func (c *Console) trace(e *event.Event, d *event.Trace) {
	who := c.traced(e.Test)
	if d.Thread != e.Test && d.Thread != "" && !strings.HasPrefix(d.Thread, "load ") {
		who += oneLine(d.Thread) + " "
	}
	indent := strings.Repeat("  ", min(max(d.Depth-1, 0), 20))
	for _, f := range d.Changes {
		c.line(c.paint(dim, fmt.Sprintf("%s%s    %s = %s", who, indent, oneLine(f.Key), oneLine(f.Value))))
	}
	c.line(fmt.Sprintf("%s%s%s  %s", who, indent, oneLine(event.Pos{File: e.Pos.File, Line: e.Pos.Line}.String()), oneLine(d.Source)))
}

// traced names a test for the lines of its trace: by as much of its id as tells it from the others.
func (c *Console) traced(id string) string {
	if c.head.tests < 2 || id == "" {
		return ""
	}
	if _, name := splitID(id); !c.head.files {
		id = name
	}
	return oneLine(id) + " "
}
