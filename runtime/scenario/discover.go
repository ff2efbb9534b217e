package scenario

import (
	"context"
	"fmt"
	"hash/fnv"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/script"
)

// File is a loaded scenario file.
type File struct {
	Path     string // as named in ids and positions
	Doc      string
	Module   *script.Module
	Requires []string
	Tags     []string

	requiresPos event.Pos
}

// Item is one test of a plan.
type Item struct {
	ID        string // "file.star::test_x", repeats add "#2"
	Name      string // "test_x"
	Doc       string
	Pos       event.Pos
	Tags      []string
	Requires  []string
	Timeout   time.Duration
	Exclusive bool
	OwnServer bool

	file *File
	fn   starlark.Callable
}

// Interactive is a test that is no function of a file: what fn does is its body, and its time has no bound but a month.
func Interactive(name string, fn starlark.Callable) *Item {
	f := &File{Path: name, Module: &script.Module{Path: name}}
	return &Item{ID: name, Name: name, Pos: event.Pos{File: name}, Timeout: 30 * 24 * time.Hour, file: f, fn: fn}
}

// Plan is the tests of some files in the order in which they run.
type Plan struct {
	Files []*File
	Items []*Item
	// Broken are the files that did not load; their errors were emitted.
	Broken []error
}

// hooks are the optional functions of a file, with the number of arguments each takes.
var hooks = []string{"setup_all", "teardown_all", "setup", "teardown"}

// Discover loads files in order and lists their tests in source order. What does not load is in Plan.Broken; the others
// are still listed. Each file is an event.
func Discover(ctx context.Context, host *script.Host, reg *Registry, bus *event.Bus, paths []string) *Plan {
	p := &Plan{}
	for _, path := range paths {
		start := time.Now()
		f, items, err := discoverFile(ctx, host, reg, path)
		load := &event.FileLoad{File: path, Tests: len(items), Duration: time.Since(start)}
		if err != nil {
			load.Error = script.Describe(err)
			p.Broken = append(p.Broken, err)
		} else {
			p.Files = append(p.Files, f)
			suspects(bus, f)
			p.Items = append(p.Items, items...)
		}
		bus.Emit(event.Event{Data: load})
	}
	return p
}

func discoverFile(ctx context.Context, host *script.Host, reg *Registry, path string) (*File, []*Item, error) {
	m, err := host.Load(ctx, path)
	if err != nil {
		return nil, nil, err
	}
	f := &File{Path: m.Path, Doc: m.Doc, Module: m}
	if f.Requires, err = texts(m, "requires"); err != nil {
		return nil, nil, err
	}
	f.requiresPos = m.Where("requires")
	if f.Tags, err = texts(m, "tags"); err != nil {
		return nil, nil, err
	}
	var items []*Item
	for _, fn := range m.Funcs {
		isTest := strings.HasPrefix(fn.Name, "test_")
		if !isTest && !slices.Contains(hooks, fn.Name) {
			continue
		}
		if len(fn.Params) != 1 {
			return nil, nil, &LoadError{Pos: fn.Pos, Msg: fmt.Sprintf("%s takes %d arguments; rig calls it with one, the test: def %s(t)", fn.Name, len(fn.Params), fn.Name)}
		}
		if !isTest {
			continue
		}
		a := reg.annotation(fn.Fn)
		items = append(items, &Item{
			ID: f.Path + "::" + fn.Name, Name: fn.Name, Doc: fn.Doc, Pos: fn.Pos,
			Tags: append(slices.Clone(f.Tags), a.Tags...), Requires: f.Requires,
			Timeout: a.Timeout, Exclusive: a.Exclusive, OwnServer: a.OwnServer, file: f, fn: fn.Fn,
		})
	}
	return f, items, nil
}

// suspects warns of names that are nearly those that rig looks for: they would be passed over in silence.
func suspects(bus *event.Bus, f *File) {
	warn := func(pos event.Pos, name, meant string) {
		bus.Emit(event.Event{Pos: pos, Data: &event.Log{Level: "warn", Message: fmt.Sprintf("%s is not used by rig; is it meant to be %s?", name, meant)}})
	}
	for _, fn := range f.Module.Funcs {
		if strings.HasPrefix(fn.Name, "test_") || slices.Contains(hooks, fn.Name) || len(fn.Params) != 1 {
			continue
		}
		if near := fault.Suggest(fn.Name, hooks); near != "" {
			warn(fn.Pos, fn.Name, near)
			continue
		}
		begin, rest, ok := strings.Cut(fn.Name, "_")
		if low := strings.ToLower(begin); ok && (low == "tset" || low == "tets" || low == "tests" || low == "tst" || low == "test") {
			warn(fn.Pos, fn.Name, "test_"+rest)
		}
	}
	for name, v := range f.Module.Globals {
		if _, isList := v.(*starlark.List); !isList || name == "requires" || name == "tags" {
			continue
		}
		if near := fault.Suggest(name, []string{"requires", "tags"}); near != "" {
			warn(f.Module.Where(name), name, near)
		}
	}
}

// LoadError is a file whose declarations do not fit.
type LoadError struct {
	Pos event.Pos
	Msg string
}

func (e *LoadError) Error() string { return e.Pos.String() + ": " + e.Msg }

// Report gives the form for reports.
func (e *LoadError) Report() *event.Error {
	return &event.Error{Kind: "script", Message: e.Msg, Pos: e.Pos}
}

// texts reads a global that must be a list of strings.
func texts(m *script.Module, name string) ([]string, error) {
	v, ok := m.Globals[name]
	if !ok {
		return nil, nil
	}
	if _, isFunc := v.(starlark.Callable); isFunc {
		return nil, nil
	}
	bad := &LoadError{Pos: m.Where(name), Msg: fmt.Sprintf("%s must be a list of strings, like %s = [\"...\"]; got %s", name, name, v.Type())}
	seq, ok := v.(starlark.Sequence)
	if !ok {
		return nil, bad
	}
	out := make([]string, 0, seq.Len())
	it := seq.Iterate()
	defer it.Done()
	var x starlark.Value
	for it.Next(&x) {
		s, ok := starlark.AsString(x)
		if !ok {
			return nil, bad
		}
		out = append(out, s)
	}
	return out, nil
}

// Selection narrows a plan.
type Selection struct {
	Match      *regexp.Regexp // on the id; nil takes all
	Tags       []string       // a test with any of them; "!tag" leaves those out
	IDs        []string       // nil takes all
	ShardIndex int            // from 1
	ShardCount int            // 0: no sharding
}

// Select returns the items that fit, in order.
func (p *Plan) Select(s Selection) []*Item {
	var out []*Item
	for _, it := range p.Items {
		if s.Match != nil && !s.Match.MatchString(it.ID) {
			continue
		}
		if !tagged(it.Tags, s.Tags) || (s.IDs != nil && !slices.Contains(s.IDs, it.ID)) {
			continue
		}
		if s.ShardCount > 0 && shard(it.ID, s.ShardCount) != s.ShardIndex-1 {
			continue
		}
		out = append(out, it)
	}
	return out
}

func tagged(have, want []string) bool {
	positive, hit := false, false
	for _, w := range want {
		if name, not := strings.CutPrefix(w, "!"); not {
			if slices.Contains(have, name) {
				return false
			}
			continue
		}
		positive = true
		hit = hit || slices.Contains(have, w)
	}
	return hit || !positive
}

// shard places a test by its id, so that adding one moves no other.
func shard(id string, n int) int {
	h := fnv.New32a()
	h.Write([]byte(id))
	return int(h.Sum32() % uint32(n))
}
