package data

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"rig/builtins/spec"
	"rig/builtins/value"
	"rig/runtime/script"
)

// field is a column with what goes into it: a value, a function of n, or a factory.
type field struct {
	name string
	v    starlark.Value
}

// factory makes rows of one table. It does not change: numbers and rows belong to the test that runs.
type factory struct {
	states *States
	table  string
	id     string
	fields []field
}

var _ starlark.HasAttrs = (*factory)(nil)

func (f *factory) String() string        { return "<factory " + f.table + ">" }
func (f *factory) Type() string          { return "factory" }
func (f *factory) Truth() starlark.Bool  { return true }
func (f *factory) Hash() (uint32, error) { return unhashable("factory") }

// Freeze does nothing: the functions were shared when the factory was defined, and nothing else changes.
func (f *factory) Freeze() {}

// Attr finds a member.
func (f *factory) Attr(name string) (starlark.Value, error) { return factoryType.Attr(f, name) }

// AttrNames lists the members.
func (f *factory) AttrNames() []string { return factoryType.AttrNames() }

var overridesParam = spec.Param{Name: "overrides", Type: "any", Keywords: true, Doc: "Columns that are to be other than by default: values, functions of n, or factories."}

var factoryType = (&spec.Type{
	Name: "factory",
	Doc:  "Makes rows of one table; see data.factory.",
	Example: `
t.db.exec("CREATE TABLE fruit (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(40), price DECIMAL(8,2) DEFAULT 1.50)")
fruit = data.factory("fruit", {"name": lambda n: "fruit %d" % n})
apple = fruit.create(name = "apple")
expect.eq((apple.name, apple.price), ("apple", decimal("1.50")))
expect.eq([f.name for f in fruit.create_many(2)], ["fruit 2", "fruit 3"])
expect.eq(fruit.build().name, "fruit 4")
expect.eq(t.db.query("SELECT COUNT(*) FROM fruit").scalar(), 3)
`,
	Attrs: []spec.Attr{{Name: "table", Type: "str", Doc: "The table.", Get: func(v starlark.Value) (starlark.Value, error) {
		return starlark.String(v.(*factory).table), nil
	}}},
	Methods: []*spec.Func{
		{
			Name: "create", Returns: "row", Doc: "Inserts a row and returns it as the server has it, with all columns. It is deleted at the end of the test (or subtest) that made it, also when that failed.",
			Params: []spec.Param{connParam, overridesParam},
			Impl: func(c *spec.Call) (starlark.Value, error) {
				m, err := newMaker(c)
				if err != nil {
					return nil, err
				}
				return m.create(overrides(c))
			},
		},
		{
			Name: "create_many", Returns: "list", Doc: "Inserts n rows, each with an n of its own, and returns them.",
			Params: []spec.Param{{Name: "n", Type: "int", Doc: "How many."}, connParam, overridesParam},
			Impl:   createMany,
		},
		{
			Name: "build", Returns: "struct", Doc: "Gives the values of a row without a database. A column whose value another factory makes is None.",
			Params: []spec.Param{overridesParam},
			Impl: func(c *spec.Call) (starlark.Value, error) {
				f := c.Recv.(*factory)
				row, _, err := f.fill(c, overrides(c), func(*factory) (starlark.Value, error) { return starlark.None, nil })
				if err != nil {
					return nil, err
				}
				d := starlark.StringDict{}
				for _, x := range row {
					d[x.name] = x.v
				}
				return starlarkstruct.FromStringDict(starlarkstruct.Default, d), nil
			},
		},
	},
}).Seal()

var connParam = spec.Param{Name: "conn", Type: "session", Optional: true, KwOnly: true, Doc: "The session that inserts; t.db without it."}

// maxRows bounds create_many: conn.insert is for more.
const maxRows = 100_000

func createMany(c *spec.Call) (starlark.Value, error) {
	n := c.Int("n")
	if n < 0 || n > maxRows {
		return nil, c.Errorf("n", "want 0 to %d rows, got %d; conn.insert takes any number", maxRows, n)
	}
	m, err := newMaker(c)
	if err != nil {
		return nil, err
	}
	list := make([]starlark.Value, 0, n)
	for range n {
		row, err := m.create(overrides(c))
		if err != nil {
			return nil, err
		}
		list = append(list, row)
	}
	return starlark.NewList(list), nil
}

func overrides(c *spec.Call) []field {
	var out []field
	for _, kv := range c.Extra {
		out = append(out, field{string(kv[0].(starlark.String)), kv[1]})
	}
	return out
}

// building is a row whose values are being made, with the row that needs it around it.
type building struct {
	f      *factory
	faker  *fakerSource
	around *building
}

// buildingKey is the thread's local that holds a *building.
const buildingKey = "rig.data.building"

func buildingOf(th *starlark.Thread) *building {
	b, _ := th.Local(buildingKey).(*building)
	return b
}

// maxNested is how often a factory may be at work within itself: a tree may be made so, a circle has no end.
const maxNested = 10

// enter begins a row; leave must be called at its end.
func (f *factory) enter(c *spec.Call, source *fakerSource) (leave func(), err error) {
	around := buildingOf(c.Thread)
	times, names := 0, []string{f.table}
	for b := around; b != nil; b = b.around {
		if times == 0 {
			names = append([]string{b.f.table}, names...)
		}
		if b.f == f {
			times++
		}
	}
	if times >= maxNested {
		return nil, &spec.ArgError{
			Call: c.Name(), Problem: "factories make each other in a circle: " + strings.Join(names, " -> "),
			Hint: "give one of them the column as an override",
		}
	}
	c.Thread.SetLocal(buildingKey, &building{f, source, around})
	return func() { c.Thread.SetLocal(buildingKey, around) }, nil
}

// fill gives the values of the next row. parent makes the value of a column that is a factory.
func (f *factory) fill(c *spec.Call, over []field, parent func(*factory) (starlark.Value, error)) ([]field, int64, error) {
	t, st, err := f.states.of(c.Thread)
	if err != nil {
		return nil, 0, err
	}
	n := st.next(f)
	leave, err := f.enter(c, rowSource(t.Seed(), f.table, n))
	if err != nil {
		return nil, 0, err
	}
	defer leave()
	row := f.merged(over)
	for i := range row {
		if row[i].v, err = f.evaluate(c, row[i], n, parent); err != nil {
			return nil, 0, err
		}
	}
	return row, n, nil
}

// merged is the defaults with overrides in their places; further columns follow.
func (f *factory) merged(over []field) []field {
	row := append([]field(nil), f.fields...)
next:
	for _, o := range over {
		for i := range row {
			if strings.EqualFold(row[i].name, o.name) {
				row[i].v = o.v
				continue next
			}
		}
		row = append(row, o)
	}
	return row
}

func (f *factory) evaluate(c *spec.Call, x field, n int64, parent func(*factory) (starlark.Value, error)) (starlark.Value, error) {
	switch v := x.v.(type) {
	case *factory:
		return parent(v)
	case starlark.Callable:
		args := starlark.Tuple{starlark.MakeInt64(n)}
		if isFake(v) {
			args = nil
		}
		out, err := starlark.Call(c.Thread, v, args, nil)
		if err != nil {
			return nil, err
		}
		if p, ok := out.(*factory); ok {
			return parent(p)
		}
		return out, f.storable(c, x.name, out)
	}
	return x.v, f.storable(c, x.name, x.v)
}

func (f *factory) storable(c *spec.Call, column string, v starlark.Value) error {
	if _, err := value.ToArg(v); err != nil {
		return &spec.ArgError{Call: c.Name(), Problem: fmt.Sprintf("table %s: column %s: %v", f.table, column, err)}
	}
	return nil
}

func factoryFunc(s *States) *spec.Func {
	return &spec.Func{
		Name: "factory", Returns: "factory", LoadTime: true,
		Doc: "Defines how rows of a table are made: what is in each column unless create says otherwise. Put it at the top of a file and the tests share it: n counts from 1 in each test, and each test deletes what it made, the youngest rows first, so that rows go before those that they point to. Columns that are not named have the table's own defaults.",
		Params: []spec.Param{
			{Name: "table", Type: "str", Doc: "The table, or database.table."},
			{Name: "defaults", Type: "dict", Doc: "Columns with a value, a function that is called with n, a function of data.fake (data.fake.email), or another factory: then a row of that is made first, and its id goes into the column. Functions are frozen with all that they hold."},
			{Name: "id", Type: "str", Default: starlark.String("id"), Doc: "The column that tells rows apart: AUTO_INCREMENT, or given."},
		},
		Example: `
t.requires("transactions")
t.db.exec("CREATE TABLE users (id INT PRIMARY KEY AUTO_INCREMENT, email VARCHAR(80) UNIQUE, name VARCHAR(80))")
t.db.exec("CREATE TABLE orders (id INT PRIMARY KEY AUTO_INCREMENT, user_id INT NOT NULL, total DECIMAL(8,2), FOREIGN KEY (user_id) REFERENCES users (id))")
users = data.factory("users", {"email": lambda n: "user%d@example.com" % n, "name": data.fake.name})
orders = data.factory("orders", {"user_id": users, "total": decimal("9.50")})
ada = users.create(name = "Ada")
expect.eq((ada.name, ada.email), ("Ada", "user1@example.com"))
expect.eq(orders.create(user_id = ada.id).user_id, ada.id)
expect.eq(orders.create().user_id, 2)  # of a user that was made for it
`,
		Impl: func(c *spec.Call) (starlark.Value, error) { return newFactory(c, s) },
	}
}

func newFactory(c *spec.Call, s *States) (starlark.Value, error) {
	f := &factory{states: s, table: c.Str("table"), id: c.Str("id")}
	for _, p := range []string{"table", "id"} {
		if strings.TrimSpace(c.Str(p)) == "" {
			return nil, c.Errorf(p, "it is empty")
		}
	}
	for _, kv := range c.Arg("defaults").(starlark.IterableMapping).Items() {
		name, ok := starlark.AsString(kv[0])
		if !ok || name == "" {
			return nil, c.Errorf("defaults", "a key is a column's name, got %s %s", kv[0].Type(), kv[0])
		}
		for _, x := range f.fields {
			if strings.EqualFold(x.name, name) {
				return nil, c.Errorf("defaults", "column %s is there twice: %s", x.name, name)
			}
		}
		if err := f.allowed(c, name, kv[1]); err != nil {
			return nil, err
		}
		f.fields = append(f.fields, field{name, kv[1]})
	}
	return f, nil
}

// allowed checks a default. Functions are shared at once: any thread may use a factory.
func (f *factory) allowed(c *spec.Call, name string, v starlark.Value) error {
	switch v := v.(type) {
	case *factory:
		return nil
	case *spec.Builtin:
		return nil
	case starlark.Callable:
		return c.Script().Host().Share(v)
	}
	if _, err := value.ToArg(v); err != nil {
		return c.Errorf("defaults", "column %s: %v", name, err)
	}
	return nil
}

// holder is who calls, for the session.
func holder(c *spec.Call) string {
	if t := script.From(c.Thread); t != nil {
		return t.Name()
	}
	return ""
}
