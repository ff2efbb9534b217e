package coord_test

import (
	"errors"
	"maps"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"rig/runtime/coord"
	"rig/runtime/fault"
)

// number is an integer type of somebody else, as an interpreter has one.
type number struct{ *big.Int }

func (n number) Int64() (int64, bool) { return n.Int.Int64(), n.IsInt64() }

// panicOf gives what f panics with.
func panicOf(f func()) (p any) {
	defer func() { p = recover() }()
	f()
	return nil
}

func TestSharedValues(t *testing.T) {
	s := coord.NewShared()
	if v, had := s.Get("x"); v != nil || had {
		t.Errorf("got %v, %v", v, had)
	}
	s.Set("x", "one")
	if v, had := s.Get("x"); v != "one" || !had {
		t.Errorf("got %v, %v", v, had)
	}
	if n := s.Add("n", 2) + s.Add("n", -5); n != -1 {
		t.Errorf("sums add up to %d", n)
	}
	s.Set("plain", 40)
	s.Set("other", number{big.NewInt(40)})
	if a, b := s.Add("plain", 2), s.Add("other", 2); a != 42 || b != 42 {
		t.Errorf("sums %d and %d", a, b)
	}
	if n := s.Append("log", "a") * s.Append("log", "b") * s.Append("log", "c"); n != 6 {
		t.Errorf("lengths multiply to %d", n)
	}
	list, _ := s.Get("log")
	s.Append("log", "d")
	_ = append(list.([]any), "mine") // must not reach the shared one
	if list, _ := s.Get("log"); !slices.Equal(list.([]any), []any{"a", "b", "c", "d"}) {
		t.Errorf("log %v", list)
	}
	if want := []string{"log", "n", "other", "plain", "x"}; !slices.Equal(s.Keys(), want) {
		t.Errorf("keys %v", s.Keys())
	}
	snapshot := s.Snapshot()
	s.Set("x", "two")
	if snapshot["x"] != "one" || len(snapshot) != 5 || !slices.Equal(slices.Sorted(maps.Keys(snapshot)), s.Keys()) {
		t.Errorf("snapshot %v", snapshot)
	}
}

func TestSharedWrongTypes(t *testing.T) {
	s := coord.NewShared()
	s.Set("text", "x")
	s.Set("huge", number{new(big.Int).Lsh(big.NewInt(1), 70)})
	for _, f := range []func(){
		func() { s.Add("text", 1) }, func() { s.Add("huge", 1) }, func() { s.Append("text", 1) },
	} {
		if e, ok := panicOf(f).(*fault.Error); !ok || e.Kind != fault.BadArgument {
			t.Errorf("panic %v", e)
		}
	}
	s.Set("still", "usable")
}

func TestCompareAndSet(t *testing.T) {
	s := coord.NewShared()
	for _, c := range []struct {
		old, new any
		equal    func(a, b any) bool
		want     bool
	}{
		{1, 2, nil, false}, // there is none yet
		{nil, []any{1}, nil, true},
		{[]any{2}, 0, nil, false},
		{[]any{1}, "Text", nil, true},
		{"TEXT", "done", func(a, b any) bool { return strings.EqualFold(a.(string), b.(string)) }, true},
		{"Text", "again", nil, false},
	} {
		if got := s.CompareAndSet("x", c.old, c.new, c.equal); got != c.want {
			t.Errorf("from %v to %v: %v", c.old, c.new, got)
		}
	}
	if v, _ := s.Get("x"); v != "done" {
		t.Errorf("value %v", v)
	}
}

func TestUpdate(t *testing.T) {
	s := coord.NewShared()
	inc := func(old any, had bool) (any, error) {
		if !had {
			return 1, nil
		}
		return old.(int) + 1, nil
	}
	for want := 1; want <= 2; want++ {
		if v, err := s.Update("n", inc); v != want || err != nil {
			t.Errorf("got %v, %v; want %d", v, err, want)
		}
	}
	if _, err := s.Update("n", func(any, bool) (any, error) { return 99, errBroke }); !errors.Is(err, errBroke) {
		t.Errorf("error %v", err)
	}
	_, err := s.Update("n", func(any, bool) (any, error) { panic("boom") })
	if p := (*coord.PanicError)(nil); !errors.As(err, &p) || p.Value != "boom" || p.Report().Kind != "panic" || !strings.Contains(p.Stack, "shared_test.go") {
		t.Errorf("error %v", err)
	}
	if v, _ := s.Get("n"); v != 2 {
		t.Errorf("value %v", v)
	}
}

func TestSharedReentry(t *testing.T) {
	for name, use := range map[string]func(s *coord.Shared){
		"get":             func(s *coord.Shared) { s.Get("x") },
		"set":             func(s *coord.Shared) { s.Set("x", 1) },
		"add":             func(s *coord.Shared) { s.Add("x", 1) },
		"append":          func(s *coord.Shared) { s.Append("x", 1) },
		"keys":            func(s *coord.Shared) { s.Keys() },
		"snapshot":        func(s *coord.Shared) { s.Snapshot() },
		"compare_and_set": func(s *coord.Shared) { s.CompareAndSet("x", nil, 1, nil) },
		"update": func(s *coord.Shared) {
			_, err := s.Update("x", func(any, bool) (any, error) { return 1, nil })
			panic(err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := coord.NewShared()
			check := func(err error) {
				t.Helper()
				var e *coord.ReentryError
				if !errors.As(err, &e) || e.Call != name || e.Key != "n" || e.Report().Kind != "script" {
					t.Errorf("error %v", err)
				}
			}
			_, err := s.Update("n", func(any, bool) (any, error) { use(s); return 1, nil })
			check(err)
			_, err = s.Update("n", func(any, bool) (any, error) { panicOf(func() { use(s) }); return 1, nil }) // hushed up
			check(err)
			err, _ = panicOf(func() {
				s.CompareAndSet("n", nil, 1, func(_, _ any) bool { panicOf(func() { use(s) }); return true })
			}).(error)
			check(err)
			if v, had := s.Get("n"); had {
				t.Errorf("stored %v", v)
			}
			s.Set("n", 1) // the lock is free
		})
	}
}

func TestUpdateKeepsOthersOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := coord.NewShared()
		s.Set("n", 1)
		inside, release := make(chan struct{}), make(chan struct{})
		var group sync.WaitGroup
		group.Go(func() {
			_, _ = s.Update("n", func(old any, _ bool) (any, error) {
				close(inside)
				<-release
				return old.(int) * 10, nil
			})
		})
		<-inside
		changed := false
		group.Go(func() { s.Add("n", 1); changed = true })
		synctest.Wait()
		if v, _ := s.Get("n"); v != 1 || changed { // a read does not wait and sees the old value
			t.Errorf("value %v, changed %v", v, changed)
		}
		close(release)
		group.Wait()
		if v, _ := s.Get("n"); v != int64(11) {
			t.Errorf("value %v", v)
		}
	})
}

func TestSharedConcurrently(t *testing.T) {
	s := coord.NewShared()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 200 {
				s.Add("added", 1)
				s.Append("list", 1)
				if _, err := s.Update("updated", func(old any, _ bool) (any, error) { n, _ := old.(int); return n + 1, nil }); err != nil {
					t.Error(err)
				}
				for done := false; !done; {
					old, _ := s.Get("swapped")
					n, _ := old.(int)
					done = s.CompareAndSet("swapped", old, n+1, nil)
				}
				s.Snapshot()
			}
		})
	}
	group.Wait()
	v := s.Snapshot()
	if v["added"] != int64(1600) || len(v["list"].([]any)) != 1600 || v["updated"] != 1600 || v["swapped"] != 1600 {
		t.Errorf("added %v, list %d, updated %v, swapped %v", v["added"], len(v["list"].([]any)), v["updated"], v["swapped"])
	}
}
