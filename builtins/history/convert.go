package history

import (
	"fmt"

	"go.starlark.net/starlark"

	"rig/builtins/value"
	"rig/runtime/history"
)

// deepest is how deep a value may be nested.
const deepest = 32

// toValue gives a script's value as a history has it.
func toValue(v starlark.Value, depth int) (history.Value, error) {
	if depth > deepest {
		return history.Value{}, fmt.Errorf("more than %d values within each other", deepest)
	}
	switch v := v.(type) {
	case nil, starlark.NoneType:
		return history.Value{}, nil
	case starlark.Bool:
		n := int64(0)
		if v {
			n = 1
		}
		return history.Value{Kind: history.Bool, Int: n}, nil
	case starlark.Int:
		n, ok := v.Int64()
		if !ok {
			return history.Value{}, fmt.Errorf("%s is too large a number for a history", v)
		}
		return history.Value{Kind: history.Int, Int: n}, nil
	case starlark.Float:
		return history.Value{Kind: history.Float, Text: v.String()}, nil
	case starlark.String:
		return history.Value{Kind: history.Text, Text: string(v)}, nil
	case value.Decimal:
		return history.Value{Kind: history.Float, Text: v.String()}, nil
	case starlark.IterableMapping:
		return toMap(v, depth)
	case *starlark.Set:
		return toItems(history.Set, v, depth)
	case starlark.Iterable:
		return toItems(history.List, v, depth)
	}
	return history.Value{}, fmt.Errorf("a history has no values of type %s: take a number, a str, a list or a dict", v.Type())
}

func toItems(kind history.Kind, v starlark.Iterable, depth int) (history.Value, error) {
	out := history.Value{Kind: kind}
	it := v.Iterate()
	defer it.Done()
	var x starlark.Value
	for it.Next(&x) {
		item, err := toValue(x, depth+1)
		if err != nil {
			return out, err
		}
		out.Items = append(out.Items, item)
	}
	return out, nil
}

// toMap has keys that are texts as keywords, as Jepsen has the names of fields.
func toMap(v starlark.IterableMapping, depth int) (history.Value, error) {
	out := history.Value{Kind: history.Map}
	for _, kv := range v.Items() {
		key, err := toValue(kv[0], depth+1)
		if err != nil {
			return out, err
		}
		val, err := toValue(kv[1], depth+1)
		if err != nil {
			return out, err
		}
		out.Items = append(out.Items, key, val)
	}
	return out, nil
}

// fromValue gives a value of a history to a script, frozen.
func fromValue(v *history.Value) starlark.Value {
	switch v.Kind {
	case history.NilValue:
		return starlark.None
	case history.Bool:
		return starlark.Bool(v.Int != 0)
	case history.Int:
		return starlark.MakeInt64(v.Int)
	case history.List, history.Set:
		items := make([]starlark.Value, len(v.Items))
		for i := range v.Items {
			items[i] = fromValue(&v.Items[i])
		}
		return starlark.Tuple(items)
	case history.Map:
		d := starlark.NewDict(len(v.Items) / 2)
		for i := 0; i+1 < len(v.Items); i += 2 {
			_ = d.SetKey(fromValue(&v.Items[i]), fromValue(&v.Items[i+1])) // keys came from a dict
		}
		d.Freeze()
		return d
	}
	w, _ := v.Word()
	if v.Kind == history.Float {
		w = v.Text
	}
	return starlark.String(w)
}
