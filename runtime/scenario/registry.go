package scenario

import (
	"sync"
	"time"

	"go.starlark.net/starlark"

	"rig/runtime/event"
)

// Annotation is what test(...) says of one test function.
type Annotation struct {
	Tags      []string
	Timeout   time.Duration // 0: the run's
	Exclusive bool
	OwnServer bool
	Pos       event.Pos
}

// Registry collects what files declare while they load. One belongs to one run; files may load concurrently.
type Registry struct {
	mu   sync.Mutex
	anns map[*starlark.Function]Annotation // guarded by mu
}

// NewRegistry makes an empty one.
func NewRegistry() *Registry {
	return &Registry{anns: map[*starlark.Function]Annotation{}}
}

// Annotate records what test(fn, ...) said.
func (r *Registry) Annotate(fn *starlark.Function, a Annotation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.anns[fn] = a
}

func (r *Registry) annotation(fn *starlark.Function) Annotation {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.anns[fn]
}
