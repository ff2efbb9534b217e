// Package rand declares the module rand: random numbers that a run repeats with the same --seed.
package rand

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/runtime/scenario"
	"rig/runtime/script"
)

// Sources keeps the random source of each thread; one belongs to a run.
type Sources struct {
	mu   sync.Mutex
	byID map[string]*rand.Rand // guarded by mu, by test and thread
}

// NewSources makes an empty set.
func NewSources() *Sources { return &Sources{byID: map[string]*rand.Rand{}} }

// of gives the source of the calling thread: each task of a test has its own, so that their order does not matter.
func (s *Sources) of(c *spec.Call) (*rand.Rand, error) {
	t, err := scenario.FromThread(c.Thread)
	if err != nil {
		return nil, err
	}
	th := script.From(c.Thread)
	s.mu.Lock()
	defer s.mu.Unlock()
	key := fmt.Sprint(t.EventID(), th.Name())
	r := s.byID[key]
	if r == nil {
		h := uint64(14695981039346656037)
		for _, b := range []byte(taskName(th.Name())) {
			h = (h ^ uint64(b)) * 1099511628211
		}
		r = rand.New(rand.NewPCG(uint64(t.Seed()), h))
		s.byID[key] = r
	}
	return r, nil
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

// Module lists the functions.
func Module(s *Sources) *spec.Module {
	return &spec.Module{
		Name: "rand", Doc: "Random numbers, seeded by the test: --seed repeats them.",
		Funcs: []*spec.Func{intFunc(s), floatFunc(s), choiceFunc(s), shuffleFunc(s), bytesFunc(s), zipfFunc(s)},
	}
}

func intFunc(s *Sources) *spec.Func {
	return &spec.Func{
		Name: "int", Returns: "int", Doc: "A whole number from lo to hi, both ends included.",
		Params: []spec.Param{{Name: "lo", Type: "int", Doc: "The least."}, {Name: "hi", Type: "int", Doc: "The greatest."}},
		Example: `
n = rand.int(1, 6)
expect.true(1 <= n and n <= 6)
`,
		Impl: func(c *spec.Call) (starlark.Value, error) {
			lo, hi := c.Int("lo"), c.Int("hi")
			if lo > hi {
				return nil, c.Errorf("hi", "%d is less than lo %d", hi, lo)
			}
			r, err := s.of(c)
			if err != nil {
				return nil, err
			}
			span := uint64(hi) - uint64(lo)
			if span == math.MaxUint64 {
				return starlark.MakeInt64(int64(r.Uint64())), nil
			}
			return starlark.MakeInt64(int64(uint64(lo) + r.Uint64N(span+1))), nil
		},
	}
}

func floatFunc(s *Sources) *spec.Func {
	return &spec.Func{
		Name: "float", Returns: "float", Doc: "A number from 0 up to but not including 1.",
		Example: `
expect.lt(rand.float(), 1.0)
`,
		Impl: func(c *spec.Call) (starlark.Value, error) {
			r, err := s.of(c)
			if err != nil {
				return nil, err
			}
			return starlark.Float(r.Float64()), nil
		},
	}
}

func choiceFunc(s *Sources) *spec.Func {
	return &spec.Func{
		Name: "choice", Returns: "any", Doc: "One of the items.",
		Params: []spec.Param{{Name: "items", Type: "list", Doc: "A list or tuple that is not empty."}},
		Example: `
expect.contains(["a", "b"], rand.choice(["a", "b"]))
`,
		Impl: func(c *spec.Call) (starlark.Value, error) {
			r, err := s.of(c)
			if err != nil {
				return nil, err
			}
			list := c.List("items")
			if len(list) == 0 {
				return nil, c.Errorf("items", "there is nothing to choose from")
			}
			return list[r.IntN(len(list))], nil
		},
	}
}

func shuffleFunc(s *Sources) *spec.Func {
	return &spec.Func{
		Name: "shuffle", Returns: "list", Doc: "A list of the items in another order; the argument stays.",
		Params: []spec.Param{{Name: "items", Type: "list", Doc: "A list or tuple."}},
		Example: `
expect.eq(sorted(rand.shuffle([3, 1, 2])), [1, 2, 3])
`,
		Impl: func(c *spec.Call) (starlark.Value, error) {
			r, err := s.of(c)
			if err != nil {
				return nil, err
			}
			list := c.List("items")
			r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
			return starlark.NewList(list), nil
		},
	}
}

// maxBytes bounds rand.bytes.
const maxBytes = 16 << 20

func bytesFunc(s *Sources) *spec.Func {
	return &spec.Func{
		Name: "bytes", Returns: "bytes", Doc: "n random bytes, at most 16 MiB.",
		Params: []spec.Param{{Name: "n", Type: "int", Doc: "How many."}},
		Example: `
expect.eq(len(rand.bytes(8)), 8)
`,
		Impl: func(c *spec.Call) (starlark.Value, error) {
			n := c.Int("n")
			if n < 0 || n > maxBytes {
				return nil, c.Errorf("n", "want 0 to %d, got %d", maxBytes, n)
			}
			r, err := s.of(c)
			if err != nil {
				return nil, err
			}
			b := make([]byte, n)
			for i := range b {
				b[i] = byte(r.Uint32())
			}
			return starlark.Bytes(b), nil
		},
	}
}

func zipfFunc(s *Sources) *spec.Func {
	return &spec.Func{
		Name: "zipf", Returns: "int", Doc: "A number from 0 to n-1, small ones more often: Zipf's distribution with exponent s.",
		Params: []spec.Param{{Name: "n", Type: "int", Doc: "How many numbers."}, {Name: "s", Type: "float", Default: starlark.Float(1.1), Doc: "The exponent, more than 1."}},
		Example: `
expect.lt(rand.zipf(100), 100)
`,
		Impl: func(c *spec.Call) (starlark.Value, error) {
			n, exp := c.Int("n"), c.Float("s")
			if n < 1 || !(exp > 1) || math.IsInf(exp, 0) {
				return nil, c.Errorf("s", "want n of at least 1 and s of more than 1")
			}
			r, err := s.of(c)
			if err != nil {
				return nil, err
			}
			return starlark.MakeUint64(rand.NewZipf(r, exp, 1, uint64(n-1)).Uint64()), nil
		},
	}
}
