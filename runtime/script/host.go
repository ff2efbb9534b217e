// Package script is the Starlark host: it runs scripts that may be wrong or hostile without harm to the process.
//
// [NewHost] takes the names that scripts see; [Host.Load] runs a file's top level once and freezes what it defined, so that
// all threads may share it; [Host.Thread] makes a thread whose [Thread.Call] runs a function within a context. What the interpreter does
// not bound is bounded here: allocation in single operations by rewriting sized operators to capped helpers, memory in the long run by
// looking at the heap every few thousand steps, recursion by the depth of the call stack, depth and size of values by our own
// walks before anything recursive touches them. The bounds, with their names as errors show them, are in [Guards].
package script

import (
	"context"
	"io/fs"
	"sync"
	"time"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"rig/runtime/event"
)

// Options of a host. Zero bounds take their defaults.
type Options struct {
	Root        string              // "//x.star" is looked for here, and loads cannot leave it
	Predeclared starlark.StringDict // what every script sees
	Library     fs.FS               // "@rig//x.star"
	// Print takes what scripts print; nil drops it.
	Print func(t *Thread, pos event.Pos, text string)

	MaxSource   int           // bytes of one file; default 1 MiB
	MaxHeap     uint64        // bytes of the process's heap at which scripts are stopped; default 1 GiB
	LoadTimeout time.Duration // of one file with what it loads; default 10s

	Watch  []Watch // who follows the threads
	Probes Probes  // which files tell the watchers of their statements
	Count  bool    // count statements and branches, for Coverage
}

// Host loads files and makes threads. It is safe for concurrent use.
type Host struct {
	opts        Options
	predeclared starlark.StringDict
	heap        heapWatch
	waits       waits

	loading sync.Mutex // one load at a time

	mu      sync.Mutex
	modules map[string]*loaded  // guarded by mu, by canonical name
	loads   map[string][]string // guarded by mu: what a file loads, by canonical names
	sources map[string]string   // guarded by mu: the text of files, by the name that positions have
	racy    map[place]string    // guarded by mu: variables that closures must not share, with the reason

	looseNames map[place]looseName // guarded by mu: of functions of inputs that another thread must not run
	counts     []*counts           // guarded by mu: of the files that count
}

// place of a variable's first binding.
type place struct {
	file      string
	line, col int32
}

// NewHost makes a host.
func NewHost(o Options) *Host {
	if o.MaxSource == 0 {
		o.MaxSource = 1 << 20
	}
	if o.MaxHeap == 0 {
		o.MaxHeap = 1 << 30
	}
	if o.LoadTimeout == 0 {
		o.LoadTimeout = 10 * time.Second
	}
	h := &Host{opts: o, modules: map[string]*loaded{}, loads: map[string][]string{}, sources: map[string]string{}, racy: map[place]string{}, looseNames: map[place]looseName{}}
	h.heap.limit = o.MaxHeap
	h.predeclared = starlark.StringDict{}
	for name, v := range shadows() {
		h.predeclared[name] = v
	}
	for name, v := range o.Predeclared {
		h.predeclared[name] = v
	}
	return h
}

// Module is a loaded file. Globals are frozen.
type Module struct {
	Path    string // as positions name it
	Doc     string
	Globals starlark.StringDict
	Funcs   []Func // defined at its top level, in source order

	file *syntax.File
}

// Func is a function that a file defines at its top level.
type Func struct {
	Name   string
	Doc    string
	Pos    event.Pos
	Params []string
	Fn     *starlark.Function
}

// fileOptions are the dialect of scenario files.
func fileOptions() *syntax.FileOptions {
	return &syntax.FileOptions{Set: true, While: true, TopLevelControl: true, GlobalReassign: true, Recursion: true}
}

// Source gives the text of a loaded file by the name that positions have.
func (h *Host) Source(file string) (string, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s, ok := h.sources[file]
	return s, ok
}

// Thread makes a thread for functions of loaded files. What it calls ends when ctx does. scope is what built-ins find with
// Scope.
func (h *Host) Thread(ctx context.Context, name string, scope any) *Thread {
	return h.newThread(ctx, name, scope)
}
