package value

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	starlarktime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"

	"rig/builtins/spec"
)

// Temporal is a DATE ("date"), a DATETIME or TIMESTAMP ("datetime") or a TIME ("clock"). None has a zone. Zero dates and
// clocks beyond a day exist, so it is no time.Time.
type Temporal struct {
	kind  string
	text  string
	parts [7]int // year, month, day, hour, minute, second, microsecond; of a clock the first three are 0
	neg   bool   // a clock below zero
}

var (
	_ starlark.TotallyOrdered = (*Temporal)(nil)
	_ starlark.HasAttrs       = (*Temporal)(nil)
)

// The kinds of Temporal, which are their types in scripts.
const (
	KindDate     = "date"
	KindDateTime = "datetime"
	KindClock    = "clock"
)

// ParseTemporal reads the server's text of a kind.
func ParseTemporal(kind, text string) (*Temporal, error) {
	t := &Temporal{kind: kind, text: text}
	rest := text
	ok := true
	if kind == KindClock {
		rest, t.neg = strings.CutPrefix(rest, "-")
		ok = t.clock(rest)
	} else {
		date, clock, has := strings.Cut(strings.Replace(rest, "T", " ", 1), " ")
		ok = t.numbers(0, date, "-", 3)
		if has {
			ok = ok && kind == KindDateTime && t.clock(clock)
		}
	}
	if !ok || !t.valid() {
		return nil, fmt.Errorf("%q is no %s: write it like %q", text, kind, map[string]string{
			KindDate: "2026-01-31", KindDateTime: "2026-01-31 12:30:00.5", KindClock: "12:30:00",
		}[kind])
	}
	return t, nil
}

func (t *Temporal) clock(s string) bool {
	whole, fraction, has := strings.Cut(s, ".")
	if !t.numbers(3, whole, ":", 3) {
		return false
	}
	if !has {
		return true
	}
	if len(fraction) == 0 || len(fraction) > 6 {
		return false
	}
	n, err := strconv.Atoi(fraction + "000000"[len(fraction):])
	t.parts[6] = n
	return err == nil && n >= 0
}

func (t *Temporal) numbers(at int, s, sep string, n int) bool {
	fields := strings.Split(s, sep)
	if len(fields) != n {
		return false
	}
	for i, f := range fields {
		v, err := strconv.Atoi(f)
		if err != nil || v < 0 {
			return false
		}
		t.parts[at+i] = v
	}
	return true
}

func (t *Temporal) valid() bool {
	p := t.parts
	if t.kind != KindClock && (p[1] > 12 || p[2] > 31 || p[3] > 23) {
		return false
	}
	return p[4] < 60 && p[5] < 60 && p[3] <= 838
}

func (t *Temporal) String() string { return t.text }

// Type is date, datetime or clock.
func (t *Temporal) Type() string         { return t.kind }
func (t *Temporal) Freeze()              {}
func (t *Temporal) Truth() starlark.Bool { return starlark.True }

// Hash is the same for equal moments, whatever the digits of their second.
func (t *Temporal) Hash() (uint32, error) {
	return starlark.String(fmt.Sprint(t.kind, t.neg, t.parts)).Hash()
}

// Cmp orders in time.
func (t *Temporal) Cmp(y starlark.Value, _ int) (int, error) {
	o := y.(*Temporal)
	if t.neg != o.neg {
		if t.neg {
			return -1, nil
		}
		return 1, nil
	}
	for i := range t.parts {
		if d := t.parts[i] - o.parts[i]; d != 0 {
			if t.neg {
				d = -d
			}
			return d, nil
		}
	}
	return 0, nil
}

// Attr finds an attribute.
func (t *Temporal) Attr(name string) (starlark.Value, error) { return temporalType.Attr(t, name) }

// AttrNames lists them.
func (t *Temporal) AttrNames() []string { return temporalType.AttrNames() }

func part(name, doc string, i int) spec.Attr {
	return spec.Attr{Name: name, Type: "int", Doc: doc, Get: func(v starlark.Value) (starlark.Value, error) {
		return starlark.MakeInt(v.(*Temporal).parts[i]), nil
	}}
}

var temporalType = (&spec.Type{
	Name: "datetime",
	Doc:  "A DATE (type date), DATETIME or TIMESTAMP (datetime) or TIME (clock) of the server. None has a zone; zero dates exist. Values of one type compare in time.",
	Example: `
row = t.db.query("SELECT CAST('2026-01-31 12:30:00.5' AS DATETIME(6)) AS at").one()
expect.eq(row.at.month, 1)
expect.eq(row.at, datetime("2026-01-31 12:30:00.5"))
`,
	Attrs: []spec.Attr{
		part("year", "0 in a zero date.", 0), part("month", "0 to 12.", 1), part("day", "0 to 31.", 2),
		part("hour", "Of a clock up to 838.", 3), part("minute", "0 to 59.", 4), part("second", "0 to 59.", 5),
		part("microsecond", "0 to 999999.", 6),
		{Name: "negative", Type: "bool", Doc: "True for a clock below zero.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.Bool(v.(*Temporal).neg), nil
		}},
		{Name: "time", Type: "time.time", Doc: "The same moment in UTC for module time. A zero date and a clock have none.", Get: func(v starlark.Value) (starlark.Value, error) {
			return v.(*Temporal).time()
		}},
	},
}).Seal()

func (t *Temporal) time() (starlark.Value, error) {
	p := t.parts
	if t.kind == KindClock || p[1] == 0 || p[2] == 0 {
		return nil, fmt.Errorf("%s %s is no moment", t.kind, t.text)
	}
	return starlarktime.Time(time.Date(p[0], time.Month(p[1]), p[2], p[3], p[4], p[5], p[6]*1000, time.UTC)), nil
}
