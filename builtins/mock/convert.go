package mock

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.starlark.net/starlark"

	"rig/builtins/value"
	"rig/runtime/fault"
	"rig/runtime/mock"
	"rig/runtime/session"
)

// serverError reads 1213, "ER_LOCK_DEADLOCK" or a dict.
func serverError(v starlark.Value) (*mock.Error, error) {
	e := &mock.Error{}
	m, isDict := v.(starlark.IterableMapping)
	if !isDict {
		code, err := errorCode(v)
		e.Code = code
		return e, err
	}
	keys := []string{"code", "message", "sqlstate"}
	for _, kv := range m.Items() {
		key, ok := starlark.AsString(kv[0])
		if !ok || !slices.Contains(keys, key) {
			return nil, unknownKey(strings.Trim(kv[0].String(), `"`), keys)
		}
		var err error
		switch key {
		case "code":
			e.Code, err = errorCode(kv[1])
		case "message":
			e.Message, err = str(kv[1])
		case "sqlstate":
			e.SQLState, err = str(kv[1])
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
	}
	if e.Code == 0 {
		return nil, errors.New("it has no code")
	}
	return e, nil
}

func errorCode(v starlark.Value) (int, error) {
	name, ok := starlark.AsString(v)
	if !ok {
		n, err := number(v, 1)
		if err == nil && n > 65535 {
			err = fmt.Errorf("want a code from 1 to 65535, got %d", n)
		}
		return int(n), err
	}
	var names []string
	for _, e := range fault.Table() {
		if e.Name == name {
			return e.Code, nil
		}
		names = append(names, e.Name)
	}
	if near := fault.Suggest(name, names); near != "" {
		return 0, fmt.Errorf("no error is called %q, did you mean %q?", name, near)
	}
	return 0, fmt.Errorf("no error is called %q: rig help errors lists them, and every number will do", name)
}

func args(v starlark.Value) ([]mock.Arg, error) {
	list, err := sequence(v)
	if err != nil {
		return nil, err
	}
	out := make([]mock.Arg, len(list))
	for i, x := range list {
		if _, ok := x.(anything); ok {
			out[i].Any = true
			continue
		}
		if out[i].Value, err = toValue(x); err != nil {
			return nil, fmt.Errorf("argument %d: %w", i+1, err)
		}
	}
	return out, nil
}

// toValue gives a script's value as a mock sends it.
func toValue(v starlark.Value) (mock.Value, error) {
	a, err := value.ToArg(v)
	if err != nil {
		return mock.Value{}, err
	}
	switch a := a.(type) {
	case int64:
		return mock.Value{Kind: mock.Int, Text: strconv.FormatInt(a, 10)}, nil
	case uint64:
		return mock.Value{Kind: mock.Uint, Text: strconv.FormatUint(a, 10)}, nil
	case float64:
		return mock.Value{Kind: mock.Float, Text: strconv.FormatFloat(a, 'e', -1, 64)}, nil
	case bool:
		text := "0"
		if a {
			text = "1"
		}
		return mock.Value{Kind: mock.Int, Text: text}, nil
	case []byte:
		return mock.Value{Kind: mock.Bytes, Text: string(a)}, nil
	case session.Decimal:
		return mock.Value{Kind: mock.Decimal, Text: string(a)}, nil
	case string:
		return mock.Value{Kind: kindOf(v), Text: a}, nil
	}
	return mock.Value{}, nil
}

func kindOf(v starlark.Value) mock.Kind {
	switch v.Type() {
	case value.KindDate:
		return mock.Date
	case value.KindDateTime, "time.time":
		return mock.DateTime
	case value.KindClock, "time.duration":
		return mock.Clock
	}
	return mock.Text
}

// fromValue is the other way.
func fromValue(v mock.Value) starlark.Value {
	switch v.Kind {
	case mock.Null:
		return starlark.None
	case mock.Int, mock.Uint:
		if n, err := strconv.ParseInt(v.Text, 10, 64); err == nil {
			return starlark.MakeInt64(n)
		}
		if n, err := strconv.ParseUint(v.Text, 10, 64); err == nil {
			return starlark.MakeUint64(n)
		}
		if d, err := value.ParseDecimal(v.Text); err == nil {
			return d
		}
	case mock.Float:
		if f, err := strconv.ParseFloat(v.Text, 64); err == nil {
			return starlark.Float(f)
		}
	case mock.Decimal:
		if d, err := value.ParseDecimal(v.Text); err == nil {
			return d
		}
	case mock.Bytes:
		return starlark.Bytes(v.Text)
	case mock.Date, mock.DateTime, mock.Clock:
		kind := map[mock.Kind]string{mock.Date: value.KindDate, mock.DateTime: value.KindDateTime, mock.Clock: value.KindClock}[v.Kind]
		if t, err := value.ParseTemporal(kind, v.Text); err == nil {
			return t
		}
	}
	return starlark.String(v.Text)
}

func sequence(v starlark.Value) ([]starlark.Value, error) {
	s, ok := v.(starlark.Sequence)
	if _, isDict := v.(starlark.IterableMapping); !ok || isDict {
		return nil, fmt.Errorf("want a list, got %s", v.Type())
	}
	if s.Len() > maxElements {
		return nil, fmt.Errorf("%d elements are more than %d", s.Len(), maxElements)
	}
	return elements(s), nil
}

// maxElements bounds a list in a rule: range(1000000000) is one too.
const maxElements = 100_000

func elements(s starlark.Sequence) []starlark.Value {
	it := s.Iterate()
	defer it.Done()
	var out []starlark.Value
	var v starlark.Value
	for it.Next(&v) {
		out = append(out, v)
	}
	return out
}

func str(v starlark.Value) (string, error) {
	s, ok := starlark.AsString(v)
	if !ok {
		return "", fmt.Errorf("want str, got %s", v.Type())
	}
	return s, nil
}

func texts(v starlark.Value) ([]string, error) {
	list, err := sequence(v)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(list))
	for i, x := range list {
		if out[i], err = str(x); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func number(v starlark.Value, least int64) (int64, error) {
	i, ok := v.(starlark.Int)
	n, fits := i.Int64()
	if !ok {
		return 0, fmt.Errorf("want int, got %s", v.Type())
	}
	if !fits || n < least || n > 1<<62 {
		return 0, fmt.Errorf("want at least %d, got %s", least, i)
	}
	return n, nil
}
