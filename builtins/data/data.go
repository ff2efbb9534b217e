// Package data declares the module data: rows for tests, with names and values to fill them.
package data

import (
	"context"
	"fmt"
	"sync"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/runtime/data"
	"rig/runtime/event"
	"rig/runtime/scenario"
	"rig/runtime/script"
)

// Module lists the functions.
func Module(s *States) *spec.Module {
	fakeType := newFakeType(s)
	return &spec.Module{
		Name: "data", Doc: "Rows for tests: factories that clean up after themselves, values that look real and are the same for the same --seed, files of rows, names that nobody else has.",
		Funcs: []*spec.Func{uniqueNameFunc, factoryFunc(s), csvFunc},
		Types: []*spec.Type{factoryType, fakeType},
		Constants: []spec.Constant{
			{Name: "fake", Type: "fake", Doc: "Values that look real; see the type fake.", Value: &fake{fakeType}},
		},
	}
}

// States keeps what tests have made; one belongs to a run.
type States struct {
	mu    sync.Mutex
	tests map[*scenario.Test]*state // guarded by mu, by outermost test
}

// NewStates makes an empty set.
func NewStates() *States { return &States{tests: map[*scenario.Test]*state{}} }

// state is what one test has made, with its subtests: they share its database.
type state struct {
	mu      sync.Mutex
	numbers map[*factory]int64         // guarded by mu: the last n of each factory
	columns map[tableKey][]column      // guarded by mu: what the server said
	ledgers map[*scenario.Test]*ledger // guarded by mu, by test or subtest
	fakers  map[fakerKey]*data.Faker   // guarded by mu; each is used by one thread
}

// of gives the state of the test that the thread runs in.
func (s *States) of(th *starlark.Thread) (*scenario.Test, *state, error) {
	t, err := scenario.FromThread(th)
	if err != nil {
		return nil, nil, err
	}
	root := t.Root()
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.tests[root]
	if st == nil {
		st = &state{
			numbers: map[*factory]int64{}, columns: map[tableKey][]column{},
			ledgers: map[*scenario.Test]*ledger{}, fakers: map[fakerKey]*data.Faker{},
		}
		s.tests[root] = st
		root.Cleanup("forget data", func(context.Context) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.tests, root)
			return nil
		})
	}
	return t, st, nil
}

// next counts the rows of a factory from 1.
func (s *state) next(f *factory) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.numbers[f]++
	return s.numbers[f]
}

type fakerKey struct {
	test   event.ID
	thread string
}

// faker is the source of the calling thread: within a factory that of the row, so that rows do not depend on who makes them
// in which order; elsewhere each task has its own, as package rand does it.
func (s *States) faker(th *starlark.Thread) (*data.Faker, error) {
	if b := buildingOf(th); b != nil {
		return b.faker, nil
	}
	t, st, err := s.of(th)
	if err != nil {
		return nil, err
	}
	name := script.From(th).Name()
	key := fakerKey{t.EventID(), name}
	st.mu.Lock()
	defer st.mu.Unlock()
	f := st.fakers[key]
	if f == nil {
		f = data.NewFaker(t.Seed(), taskName(name))
		st.fakers[key] = f
	}
	return f, nil
}

// taskName drops the number from a task's name: it differs from run to run.
func taskName(name string) string {
	for i := len(name) - 1; i > 0; i-- {
		if name[i] == '#' {
			return name[:i]
		}
	}
	return name
}

var uniqueNameFunc = &spec.Func{
	Name: "unique_name", Returns: "str",
	Doc: "Gives a name that nothing else has, in this run or in another: the prefix, the run, and a number. It has at most 64 characters, as names of tables, databases and user locks may. What is made with it is the test's to remove; t.table gives a table's name and drops the table.",
	Params: []spec.Param{
		{Name: "prefix", Type: "str", Doc: "The beginning."},
	},
	Example: `
lock = data.unique_name("booking")
expect.true(lock.startswith("booking_") and len(lock) <= 64)
expect.ne(data.unique_name("booking"), lock)
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		t, err := scenario.FromThread(c.Thread)
		if err != nil {
			return nil, err
		}
		prefix := c.Str("prefix")
		if prefix == "" {
			return nil, c.Errorf("prefix", "it is empty")
		}
		for _, r := range prefix {
			if r < ' ' || r == '`' || r == '\'' || r == '"' {
				return nil, c.Errorf("prefix", "a name has no %q", r)
			}
		}
		name, err := data.Name(prefix, t.RunID(), uint64(t.Bus().NextID()))
		if err != nil {
			return nil, c.Errorf("prefix", "%v", err)
		}
		return starlark.String(name), nil
	},
}

func unhashable(what string) (uint32, error) { return 0, fmt.Errorf("unhashable type: %s", what) }
