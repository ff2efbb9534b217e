// Package builtins is the list of script modules.
//
// [Modules] gives them for one run; what scripts see is [Predeclared] of the list. A new module is one more line.
package builtins

import (
	"go.starlark.net/starlark"

	"rig/builtins/coordinator"
	"rig/builtins/core"
	"rig/builtins/data"
	"rig/builtins/errors"
	"rig/builtins/expect"
	"rig/builtins/history"
	"rig/builtins/lab"
	"rig/builtins/log"
	"rig/builtins/machine"
	"rig/builtins/metrics"
	"rig/builtins/mock"
	"rig/builtins/rand"
	"rig/builtins/retry"
	"rig/builtins/spec"
	"rig/builtins/task"
	"rig/builtins/test"
	"rig/builtins/watch"
	"rig/runtime/metric"
	"rig/runtime/scenario"
)

// Options of a run that built-ins need.
type Options struct {
	Registry *scenario.Registry
	Params   test.Params
	Goldens  expect.Goldens
	Lab      lab.Options
}

// Modules lists every module.
func Modules(o Options) []*spec.Module {
	return []*spec.Module{
		core.Module(),
		test.Module(o.Registry, o.Params),
		expect.Module(o.Goldens),
		task.Module(),
		machine.Module(),
		coordinator.Module(),
		retry.Module(),
		watch.Module(),
		lab.Module(o.Lab),
		errors.Module(),
		rand.Module(rand.NewSources()),
		log.Module(),
		metrics.Module(&metric.Registry{}),
		mock.Module(),
		data.Module(data.NewStates()),
		history.Module(),
	}
}

// Predeclared gives the names that every script sees.
func Predeclared(o Options) starlark.StringDict {
	all := spec.Predeclared(Modules(o))
	for name, v := range core.Libraries() {
		all[name] = v
	}
	return all
}
