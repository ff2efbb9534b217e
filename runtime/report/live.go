package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// redrawEvery bounds how often the live area is drawn.
const redrawEvery = 100 * time.Millisecond

// maxArea is how many lines the live area may have.
const maxArea = 8

// firstNotice is the age at which a test gets its first plain line.
const firstNotice = 10 * time.Second

func (o *ConsoleOptions) notice() time.Duration {
	if o.Debugged {
		return 1 << 62
	}
	return firstNotice
}

// area is the part of the terminal that changes.
type area struct {
	lines int       // drawn and not erased; the cursor is below the last
	at    time.Time // of the last drawing
}

// frame is one write: erase the area, add permanent text, draw the area anew.
func (c *Console) frame() []byte {
	lines := c.areaLines()
	if len(c.out) == 0 && len(lines) == 0 && c.area.lines == 0 {
		return nil
	}
	var b []byte
	if c.area.lines > 0 {
		b = append(b, "\x1b["...)
		b = strconv.AppendInt(b, int64(c.area.lines), 10)
		b = append(b, "A\r\x1b[J"...)
	}
	b = append(b, c.out...)
	for _, l := range lines {
		b = append(b, l...)
		b = append(b, '\n')
	}
	c.area = area{lines: len(lines), at: time.Now()}
	return b
}

// areaLines are the running tests, the oldest first, and the counts.
func (c *Console) areaLines() []string {
	if c.ended || len(c.tests) == 0 {
		return nil
	}
	width := 0
	if c.o.Width != nil {
		width = c.o.Width()
	}
	if width <= 0 {
		width = 80
	}
	shown := c.tests
	if len(shown) > maxArea-1 {
		shown = shown[:maxArea-2]
	}
	var lines []string
	for _, t := range shown {
		// One column stays free: writing into the last one wraps on some terminals.
		lines = append(lines, c.paint(dim, fit(c.areaLine(t), width-1)))
	}
	if more := len(c.tests) - len(shown); more > 0 {
		lines = append(lines, c.paint(dim, fit(fmt.Sprintf("  and %d more", more), width-1)))
	}
	return append(lines, fit(c.progress(), width-1))
}

func (c *Console) areaLine(t *shownTest) string {
	now := time.Now()
	s := "  " + age(now.Sub(t.since)) + "  " + oneLine(t.id)
	if t.watch != "" {
		return s + "  " + oneLine(clip(t.watch, 300))
	}
	if t.sql == "" {
		return s
	}
	s += "  "
	if t.session != "" {
		s += oneLine(t.session) + ": "
	}
	if !t.sqlFrom.IsZero() {
		s += "[" + age(now.Sub(t.sqlFrom)) + "] "
	}
	return s + oneLine(clip(t.sql, 300))
}

func (c *Console) progress() string {
	n := c.tally.count()
	done := n.Passed + n.Failed + n.Skipped + n.Unknown
	s := fmt.Sprintf("%d of %s done", done, count(int64(max(c.head.tests, done)), "test"))
	for _, p := range []struct {
		n    int
		what string
	}{{n.Failed, "failed"}, {n.Unknown, "unknown"}, {n.Skipped, "skipped"}, {len(c.tests), "running"}} {
		if p.n > 0 {
			s += fmt.Sprintf(", %d %s", p.n, p.what)
		}
	}
	return s + ", " + age(time.Since(c.began))
}

// age is a duration with as many digits as a line that changes ten times a second can bear.
func age(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.1fs", max(d, 0).Seconds())
	}
	return d.Truncate(time.Second).String()
}

// longRunning adds a plain line for each test that takes long: at 10, 30 and 60 seconds, then every minute.
func (c *Console) longRunning() {
	if c.o.Live || c.ended {
		return
	}
	for _, t := range c.tests {
		old := time.Since(t.since)
		if old < t.notice {
			continue
		}
		at := t.notice
		for t.notice <= old {
			at, t.notice = t.notice, nextNotice(t.notice)
		}
		sql := ""
		if t.watch != "" {
			sql = ": " + oneLine(clip(t.watch, 200))
		} else if t.sql != "" {
			sql = ": " + oneLine(clip(t.sql, 200))
		}
		c.line("... ", oneLine(t.id), " running for ", wholeUnits(at), sql)
	}
}

func nextNotice(d time.Duration) time.Duration {
	switch {
	case d < 30*time.Second:
		return 30 * time.Second
	case d < time.Minute:
		return time.Minute
	}
	return d + time.Minute
}

// wholeUnits writes 10s, 30s, 60s and then 2m, 3m.
func wholeUnits(d time.Duration) string {
	if d <= time.Minute {
		return strconv.Itoa(int(d.Seconds())) + "s"
	}
	return strings.TrimSuffix(d.String(), "0s")
}
