package value

import (
	"database/sql/driver"
	"fmt"
	"time"

	starlarktime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"

	"rig/runtime/session"
)

// FromCell gives a cell of a column as scripts see it.
func FromCell(c session.Cell, t session.Type) starlark.Value {
	switch c.Kind {
	case session.CellNull:
		return starlark.None
	case session.CellInt:
		return starlark.MakeInt64(c.Int())
	case session.CellUint:
		return starlark.MakeUint64(c.Uint())
	case session.CellFloat:
		return starlark.Float(c.Float())
	case session.CellBytes:
		return starlark.Bytes(c.Text)
	}
	return fromText(c.Text, t)
}

func fromText(s string, t session.Type) starlark.Value {
	kind := ""
	switch t {
	case session.TypeDecimal:
		if d, err := ParseDecimal(s); err == nil {
			return d
		}
	case session.TypeDate:
		kind = KindDate
	case session.TypeDateTime, session.TypeTimestamp:
		kind = KindDateTime
	case session.TypeTime:
		kind = KindClock
	}
	if kind != "" {
		if v, err := ParseTemporal(kind, s); err == nil {
			return v
		}
	}
	return starlark.String(s) // what the server says stays readable
}

// ToArg gives a script's value as an argument of a statement.
func ToArg(v starlark.Value) (driver.Value, error) {
	switch v := v.(type) {
	case starlark.NoneType:
		return nil, nil
	case starlark.String:
		return string(v), nil
	case starlark.Int:
		return intArg(v), nil
	case starlark.Bool:
		return bool(v), nil
	case starlark.Float:
		return float64(v), nil
	case starlark.Bytes:
		return []byte(v), nil
	case Decimal:
		return session.Decimal(v.String()), nil
	case *Temporal:
		return v.text, nil
	case starlarktime.Time:
		return time.Time(v).UTC().Format("2006-01-02 15:04:05.999999"), nil
	case starlarktime.Duration:
		return clockText(time.Duration(v)), nil
	}
	err := fmt.Errorf("a %s is no SQL value", v.Type())
	switch v.(type) {
	case *starlark.List, starlark.Tuple:
		err = fmt.Errorf("a %s is no SQL value: write one ? for each element, or json.encode(x) for a JSON column", v.Type())
	case *starlark.Dict:
		err = fmt.Errorf("a dict is no SQL value: json.encode(x) makes one for a JSON column")
	}
	return nil, err
}

// intArg keeps an integer of any size: beyond 64 bits it goes as a literal.
func intArg(i starlark.Int) driver.Value {
	if n, ok := i.Int64(); ok {
		return n
	}
	if n, ok := i.Uint64(); ok {
		return n
	}
	return session.Decimal(i.String())
}

func clockText(d time.Duration) string {
	sign := ""
	if d < 0 {
		sign, d = "-", -d
	}
	us := d.Microseconds()
	s := us / 1e6
	return fmt.Sprintf("%s%d:%02d:%02d.%06d", sign, s/3600, s/60%60, s%60, us%1e6)
}

// ToArgs converts the arguments of a statement.
func ToArgs(args []starlark.Value) ([]driver.Value, error) {
	if len(args) == 0 {
		return nil, nil
	}
	out := make([]driver.Value, len(args))
	for i, a := range args {
		v, err := ToArg(a)
		if err != nil {
			return nil, fmt.Errorf("argument %d: %w", i+1, err)
		}
		out[i] = v
	}
	return out, nil
}
