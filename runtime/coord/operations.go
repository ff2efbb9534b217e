package coord

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Operation is one step of a lane. Its Run must end when its context does.
type Operation struct {
	Lane int
	Run  func(ctx context.Context) (any, error)
}

// OperationResult is how an operation ended. Skipped is one that was not begun because an earlier one of its lane failed.
type OperationResult struct {
	Value    any
	Err      error
	Skipped  bool
	Duration time.Duration
}

// OperationsOptions of [Operations]. Lanes is their number. Undo, which may be nil, is called for a lane after its first
// error; where it fails too, its error joins that of the operation. Ended, which may be nil, is [Job.Ended] of each lane.
type OperationsOptions struct {
	Lanes int
	Undo  func(lane int) error
	Ended func(*Task)
}

// Operations runs operations in order within a lane and concurrently across lanes. It gives one result for each operation,
// in the order of ops, when all lanes have ended.
func Operations(ctx context.Context, o OperationsOptions, ops []Operation) []OperationResult {
	lanes := make([][]int, o.Lanes)
	for i, op := range ops {
		lanes[op.Lane] = append(lanes[op.Lane], i)
	}
	out := make([]OperationResult, len(ops))
	set := NewTasks(ctx)
	defer set.Cancel(context.Canceled) // all have ended
	var all []*Task
	for lane, own := range lanes {
		if len(own) > 0 {
			l := &laneRun{lane: lane, own: own, ops: ops, out: out, undo: o.Undo}
			all = append(all, set.Start(Job{Name: fmt.Sprintf("connection %d", lane), Run: l.run, Ended: o.Ended}))
		}
	}
	for _, k := range all {
		<-k.Done() // each ends with the context at the latest
	}
	return out
}

// laneRun is the operations of one lane; each index of out belongs to one lane only.
type laneRun struct {
	lane int
	own  []int
	ops  []Operation
	out  []OperationResult
	undo func(lane int) error
}

// run gives the lane's first error.
func (l *laneRun) run(ctx context.Context) (any, error) {
	var failed error
	for _, i := range l.own {
		if failed != nil {
			l.out[i].Skipped = true
			continue
		}
		begin := time.Now()
		var v any
		err := context.Cause(ctx)
		if err == nil {
			v, err = guard(func() (any, error) { return l.ops[i].Run(ctx) })
		}
		if failed = err; err != nil && l.undo != nil {
			if _, undone := guard(func() (any, error) { return nil, l.undo(l.lane) }); undone != nil {
				err = errors.Join(err, fmt.Errorf("and the rollback failed: %w", undone))
			}
		}
		l.out[i] = OperationResult{Value: v, Err: err, Duration: time.Since(begin)}
	}
	return nil, failed
}
