package elle

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"rig/runtime/history"
)

// parse makes the value of a transaction from the short form: ax1 appends 1 to x, wx1 writes it, rx12 reads [1 2] of a
// list and rx1 the value 1 of a register, rx_ reads nothing.
func parse(t *testing.T, text string, register bool) history.Value {
	t.Helper()
	v := history.Value{Kind: history.List}
	for i := 0; i < len(text); {
		act, key := text[i], text[i+1:i+2]
		i += 2
		j := i
		for j < len(text) && (text[j] >= '0' && text[j] <= '9' || text[j] == '_') {
			j++
		}
		digits := text[i:j]
		i = j
		word := map[byte]string{'a': "append", 'w': "w", 'r': "r"}[act]
		if word == "" {
			t.Fatalf("bad transaction %q", text)
		}
		val := history.Value{}
		switch {
		case digits == "_":
		case act == 'r' && !register:
			val.Kind = history.List
			for _, d := range digits {
				val.Items = append(val.Items, history.Value{Kind: history.Int, Int: int64(d - '0')})
			}
		default:
			val = history.Value{Kind: history.Int, Int: int64(digits[0] - '0')}
		}
		v.Items = append(v.Items, history.Value{Kind: history.List, Items: []history.Value{
			{Kind: history.Keyword, Text: word}, {Kind: history.Keyword, Text: key}, val,
		}})
	}
	return v
}

// build makes a history of events "0 ok ax1", one a line: process, type, transaction. A line "0 pair ax1" is an invocation
// and its completion; one with a transaction alone is of process 0, ok and without invocation.
func build(t *testing.T, text string, register bool) *history.History {
	t.Helper()
	var b history.Builder
	add := func(process int64, typ history.Type, txn string) {
		e := history.Event{Process: process, Type: typ, F: "txn", Value: parse(t, txn, register), Time: -1}
		if err := b.Add(&e); err != nil {
			t.Fatal(err)
		}
	}
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		if len(f) == 1 {
			add(0, history.OK, f[0])
			continue
		}
		var process int64
		fmt.Sscan(f[0], &process)
		switch f[1] {
		case "pair":
			add(process, history.Invoke, f[2])
			add(process, history.OK, f[2])
		case "invoke":
			add(process, history.Invoke, f[2])
		case "ok":
			add(process, history.OK, f[2])
		case "fail":
			add(process, history.Fail, f[2])
		case "info":
			add(process, history.Info, f[2])
		default:
			t.Fatalf("bad line %q", line)
		}
	}
	h, err := b.History()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// published are the verdicts that Elle's own tests and those of elle-cli state for these histories. more are anomalies that
// this checker names beyond Elle's: Elle explains an edge by data alone where real time gives one too, and so does not see
// that a shorter cycle of real time is there as well.
var published = []struct {
	name, history string
	register      bool
	options       Options
	valid         Valid
	types, not    string
	more          string
}{
	{name: "G0", history: "0 ok ax1ay1\n1 ok ax2ay2\n2 ok rx12ry21", valid: No, types: "G0", not: "read-uncommitted"},
	{name: "G1a", history: "0 fail ax1\n0 ok rx1", options: Options{Level: "read-committed"}, valid: No, types: "G1a empty-transaction-graph", not: "read-committed"},
	{name: "G1a is nothing to read uncommitted", history: "0 fail ax1\n0 ok rx1", options: Options{Level: "read-uncommitted"}, valid: Unknown, types: "G1a empty-transaction-graph", not: "read-committed"},
	{name: "G1b", history: "0 pair ax1ax2\n0 pair rx1", valid: No, types: "G-single-item G1b", not: "read-committed"},
	{name: "G1b, others' reads", history: "0 ok rx1\n1 ok rx12\n2 ok ax1ax2\n3 ok rx12", valid: No, types: "G-single-item G1b", not: "read-committed"},
	{name: "an internal read is no G1b", history: "0 ok ax1rx1ax2\n1 ok rx12", valid: Yes},
	{name: "G1c", history: "0 ok ax1ry1\n1 ok ax2ay1\n2 ok rx12ry1", valid: No, types: "G1c", not: "read-committed"},
	{name: "G-single", history: "0 ok ax1ay1\n1 ok ax2ry\n2 ok rx12", valid: No, types: "G-single-item", not: "consistent-view repeatable-read"},
	{name: "G-single is nothing to read committed", history: "0 ok ax1ay1\n1 ok ax2ry\n2 ok rx12", options: Options{Level: "read-committed"}, valid: Yes, types: "G-single-item", not: "consistent-view repeatable-read"},
	{name: "G2-item", history: "0 ok ax1ry\n1 ok ay1rx", valid: No, types: "G2-item", not: "repeatable-read"},
	{name: "G2-item is nothing to snapshot isolation", history: "0 ok ax1ry\n1 ok ay1rx", options: Options{Level: "snapshot-isolation"}, valid: Yes, types: "G2-item", not: "repeatable-read"},
	{name: "strong snapshot isolation", history: "0 pair ax1\n1 pair ax2\n2 pair rx1\n3 pair rx12", valid: No, types: "G-single-item-realtime", not: "strong-snapshot-isolation"},
	{name: "strong session snapshot isolation", history: "0 pair ax1\n1 pair ax2\n1 pair rx1\n2 pair rx12", valid: No, types: "G-single-item-process", not: "strong-session-snapshot-isolation"},
	{name: "the same, serializable", history: "0 pair ax1\n1 pair ax2\n1 pair rx1\n2 pair rx12", options: Options{Level: "serializable"}, valid: Yes, types: "G-single-item-process", not: "strong-session-snapshot-isolation"},
	{
		name: "G-nonadjacent of processes", history: "0 pair rxrz1\n1 pair ax1\n1 pair rz\n2 pair az1", options: Options{Level: "strong-session-snapshot-isolation"},
		valid: No, types: "G-nonadjacent-item-process", not: "strong-read-committed strong-session-snapshot-isolation", more: "G-single-item-realtime G1c-realtime",
	},
	{
		name: "contradictory orders", history: "0 ok ax1ry1\n1 ok ax2\n2 ok ax3ay1\n3 ok rx13\n4 ok rx123", valid: No,
		types: "G1c incompatible-order", not: "read-committed",
	},
	{name: "a failed append alone", history: "0 fail ax1", valid: Unknown, types: "empty-transaction-graph"},
	{name: "dirty update", history: "0 fail ax1\n1 ok ax2\n2 ok rx12", valid: No, types: "G1a dirty-update", not: "read-committed"},
	{name: "dirty update over an unknown one", history: "0 fail ax1\n1 info ax2\n2 ok ax3\n3 ok rx123", valid: No, types: "G1a dirty-update", not: "read-committed"},
	{name: "duplicate elements", history: "0 ok ax1ry1\n1 ok ax2ay1\n2 ok rx121", options: Options{Level: "read-committed"}, valid: No, types: "G1c duplicate-elements", not: "read-uncommitted", more: "G-single-item"},
	{name: "internal", history: "0 ok ax1ax2ax4\n1 ok ax3rx1234", valid: No, types: "G0 internal", not: "read-uncommitted"},
	{name: "internal, short read", history: "0 ok ax3rx", valid: No, types: "empty-transaction-graph internal", not: "read-atomic"},
	{name: "internal, extension", history: "0 ok rx12ax3rx1234\n1 ok ax1\n2 ok ax2\n3 ok ax4", valid: No, types: "G1c internal", not: "read-committed"},
	{
		name: "a write that was not observed", history: "0 invoke ax1ay1\n1 invoke ax2ay2\n2 invoke ax3ay3\n3 invoke rx_\n4 invoke ry_\n0 ok ax1ay1\n1 ok ax2ay2\n2 ok ax3ay3\n3 ok rx12\n4 ok ry2",
		options: Options{Level: "serializable"}, valid: No, types: "G-single-item G0", not: "read-uncommitted",
	},
	{name: "G-nonadjacent", history: "0 pair ax1\n1 pair rx1ry\n2 pair ay1\n3 pair ry1rx", valid: No, types: "G-nonadjacent-item", not: "repeatable-read snapshot-isolation", more: "G-single-item-realtime"},
	{name: "adjacent anti-dependencies are allowed to snapshots", history: "0 ok rx5ay1\n1 ok ryaz2\n2 ok rzat3\n3 ok rt3au4\n4 ok ruax5", options: Options{Level: "snapshot-isolation"}, valid: Yes},
	{name: "lost update", history: "0 ok ax0\n1 ok rx0ax1\n2 ok rx0ax2", valid: No, types: "G2-item lost-update", not: "cursor-stability update-atomic"},
	{name: "one transaction writes twice", history: "0 pair rxax1ax2\n0 pair rx12", valid: Yes},
	{name: "G1c of processes", history: "1 pair rx1ay1\n2 pair ry1\n2 pair ax1", options: Options{Level: "strong-session-snapshot-isolation"}, valid: No, types: "G1c-process", not: "strong-session-read-committed"},
	{name: "future read", history: "0 pair rx1ax1", options: Options{Level: "read-committed"}, valid: No, types: "empty-transaction-graph future-read", not: "read-committed"},
	{name: "G-single, repeatable read", history: "0 ok ax1ay1\n1 ok rx1ry", options: Options{Level: "repeatable-read"}, valid: No, types: "G-single-item", not: "consistent-view repeatable-read"},
	{name: "G-nonadjacent, repeatable read", history: "0 ok ax1at1\n1 ok rx1ry\n2 ok ay1az2\n3 ok rz2rt", options: Options{Level: "repeatable-read"}, valid: No, types: "G-nonadjacent-item", not: "repeatable-read snapshot-isolation"},
	{
		name: "the example of Elle's paper", history: "1 pair ax1ax3ax4ay2ay3ay4ay5az1az2\n1 pair ay8rx134\n1 pair az4ry23458rz124rx134\n1 pair au9rx134ry2345az3",
		valid: No, types: "G-single-item", not: "consistent-view repeatable-read",
	},
	{name: "G2-item, one after the other", history: "0 pair ax1ry\n1 pair ay1rx", valid: No, types: "G2-item", not: "repeatable-read strong-snapshot-isolation", more: "G-single-item-realtime"},
	{name: "G1b, another process", history: "0 pair ax1ax2\n2 pair rx1", valid: No, types: "G-single-item G1b", not: "read-committed"},
	{name: "lost update, one after the other", history: "0 pair ax0\n1 pair rx0ax1\n2 pair rx0ax2", valid: No, types: "G2-item lost-update", not: "cursor-stability update-atomic", more: "G-single-item-realtime"},
	{name: "G0, one after the other", history: "0 pair ax1ay1\n1 pair ax2ay2\n2 pair rx12ry21", valid: No, types: "G0", not: "read-uncommitted"},
	{name: "reads of what crashed say nothing", history: "0 info ax2ry_\n1 ok ax1ay1\n2 ok rx12ry1", valid: Yes},

	{name: "registers: a read of what nobody wrote", register: true, history: "0 pair wx1\n0 pair rx2", valid: Yes},
	{name: "registers: cyclic versions by real time", register: true, history: "0 pair wx1\n1 pair rx2\n2 pair rx1", options: Options{Linearizable: true}, valid: No, types: "cyclic-versions", not: "read-uncommitted"},
	{name: "registers: no order is known", register: true, history: "0 ok wx1wy2\n1 ok wx2wy1", options: Options{Level: "read-uncommitted"}, valid: Unknown, types: "empty-transaction-graph"},
	{name: "registers: G0 by processes", register: true, history: "0 pair wx1wy2\n1 pair wx2wy1\n0 pair rx2\n1 pair ry2", options: Options{Sequential: true}, valid: No, types: "G0", not: "read-uncommitted"},
	{name: "registers: G1a", register: true, history: "0 ok rx1\n0 fail wx1", valid: No, types: "G1a empty-transaction-graph", not: "read-committed"},
	{name: "registers: G1b", register: true, history: "0 ok wx1wx2\n1 ok rx1", valid: No, types: "G1b empty-transaction-graph", not: "read-committed"},
	{name: "registers: G1c", register: true, history: "0 ok wx1ry1\n1 ok wy1rx1", valid: No, types: "G1c", not: "read-committed"},
	{name: "registers: G2-item by real time", register: true, history: "0 pair rx1ry1\n1 invoke rx_wy2\n2 pair ry1wx2\n1 ok rx1wy2", options: Options{Linearizable: true}, valid: No, types: "G2-item", not: "repeatable-read"},
	{name: "registers: internal", register: true, history: "0 ok rx1rx2", valid: No, types: "empty-transaction-graph internal", not: "read-atomic"},
	{name: "registers: the initial state is the first", register: true, history: "0 invoke rx_ry_\n1 pair wy1wx2\n0 ok rx_ry1", valid: No, types: "G-single-item", not: "consistent-view repeatable-read"},
	{name: "registers: G-single through a chain of reads", register: true, history: "0 pair wx1\n1 pair rx1wy1\n2 pair ry1rx_", valid: No, types: "G-single-item", not: "consistent-view repeatable-read"},
	{name: "registers: writes follow reads, not assumed", register: true, history: "0 ok ry1wx1wy2\n1 ok rx1ry1", options: Options{Level: "serializable"}, valid: Yes},
	{name: "registers: writes follow reads", register: true, history: "0 ok ry1wx1wy2\n1 ok rx1ry1", options: Options{WritesFollowReads: true}, valid: No, types: "G-single-item", not: "consistent-view repeatable-read"},
	{name: "registers: cyclic versions by processes", register: true, history: "0 pair wx1\n0 pair wx2\n0 pair rx1", options: Options{Sequential: true}, valid: No, types: "cyclic-versions", not: "read-uncommitted"},
	{name: "registers: lost update", register: true, history: "0 pair rx0wx1\n1 pair rx0wx2", valid: No, types: "lost-update", not: "cursor-stability update-atomic"},
}

func TestPublishedVerdicts(t *testing.T) {
	for _, c := range published {
		t.Run(c.name, func(t *testing.T) {
			c.options.Model = ListAppend
			if c.register {
				c.options.Model = RWRegister
			}
			v, err := Check(context.Background(), build(t, c.history, c.register), c.options)
			if err != nil {
				t.Fatal(err)
			}
			if v.Valid != c.valid {
				t.Errorf("valid is %s, want %s", v.Valid, c.valid)
			}
			want := strings.Fields(c.types + " " + c.more)
			slices.Sort(want)
			if !slices.Equal(v.Types, want) {
				t.Errorf("anomalies %q, want %q", v.Types, want)
			}
			if got := strings.Join(v.Not, " "); got != c.not {
				t.Errorf("not %q, want %q", got, c.not)
			}
			if t.Failed() {
				for _, a := range v.Anomalies {
					t.Logf("%s:\n  %s", a.Name, strings.Join(a.Story, "\n  "))
				}
			}
		})
	}
}
