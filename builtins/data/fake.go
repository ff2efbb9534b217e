package data

import (
	"time"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/builtins/value"
	"rig/runtime/data"
)

// fake is data.fake.
type fake struct{ t *spec.Type }

func (*fake) String() string        { return "data.fake" }
func (*fake) Type() string          { return "fake" }
func (*fake) Freeze()               {}
func (*fake) Truth() starlark.Bool  { return true }
func (*fake) Hash() (uint32, error) { return unhashable("fake") }

// Attr finds a member.
func (f *fake) Attr(name string) (starlark.Value, error) { return f.t.Attr(f, name) }

// AttrNames lists the members.
func (f *fake) AttrNames() []string { return f.t.AttrNames() }

// isFake reports whether a function is one of data.fake.
func isFake(fn starlark.Callable) bool {
	b, ok := fn.(*spec.Builtin)
	if !ok {
		return false
	}
	_, ok = b.Receiver().(*fake)
	return ok
}

// newFakeType declares data.fake for the sources of one run.
func newFakeType(s *States) *spec.Type {
	t := &spec.Type{
		Name: "fake", Var: "data.fake",
		Doc: "Values that look real. The same --seed gives the same values: within a factory for each row, whoever makes it; elsewhere for each test and task. None is unique by itself.",
		Example: `
expect.contains(data.fake.email(), "@example.")
expect.true(1 <= data.fake.int(1, 6) and data.fake.int(1, 6) <= 6)
`,
	}
	for _, k := range data.Texts() {
		t.Methods = append(t.Methods, &spec.Func{
			Name: k.Name, Returns: "str", Doc: k.Doc,
			Impl: s.faking(func(_ *spec.Call, f *data.Faker) (starlark.Value, error) { return starlark.String(k.Make(f)), nil }),
		})
	}
	t.Methods = append(t.Methods, s.numbers()...)
	t.Methods = append(t.Methods, s.moments()...)
	return t.Seal()
}

// faking is a method with the calling thread's source.
func (s *States) faking(f func(*spec.Call, *data.Faker) (starlark.Value, error)) spec.Impl {
	return func(c *spec.Call) (starlark.Value, error) {
		source, err := s.faker(c.Thread)
		if err != nil {
			return nil, err
		}
		return f(c, source)
	}
}

// maxPlaces is how many digits after the point a DECIMAL of MySQL may have.
const maxPlaces = 30

func bounds(lo, hi int) []spec.Param {
	return []spec.Param{
		{Name: "lo", Type: "int", Default: starlark.MakeInt(lo), Doc: "The least."},
		{Name: "hi", Type: "int", Default: starlark.MakeInt(hi), Doc: "The greatest."},
	}
}

func (s *States) numbers() []*spec.Func {
	return []*spec.Func{
		{
			Name: "int", Returns: "int", Doc: "A whole number, both ends included.", Params: bounds(0, 1_000_000),
			Impl: s.faking(func(c *spec.Call, f *data.Faker) (starlark.Value, error) {
				lo, hi, err := ordered(c)
				if err != nil {
					return nil, err
				}
				return starlark.MakeInt64(f.Int(lo, hi)), nil
			}),
		},
		{
			Name: "decimal", Returns: "decimal", Doc: "An exact number, both ends included.",
			Params: append(bounds(0, 1000), spec.Param{Name: "places", Type: "int", Default: starlark.MakeInt(2), Doc: "Digits after the point, at most 30."}),
			Impl: s.faking(func(c *spec.Call, f *data.Faker) (starlark.Value, error) {
				lo, hi, err := ordered(c)
				if err != nil {
					return nil, err
				}
				if n := c.Int("places"); n < 0 || n > maxPlaces {
					return nil, c.Errorf("places", "want 0 to %d, got %d", maxPlaces, n)
				}
				return value.ParseDecimal(f.Decimal(lo, hi, int(c.Int("places"))))
			}),
		},
		{
			Name: "float", Returns: "float", Doc: "A number from 0 up to but not including 1.",
			Impl: s.faking(func(_ *spec.Call, f *data.Faker) (starlark.Value, error) { return starlark.Float(f.Float(0, 1)), nil }),
		},
		{
			Name: "bool", Returns: "bool", Doc: "True or False.",
			Impl: s.faking(func(_ *spec.Call, f *data.Faker) (starlark.Value, error) { return starlark.Bool(f.Bool()), nil }),
		},
		{
			Name: "choice", Returns: "any", Doc: "One of the items.",
			Params: []spec.Param{{Name: "items", Type: "list", Doc: "A list or tuple that is not empty."}},
			Impl: s.faking(func(c *spec.Call, f *data.Faker) (starlark.Value, error) {
				items := c.List("items")
				if len(items) == 0 {
					return nil, c.Errorf("items", "there is nothing to choose from")
				}
				return items[f.Int(0, int64(len(items)-1))], nil
			}),
		},
	}
}

func ordered(c *spec.Call) (lo, hi int64, err error) {
	lo, hi = c.Int("lo"), c.Int("hi")
	if lo > hi {
		return 0, 0, c.Errorf("hi", "%d is less than lo %d", hi, lo)
	}
	return lo, hi, nil
}

// spanParams is a fixed span, so that a seed gives the same next year.
var spanParams = []spec.Param{
	{Name: "lo", Type: "str|date", Default: starlark.String("2000-01-01"), Doc: "The first day."},
	{Name: "hi", Type: "str|date", Default: starlark.String("2029-12-31"), Doc: "The last day."},
}

func (s *States) moments() []*spec.Func {
	return []*spec.Func{
		{Name: "date", Returns: "date", Doc: "A day, both ends included.", Params: spanParams, Impl: s.faking(func(c *spec.Call, f *data.Faker) (starlark.Value, error) {
			lo, hi, err := days(c)
			if err != nil {
				return nil, err
			}
			return value.ParseTemporal(value.KindDate, f.Time(lo, hi.Add(24*time.Hour-time.Second)).Format(time.DateOnly))
		})},
		{Name: "datetime", Returns: "datetime", Doc: "A second of a day, both ends included.", Params: spanParams, Impl: s.faking(func(c *spec.Call, f *data.Faker) (starlark.Value, error) {
			lo, hi, err := days(c)
			if err != nil {
				return nil, err
			}
			return value.ParseTemporal(value.KindDateTime, f.Time(lo, hi.Add(24*time.Hour-time.Second)).Format(time.DateTime))
		})},
	}
}

func days(c *spec.Call) (lo, hi time.Time, err error) {
	if lo, err = day(c, "lo"); err != nil {
		return lo, hi, err
	}
	if hi, err = day(c, "hi"); err != nil {
		return lo, hi, err
	}
	if hi.Before(lo) {
		return lo, hi, c.Errorf("hi", "%s is before lo %s", hi.Format(time.DateOnly), lo.Format(time.DateOnly))
	}
	return lo, hi, nil
}

func day(c *spec.Call, param string) (time.Time, error) {
	text, ok := starlark.AsString(c.Arg(param))
	if !ok {
		text = c.Arg(param).String()
	}
	d, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return d, c.Errorf(param, "%q is no day: write it like \"2024-02-29\"", text)
	}
	return d, nil
}
