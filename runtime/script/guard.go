package script

import (
	"fmt"
	"runtime"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"

	"go.starlark.net/starlark"
)

// Guard is a bound that keeps a script from harming the process.
type Guard struct {
	Name string // as Error.Guard has it
	Doc  string
}

// Guards lists the bounds of a host.
func Guards() []Guard {
	return []Guard{
		{"size", "a source file has at most 1 MiB"},
		{"encoding", "a source file is UTF-8"},
		{"file", "a source is a regular file"},
		{"root", "load() does not leave the project's root"},
		{"cycle", "files do not load each other in a circle"},
		{"depth", "values and expressions nest at most " + fmt.Sprint(maxDepth) + " deep"},
		{"length", "one operation makes at most " + fmt.Sprint(maxLen) + " elements"},
		{"text", "one operation makes at most 64 MiB of text"},
		{"number", "one operation makes an integer of at most " + fmt.Sprint(maxBits) + " bits"},
		{"memory", "the heap stays under 1 GiB"},
		{"recursion", "calls nest at most " + fmt.Sprint(maxCalls) + " deep"},
		{"closure", "what threads share has no variable that races, and no function that holds itself"},
		{"timeout", "a file loads, and a test ends, within its time"},
	}
}

// The bounds of single operations. A million rows of a table fit; what goes past them is a mistake or an attack.
const (
	maxLen   = 10_000_000
	maxSort  = 2_000_000
	maxText  = 64 << 20
	maxBits  = 1 << 20
	maxDepth = 1000
	maxNodes = 5_000_000
	maxCalls = 1000
)

// guardError is a script stopped by a guard.
type guardError struct{ guard, msg, hint string }

func (e *guardError) Error() string { return e.msg }

func tooLong(what string, n int) error {
	return &guardError{guard: "length", msg: fmt.Sprintf("%s: %d elements, more than %d", what, n, maxLen), hint: "make less at once; rows of a large result come from conn.stream"}
}

func tooMuchText(what string) error {
	return &guardError{guard: "text", msg: fmt.Sprintf("%s: the text would be longer than %d MiB", what, maxText>>20)}
}

// lookEvery is after how many steps of the interpreter a thread looks at its stack and at the heap: about every 100 us.
const lookEvery = 5000

// chargeEvery is how much text the helpers may make before the heap is looked at: a few large operations are few steps.
const chargeEvery = 32 << 20

// charge counts text that a helper made for a script.
func charge(th *starlark.Thread, v starlark.Value) {
	s, ok := v.(starlark.String)
	if !ok || len(s) < 4096 || th == nil {
		return
	}
	t := From(th)
	if t == nil {
		return
	}
	if t.made += len(s); t.made < chargeEvery {
		return
	}
	t.made = 0
	t.host.heap.next.Store(0)
	t.look(th)
}

// look is called by the interpreter every lookEvery steps.
func (t *Thread) look(th *starlark.Thread) {
	th.SetMaxExecutionSteps(th.ExecutionSteps() + lookEvery)
	if q := t.host.waits.asked.Load(); q != nil {
		q.answer(t, th)
	}
	if t.steps > 0 && th.ExecutionSteps() > t.steps {
		t.stop(th, &guardError{guard: "timeout", msg: fmt.Sprintf("the expression did not end within %d steps", t.steps)})
		return
	}
	if th.CallStackDepth() > maxCalls {
		t.stop(th, &guardError{guard: "recursion", msg: fmt.Sprintf("calls nest more than %d deep", maxCalls), hint: "a function calls itself without an end"})
		return
	}
	if size, over := t.host.heap.over(); over {
		t.stop(th, &guardError{guard: "memory", msg: fmt.Sprintf("scripts use %d MiB of memory, more than %d", size>>20, t.host.heap.limit>>20), hint: "hold less at once; rows of a large result come from conn.stream"})
	}
}

func (t *Thread) stop(th *starlark.Thread, e *guardError) {
	if t.guard == nil {
		t.guard = e
	}
	th.Cancel(e.msg)
}

// heapWatch reads the size of the heap, rarely, for all threads of a host.
type heapWatch struct {
	limit      uint64
	next       atomic.Int64  // unix nanoseconds of the next reading
	size       atomic.Uint64 // the last reading
	collecting sync.Mutex    // one collection for all threads that are over the limit
}

// heapEvery is how often the heap is read. In that time a loop allocates some 10 MiB.
const heapEvery = 3 * time.Millisecond

func (w *heapWatch) over() (uint64, bool) {
	now := time.Now().UnixNano()
	next := w.next.Load()
	if now >= next && w.next.CompareAndSwap(next, now+int64(heapEvery)) {
		w.size.Store(objectBytes())
	}
	size := w.size.Load()
	if size <= w.limit {
		return size, false
	}
	return w.collected()
}

// collected judges by what is left after a collection: what a test before this one held is garbage, but counts until then.
func (w *heapWatch) collected() (uint64, bool) {
	w.collecting.Lock()
	defer w.collecting.Unlock()
	if size := objectBytes(); size > w.limit { // else another thread has just collected
		runtime.GC()
	}
	size := objectBytes()
	w.size.Store(size)
	return size, size > w.limit
}

// objectBytes is what the heap holds, garbage that is not yet collected counted in.
func objectBytes() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
