package coord_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rig/runtime/coord"
)

// TestOperations: in order within a lane, concurrently across lanes; after an error the lane is undone and skipped.
func TestOperations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var log []string
		step := func(lane int, name string, err error) coord.Operation {
			return coord.Operation{Lane: lane, Run: func(context.Context) (any, error) {
				time.Sleep(time.Second)
				mu.Lock()
				defer mu.Unlock()
				log = append(log, fmt.Sprintf("%d%s", lane, name))
				return name, err
			}}
		}
		undone, ended := []int{}, 0
		begin := time.Now()
		out := coord.Operations(t.Context(), coord.OperationsOptions{
			Lanes: 3, Undo: func(lane int) error { undone = append(undone, lane); return nil }, Ended: func(*coord.Task) { mu.Lock(); ended++; mu.Unlock() },
		}, []coord.Operation{step(0, "a", nil), step(1, "a", errBroke), step(0, "b", nil), step(1, "b", nil), step(0, "c", nil), step(1, "c", nil)})
		if took := time.Since(begin); took != 3*time.Second {
			t.Errorf("took %v: lanes run concurrently, each in order", took)
		}
		var lane0 []string
		for _, s := range log {
			if strings.HasPrefix(s, "0") {
				lane0 = append(lane0, s)
			}
		}
		if !slices.Equal(lane0, []string{"0a", "0b", "0c"}) || len(log) != 4 {
			t.Errorf("order %v, all %v", lane0, log)
		}
		if !slices.Equal(undone, []int{1}) || ended != 2 {
			t.Errorf("undone %v, %d lanes ended", undone, ended)
		}
		for i, want := range []coord.OperationResult{{Value: "a"}, {Value: "a", Err: errBroke}, {Value: "b"}, {Skipped: true}, {Value: "c"}, {Skipped: true}} {
			got := out[i]
			if got.Value != want.Value || !errors.Is(got.Err, want.Err) || got.Skipped != want.Skipped {
				t.Errorf("operation %d: %+v", i, got)
			}
			if took := got.Duration; !got.Skipped && took != time.Second {
				t.Errorf("operation %d took %v", i, took)
			}
		}
	})
}

// TestOperationsTrouble: a rollback that fails, a panic, a context that ends.
func TestOperationsTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		out := coord.Operations(ctx, coord.OperationsOptions{
			Lanes: 2, Undo: func(lane int) error {
				if lane == 0 {
					return errors.New("no way back")
				}
				return nil
			},
		}, []coord.Operation{
			{Lane: 0, Run: func(context.Context) (any, error) { panic("boom") }},
			{Lane: 1, Run: func(context.Context) (any, error) { time.Sleep(time.Second); cancel(errBroke); return 1, nil }},
			{Lane: 1, Run: func(context.Context) (any, error) { t.Error("run after the end"); return nil, nil }},
			{Lane: 1, Run: func(context.Context) (any, error) { t.Error("run after the end"); return nil, nil }},
		})
		var p *coord.PanicError
		if err := out[0].Err; !errors.As(err, &p) || !strings.Contains(err.Error(), "and the rollback failed: no way back") {
			t.Errorf("the panic: %v", err)
		}
		if out[1].Err != nil || !errors.Is(out[2].Err, errBroke) || !out[3].Skipped {
			t.Errorf("after the end: %+v", out[1:])
		}
	})
}
