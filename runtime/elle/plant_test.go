package elle

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"rig/runtime/history"
	"rig/runtime/history/simstore"
)

// recorded is an event that owns its value.
func recorded(e *history.Event) history.Event {
	c := *e
	c.Value = copied(e.Value)
	return c
}

func copied(v history.Value) history.Value {
	items := make([]history.Value, len(v.Items))
	for i := range v.Items {
		items[i] = copied(v.Items[i])
	}
	if v.Items != nil {
		v.Items = items
	}
	return v
}

// gadget makes the events of a short history, with keys and processes of its own. Operations without invocations begin all at once.
func gadget(t *testing.T, text string, register bool) []history.Event {
	t.Helper()
	var begins, rest []history.Event
	process := int64(1000)
	add := func(to *[]history.Event, p int64, typ history.Type, txn string) {
		v := parse(t, txn, register)
		for i := range v.Items {
			v.Items[i].Items[1] = history.Value{Kind: history.Text, Text: "planted " + v.Items[i].Items[1].Text}
		}
		*to = append(*to, history.Event{Process: p, Type: typ, F: "txn", Value: v, Time: -1})
	}
	types := map[string]history.Type{"invoke": history.Invoke, "ok": history.OK, "fail": history.Fail, "info": history.Info}
	for line := range strings.SplitSeq(text, "\n") {
		f := strings.Fields(line)
		p := process + int64(f[0][0]-'0')
		switch {
		case f[1] == "pair":
			add(&rest, p, history.Invoke, f[2])
			add(&rest, p, history.OK, f[2])
		case f[1] == "invoke" || strings.Contains(text, "invoke"):
			add(&rest, p, types[f[1]], f[2])
		default:
			process += 10
			p += 10
			add(&begins, p, history.Invoke, f[2])
			add(&rest, p, types[f[1]], f[2])
		}
	}
	return append(begins, rest...)
}

// TestPlanted: an anomaly that is put into a serial history at a random place is found there, and it alone.
func TestPlanted(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	planted := map[string]bool{}
	for _, c := range published {
		if !strings.Contains(c.history, " ") || strings.Contains(c.name, "is nothing to") || strings.Contains(c.name, "the same") {
			continue
		}
		for round := range 2 {
			var events []history.Event
			err := simstore.Run(simstore.Config{
				Level: simstore.Serial, Seed: r.Uint64(), Transactions: 100 + r.IntN(200), Processes: 1 + r.IntN(6), Keys: 3, MaxOps: 4, MaxWrites: 20, Register: c.register,
			}, func(e *history.Event) error {
				events = append(events, recorded(e))
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			events = slices.Insert(events, r.IntN(len(events)), gadget(t, c.history, c.register)...)
			var b history.Builder
			for i := range events {
				if err := b.Add(&events[i]); err != nil {
					t.Fatal(err)
				}
			}
			h, err := b.History()
			if err != nil {
				t.Fatal(err)
			}
			o := c.options
			o.Level = ""
			o.Model = ListAppend
			if c.register {
				o.Model = RWRegister
			}
			v := check(t, h, o)
			for _, want := range strings.Fields(c.types) {
				if want == emptyGraph {
					continue
				}
				planted[want] = true
				if !slices.Contains(v.Types, want) {
					t.Errorf("%s, round %d: %s was not found in %q", c.name, round, want, v.Types)
				}
			}
			if got := strings.Join(v.Not, " "); got != c.not {
				t.Errorf("%s, round %d: not %q, want %q\n%s", c.name, round, got, c.not, stories(v))
			}
		}
	}
	for _, name := range []string{
		"G0", "G1a", "G1b", "G1c", "G-single-item", "G-nonadjacent-item", "G2-item", "internal", "future-read", "incompatible-order", "duplicate-elements",
		"lost-update", "dirty-update", "cyclic-versions", "G1c-process", "G-single-item-process", "G-single-item-realtime", "G-nonadjacent-item-process",
	} {
		if !planted[name] {
			t.Errorf("no %s was planted", name)
		}
	}
}
