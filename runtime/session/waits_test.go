package session_test

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"rig/runtime/session"
	"rig/runtime/wait"
)

// TestWaitVerdicts: four tests at once on one server, each with waits and statements that only take time. Every verdict must be true,
// and name the holder and the lock.
func TestWaitVerdicts(t *testing.T) { waitVerdicts(t, 4, 25) }

// TestSoakWaitVerdicts is ten thousand waits.
func TestSoakWaitVerdicts(t *testing.T) {
	if os.Getenv("RIG_SOAK") == "" {
		t.Skip("SKIPPED: takes long; make soak runs it")
	}
	waitVerdicts(t, 4, 2500)
}

func waitVerdicts(t *testing.T, workers, rounds int) {
	w := onMariadb(t)
	setup := w.open()
	w.exec(setup, "CREATE OR REPLACE TABLE verdicts (i INT PRIMARY KEY, v INT)")
	w.exec(setup, "INSERT INTO verdicts SELECT seq, 0 FROM seq_1_to_100")
	watcher, err := w.hub.Waits()
	if err != nil {
		t.Fatal(err)
	}
	pairs := make([][2]*session.Session, workers)
	for i := range pairs {
		pairs[i] = [2]*session.Session{w.open(), w.open()}
	}
	var mu sync.Mutex
	var took []time.Duration
	var wg sync.WaitGroup
	for i, pair := range pairs {
		wg.Go(func() {
			for n := range rounds {
				d, err := verdictRound(watcher, pair[0], pair[1], 10*i+1)
				if err != nil {
					t.Errorf("worker %d, round %d: %v", i, n, err)
					return
				}
				mu.Lock()
				took = append(took, d)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(took) != workers*rounds {
		t.Fatalf("%d waits, want %d", len(took), workers*rounds)
	}
	slices.Sort(took)
	t.Logf("%d waits: from sending to \"waits\" median %s, 99th percentile %s, most %s", len(took), took[len(took)/2], took[len(took)*99/100], took[len(took)-1])
}

// verdictRound locks a row by a, and has b do three things: something long, another row, and the locked row.
func verdictRound(watcher *wait.Watcher, a, b *session.Session, row int) (time.Duration, error) {
	lock := fmt.Sprintf("UPDATE verdicts SET v = v + 1 WHERE i = %d", row)
	for _, sql := range []string{"BEGIN", lock} {
		if _, err := a.Exec(at(1), sql, nil); err != nil {
			return 0, err
		}
	}
	for _, free := range []string{"SELECT SLEEP(0.004)", fmt.Sprintf("UPDATE verdicts SET v = v + 1 WHERE i = %d", row+1)} {
		s, _, err := settleOne(watcher, b, free, nil)
		if err != nil || s.Waits {
			return 0, fmt.Errorf("%s: %+v, %w", free, s, err)
		}
	}
	release := func() error { _, err := a.Exec(at(1), "COMMIT", nil); return err }
	s, d, err := settleOne(watcher, b, lock, release)
	if err != nil {
		return 0, err
	}
	want := fmt.Sprintf("true X on PRIMARY (%d) of verdicts [%d]", row, a.Thread())
	if got := fmt.Sprintf("%v %s %v", s.Waits, s.Lock, s.Blockers); got != want {
		return 0, fmt.Errorf("got %s, want %s", got, want)
	}
	return d, nil
}

// settleOne sends a statement, settles it, lets it go, and settles it again: then it must have ended.
func settleOne(watcher *wait.Watcher, b *session.Session, sql string, release func() error) (wait.State, time.Duration, error) {
	start := time.Now()
	p, err := b.Start(at(2), sql, nil)
	if err != nil {
		return wait.State{}, 0, err
	}
	states, err := watcher.Settle([]wait.Subject{{Thread: b.Thread(), Ended: p.Ended()}}, 10*time.Second)
	took := time.Since(start)
	if err != nil {
		return wait.State{}, 0, err
	}
	if release != nil {
		if err := release(); err != nil {
			return wait.State{}, 0, err
		}
		after, err := watcher.Settle([]wait.Subject{{Thread: b.Thread(), Ended: p.Ended(), Waited: true}}, 10*time.Second)
		if err != nil || after[0].Waits {
			return wait.State{}, 0, fmt.Errorf("let go: %+v, %w", after, err)
		}
	}
	_, _, err = p.Wait(10 * time.Second)
	return states[0], took, err
}
