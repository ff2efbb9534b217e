package coord

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"

	"rig/runtime/event"
	"rig/runtime/fault"
)

// Shared is a set of named values that goroutines change together. Reads never wait; changes wait for an Update or a
// comparison that is going on.
//
// The function given to Update, and the equal of CompareAndSet, must not use the same Shared. Doing so does not hang: a
// method without an error result panics with a *[ReentryError], and Update returns it, whatever the function makes of
// that. This covers the goroutine that runs the function, not others which it starts and waits for.
type Shared struct {
	mu     sync.Mutex
	free   sync.Cond      // waits for holder to become 0
	values map[string]any // guarded by mu
	holder uint64         // guarded by mu: the goroutine inside Update or CompareAndSet, else 0
	key    string         // guarded by mu: what it changes
	misuse *ReentryError  // guarded by mu: its function used this Shared
}

// ReentryError is a use of a Shared inside a function that it is running.
type ReentryError struct {
	Call string // the method called
	Key  string // the key being updated
}

func (e *ReentryError) Error() string {
	return fmt.Sprintf("shared.%s was called inside the function that updates %q", e.Call, e.Key)
}

// Report gives the form for reports.
func (e *ReentryError) Report() *event.Error {
	return &event.Error{Kind: "script", Category: string(fault.Permanent), Message: e.Error(), Hint: "the function gets the old value and returns the new one; read other keys before"}
}

// NewShared makes an empty set.
func NewShared() *Shared {
	s := &Shared{values: map[string]any{}}
	s.free.L = &s.mu
	return s
}

// Get gives a value and whether there is one. A list made by Append must not be changed.
func (s *Shared) Get(key string) (any, bool) {
	s.lock("get")
	defer s.mu.Unlock()
	v, ok := s.values[key]
	return clip(v), ok
}

// Set sets a value.
func (s *Shared) Set(key string, v any) {
	s.lockChange("set")
	defer s.mu.Unlock()
	s.values[key] = v
}

// Add adds delta to a number, which is 0 where there is none, and gives the sum, which is stored as an int64. The number
// may be an int64, an int, or have a method Int64() (int64, bool); with any other value Add panics with a *[fault.Error].
func (s *Shared) Add(key string, delta int64) int64 {
	s.lockChange("add")
	defer s.mu.Unlock()
	old, ok := integer(s.values[key])
	if !ok {
		panic(fault.New(fault.BadArgument, "shared.add", fmt.Sprintf("%q holds a %T, which is no integer of 64 bits", key, s.values[key])))
	}
	s.values[key] = old + delta
	return old + delta
}

func integer(v any) (int64, bool) {
	switch v := v.(type) {
	case nil:
		return 0, true
	case int64:
		return v, true
	case int:
		return int64(v), true
	case interface{ Int64() (int64, bool) }:
		return v.Int64()
	}
	return 0, false
}

// CompareAndSet sets the value where the present one equals old, and tells whether it did. A key without a value equals
// nil. equal nil compares deeply.
func (s *Shared) CompareAndSet(key string, old, new any, equal func(a, b any) bool) bool {
	if equal == nil {
		equal = reflect.DeepEqual
	}
	now, _ := s.hold("compare_and_set", key)
	done := false
	defer func() {
		if misuse := s.release(key, new, done); misuse != nil {
			panic(misuse)
		}
	}()
	done = equal(now, old)
	return done
}

// Append adds v to the list of key, which is empty where there is none, and gives the new length. A value that is no
// []any makes it panic with a *[fault.Error].
func (s *Shared) Append(key string, v any) int {
	s.lockChange("append")
	defer s.mu.Unlock()
	list, ok := s.values[key].([]any)
	if !ok && s.values[key] != nil {
		panic(fault.New(fault.BadArgument, "shared.append", fmt.Sprintf("%q holds a %T, which is no list", key, s.values[key])))
	}
	list = append(list, v)
	s.values[key] = list
	return len(list)
}

// Update replaces a value by what fn makes of it and gives the new one; had tells whether there is an old one. No other
// change happens meanwhile. When fn fails or panics, the value stays and the error, or a *[PanicError], is returned.
func (s *Shared) Update(key string, fn func(old any, had bool) (any, error)) (v any, err error) {
	s.mu.Lock()
	misuse := s.reentry("update")
	s.mu.Unlock()
	if misuse != nil {
		return nil, misuse
	}
	old, had := s.hold("update", key)
	done := false
	defer func() {
		if p := recover(); p != nil {
			v, err = nil, &PanicError{Value: p, Stack: string(debug.Stack())}
		}
		if misuse := s.release(key, v, done && err == nil); misuse != nil {
			v, err = nil, misuse
		}
	}()
	v, err = fn(old, had)
	done = true
	if err != nil {
		return nil, err
	}
	return v, nil
}

// Snapshot copies all values at one moment. The values themselves are not copied.
func (s *Shared) Snapshot() map[string]any {
	s.lock("snapshot")
	defer s.mu.Unlock()
	out := maps.Clone(s.values)
	for k, v := range out {
		out[k] = clip(v)
	}
	return out
}

// Keys lists the keys, sorted.
func (s *Shared) Keys() []string {
	s.lock("keys")
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.values))
}

// clip keeps a reader's append from writing into a list that goes on growing here.
func clip(v any) any {
	if list, ok := v.([]any); ok {
		return slices.Clip(list)
	}
	return v
}

// lock takes mu for a read; it panics inside a function that this Shared runs.
func (s *Shared) lock(call string) {
	s.mu.Lock()
	if misuse := s.reentry(call); misuse != nil {
		s.mu.Unlock()
		panic(misuse)
	}
}

// lockChange takes mu for a change, when no other is going on.
func (s *Shared) lockChange(call string) {
	s.lock(call)
	for s.holder != 0 {
		s.free.Wait()
	}
}

// reentry tells, with mu held, whether the caller is inside a function that this Shared runs.
func (s *Shared) reentry(call string) *ReentryError {
	if s.holder == 0 || s.holder != goroutine() {
		return nil
	}
	s.misuse = &ReentryError{Call: call, Key: s.key}
	return s.misuse
}

// hold keeps other changes out, without mu, and gives the present value; release ends it.
func (s *Shared) hold(call, key string) (any, bool) {
	s.lockChange(call)
	defer s.mu.Unlock()
	s.holder, s.key = goroutine(), key
	v, had := s.values[key]
	return clip(v), had
}

// release lets other changes in. It stores v where that is asked for and the function did not misuse the Shared.
func (s *Shared) release(key string, v any, store bool) *ReentryError {
	s.mu.Lock()
	defer s.mu.Unlock()
	misuse := s.misuse
	if store && misuse == nil {
		s.values[key] = v
	}
	s.holder, s.key, s.misuse = 0, "", nil
	s.free.Broadcast()
	return misuse
}

// goroutine gives the number of the running goroutine. Go has no call for it; the first line of a stack, "goroutine 7
// [running]:", does. It is needed only here: a lock that is asked for by its own holder can be told by nothing else, and
// it costs a microsecond only while a function is running or begins.
func goroutine() uint64 {
	var buf [40]byte
	line := buf[:runtime.Stack(buf[:], false)]
	line = bytes.TrimPrefix(line, []byte("goroutine "))
	number, _, _ := bytes.Cut(line, []byte(" "))
	n, err := strconv.ParseUint(string(number), 10, 64)
	if err != nil {
		panic("coord: the runtime's stack format changed: " + string(line))
	}
	return n
}
