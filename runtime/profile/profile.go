// Package profile says where the time of scripts goes, line by line, for pprof.
//
// A [Profiler] follows a script host: at each statement, and at the beginning and the end of each built-in, it notes how long the
// stack of before was there. So nothing is sampled, and waiting for a server counts where the script waits. What a caller does
// after a function has returned, up to its next statement or built-in, counts for the last line of that function.
package profile

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/google/pprof/profile"
	"go.starlark.net/starlark"

	"rig/runtime/script"
)

// The kinds of profiles.
const (
	Script = "script" // the time that the interpreter needs, and how many statements it ran
	Wall   = "wall"   // all the time, also that of built-ins, by which a script waits for the server
)

// Kinds lists them.
func Kinds() []string { return []string{Script, Wall} }

// Profiler follows the threads of a host.
type Profiler struct {
	script.NoWatch
	start   time.Time
	threads sync.Map // *script.Thread -> *thread

	mu      sync.Mutex
	places  []place          // guarded by mu
	ids     map[place]uint32 // guarded by mu: index in places
	samples map[string]*sample
}

// place is a line of a function, or a built-in, which has no line.
type place struct {
	fn, file string
	line     int32
	built    bool
}

// sample is a stack, innermost first, as the key of the map has it.
type sample struct {
	stack      []uint32
	statements int64
	calls      int64
	time       time.Duration
	built      bool // the innermost is a built-in
}

// thread is owned by the thread that it is of.
type thread struct {
	since time.Time
	stack []uint32
	built bool
}

var _ script.Watch = (*Profiler)(nil)

// New makes a profiler.
func New() *Profiler {
	return &Profiler{start: time.Now(), ids: map[place]uint32{}, samples: map[string]*sample{}}
}

// Statement notes one that begins.
func (p *Profiler) Statement(t *script.Thread, th *starlark.Thread, _ *script.Site) {
	if !t.Aside() {
		p.mark(t, th, 1, false, 1, 0)
	}
}

// Before notes a built-in that begins.
func (p *Profiler) Before(t *script.Thread, th *starlark.Thread, _, _ string) {
	if !t.Aside() {
		p.mark(t, th, 0, true, 0, 1)
	}
}

// After notes that it has ended.
func (p *Profiler) After(t *script.Thread, th *starlark.Thread, _ string, _ error) {
	if !t.Aside() {
		p.mark(t, th, 1, false, 0, 0)
	}
}

// Ended notes what the thread did last.
func (p *Profiler) Ended(t *script.Thread, _ error) {
	if v, ok := p.threads.LoadAndDelete(t); ok {
		x := v.(*thread)
		p.add(x.stack, x.built, time.Since(x.since), 0, 0)
	}
}

// mark ends the time of the stack that was and begins that of the one that is, without its skip innermost frames.
func (p *Profiler) mark(t *script.Thread, th *starlark.Thread, skip int, built bool, statements, calls int64) {
	now := time.Now()
	v, ok := p.threads.Load(t)
	if !ok {
		v = &thread{since: now}
		p.threads.Store(t, v)
	}
	x := v.(*thread)
	if x.stack != nil {
		p.add(x.stack, x.built, now.Sub(x.since), 0, 0)
	}
	x.stack, x.built = p.stackOf(th, skip), built
	p.add(x.stack, built, 0, statements, calls)
	x.since = time.Now() // what the profiler itself needs counts for nobody
}

func (p *Profiler) stackOf(th *starlark.Thread, skip int) []uint32 {
	out := make([]uint32, 0, th.CallStackDepth())
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := skip; i < th.CallStackDepth(); i++ {
		fr := th.DebugFrame(i)
		k := place{fn: fr.Callable().Name(), built: true}
		if _, ok := fr.Callable().(*starlark.Function); ok {
			pos := fr.Position()
			k.file, k.line, k.built = pos.Filename(), pos.Line, false
		}
		id, ok := p.ids[k]
		if !ok {
			id = uint32(len(p.places))
			p.ids[k] = id
			p.places = append(p.places, k)
		}
		out = append(out, id)
	}
	return out
}

func (p *Profiler) add(stack []uint32, built bool, d time.Duration, statements, calls int64) {
	key := make([]byte, 0, 4*len(stack))
	for _, id := range stack {
		key = binary.AppendUvarint(key, uint64(id))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.samples[string(key)]
	if s == nil {
		s = &sample{stack: slices.Clone(stack), built: built}
		p.samples[string(key)] = s
	}
	s.time += d
	s.statements += statements
	s.calls += calls
}

// Write writes a profile of a kind, compressed, as pprof reads it. It may be called when no thread runs.
func (p *Profiler) Write(w io.Writer, kind string) error {
	if !slices.Contains(Kinds(), kind) {
		return fmt.Errorf("there is no profile %q", kind)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	out := &profile.Profile{
		SampleType: []*profile.ValueType{{Type: "statements", Unit: "count"}, {Type: kind, Unit: "nanoseconds"}},
		PeriodType: &profile.ValueType{Type: kind, Unit: "nanoseconds"}, Period: 1,
		TimeNanos: p.start.UnixNano(), DurationNanos: int64(time.Since(p.start)), DefaultSampleType: kind,
	}
	if kind == Wall {
		out.SampleType[0].Type = "calls"
	}
	locations := p.locations(out)
	for _, s := range p.samples {
		count := s.statements
		if kind == Wall {
			count = s.calls
		} else if s.built {
			continue
		}
		if count == 0 && s.time == 0 {
			continue
		}
		x := &profile.Sample{Value: []int64{count, int64(s.time)}}
		for _, id := range s.stack {
			x.Location = append(x.Location, locations[id])
		}
		out.Sample = append(out.Sample, x)
	}
	if err := out.CheckValid(); err != nil {
		return err
	}
	return out.Write(w)
}

// locations makes a profile's of the places.
func (p *Profiler) locations(out *profile.Profile) []*profile.Location {
	functions := map[place]*profile.Function{}
	var list []*profile.Location
	for i, k := range p.places {
		of := place{fn: k.fn, file: k.file}
		fn := functions[of]
		if fn == nil {
			fn = &profile.Function{ID: uint64(len(functions) + 1), Name: k.fn, SystemName: k.fn, Filename: k.file}
			functions[of] = fn
			out.Function = append(out.Function, fn)
		}
		l := &profile.Location{ID: uint64(i + 1), Line: []profile.Line{{Function: fn, Line: int64(k.line)}}}
		list = append(list, l)
		out.Location = append(out.Location, l)
	}
	return list
}
