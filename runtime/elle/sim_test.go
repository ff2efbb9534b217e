package elle

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"rig/runtime/history"
	"rig/runtime/history/simstore"
)

func check(t *testing.T, h *history.History, o Options) *Verdict {
	t.Helper()
	v, err := Check(context.Background(), h, o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func simulate(t *testing.T, c simstore.Config) *history.History {
	t.Helper()
	h, err := simstore.Build(c)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func stories(v *Verdict) string {
	var b strings.Builder
	for _, a := range v.Anomalies {
		fmt.Fprintf(&b, "%s:\n  %s\n", a.Name, strings.Join(a.Story, "\n  "))
	}
	return b.String()
}

// contended is a workload in which a store that allows an anomaly shows it.
func contended(level simstore.Level, bug simstore.Bug, register bool) simstore.Config {
	return simstore.Config{Level: level, Bug: bug, Seed: 1, Transactions: 3000, Processes: 6, Keys: 4, MaxOps: 4, MaxWrites: 30, Register: register, Fail: 0.02, Unknown: 0.02}
}

// TestStores: the history of a store gets exactly its verdict.
func TestStores(t *testing.T) {
	cases := []struct {
		name     string
		level    simstore.Level
		bug      simstore.Bug
		register bool
		types    string // all that must be found
		not      string
	}{
		{"serial", simstore.Serial, simstore.Sound, false, "", ""},
		{"snapshot", simstore.Snapshot, simstore.Sound, false, "G2-item", "repeatable-read"},
		{"snapshots without conflicts", simstore.Snapshot, simstore.NoConflictCheck, false, "G-single-item internal lost-update", "cursor-stability read-atomic"},
		{"stale snapshots", simstore.Snapshot, simstore.StaleSnapshot, false, "G-single-item-process G-single-item-realtime G2-item", "repeatable-read strong-session-snapshot-isolation"},
		{"read committed", simstore.ReadCommitted, simstore.Sound, false, "G-single-item internal lost-update", "cursor-stability read-atomic"},
		{"read uncommitted", simstore.ReadUncommitted, simstore.Sound, false, "G1a G1b G1c internal", "read-committed"},
		{"no locks", simstore.Chaos, simstore.Sound, false, "G0 G1a G1b G1c", "read-uncommitted"},
		{"lost writes", simstore.Serial, simstore.LostWrite, false, "G0-realtime", ""},
		{"leaked aborts", simstore.Serial, simstore.LeakedAbort, false, "G1a dirty-update", "read-committed"},
		{"registers, serial", simstore.Serial, simstore.Sound, true, "", ""},
		{"registers, snapshot", simstore.Snapshot, simstore.Sound, true, "G2-item", "repeatable-read"},
		{"registers, read committed", simstore.ReadCommitted, simstore.Sound, true, "G-single-item internal lost-update", "cursor-stability read-atomic"},
		{"registers, leaked aborts", simstore.Serial, simstore.LeakedAbort, true, "G1a", "read-committed"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			o := Options{Model: ListAppend}
			if c.register {
				o = Options{Model: RWRegister, WritesFollowReads: true}
			}
			v := check(t, simulate(t, contended(c.level, c.bug, c.register)), o)
			for _, want := range strings.Fields(c.types) {
				if !slices.Contains(v.Types, want) {
					t.Errorf("%s was not found in %q", want, v.Types)
				}
			}
			if c.types == "" && (v.Valid != Yes || len(v.Types) > 0) {
				t.Errorf("%s, %q", v.Valid, v.Types)
			}
			if got := strings.Join(v.Not, " "); c.not != "" && got != c.not {
				t.Errorf("not %q, want %q; %q", got, c.not, v.Types)
			}
			if t.Failed() {
				t.Log(stories(v))
			}
		})
	}
}

// kept says which level each store keeps, always.
var keptBy = map[simstore.Level]string{
	simstore.Serial: "strict-serializable", simstore.Snapshot: "strong-snapshot-isolation",
	simstore.ReadCommitted: "strong-read-committed", simstore.ReadUncommitted: "strong-read-uncommitted",
}

// noFalseAlarm checks many short random histories, whose stores keep their levels.
func noFalseAlarm(t *testing.T, runs int) {
	for i := range runs {
		level := simstore.Level(i % 4)
		c := simstore.Config{
			Level: level, Seed: uint64(i), Transactions: 5 + i%60, Processes: 1 + i%7, Keys: 1 + i%5, MaxOps: 1 + i%5,
			MaxWrites: 3 + i%20, Register: i%3 == 0, Fail: float64(i%4) / 10, Unknown: float64(i%5) / 20,
		}
		if level == simstore.ReadUncommitted {
			// What was read is taken to have happened; here it may have been rolled back without a word.
			c.Unknown = 0
		}
		o := Options{Model: ListAppend, Level: keptBy[level]}
		if c.Register {
			// What a register's order can be known from holds of these stores at these levels.
			o = Options{Model: RWRegister, Level: keptBy[level], WritesFollowReads: level != simstore.ReadUncommitted, Linearizable: level == simstore.Serial, Sequential: level == simstore.Serial}
		}
		v := check(t, simulate(t, c), o)
		if v.Valid == No {
			t.Fatalf("run %d, %+v: %q\n%s", i, c, v.Types, stories(v))
		}
	}
}

func TestNoFalseAlarm(t *testing.T) { noFalseAlarm(t, 600) }

func TestSoakNoFalseAlarm(t *testing.T) {
	if os.Getenv("RIG_SOAK") == "" {
		t.Skip("SKIPPED: takes long; make soak runs it")
	}
	noFalseAlarm(t, 10_000)
}
