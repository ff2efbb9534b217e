package invariant

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"rig/runtime/history"
)

// read makes a history of lines "process type f value".
func read(t *testing.T, text string) *history.History {
	t.Helper()
	var edn strings.Builder
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		f := strings.SplitN(strings.TrimSpace(line), " ", 4)
		if len(f) < 4 {
			f = append(f, "nil")
		}
		fmt.Fprintf(&edn, "{:process %s :type :%s :f :%s :value %s}\n", f[0], f[1], f[2], f[3])
	}
	h, _, err := history.Read("h", strings.NewReader(edn.String()))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestCheck(t *testing.T) {
	hundred, ten := int64(100), int64(10)
	cases := []struct {
		model, name, history string
		o                    Options
		valid                Valid
		kinds, text          string
	}{
		{"bank", "all is there", "0 invoke read\n0 ok read {0 50 1 50}\n1 invoke transfer {:from 0 :to 1 :amount 5}\n1 ok transfer {:from 0 :to 1 :amount 5}\n0 ok read {0 45 1 55}", Options{}, Yes, "", ""},
		{"bank", "money is lost", "0 ok read {0 50 1 50}\n0 ok read {0 45 1 50}", Options{}, No, "wrong-total", "T2 (line 2, process 0) read balances that add up to 95, not to 100"},
		{"bank", "another total", "0 ok read {0 50 1 50}", Options{Total: &ten}, No, "wrong-total", "add up to 100, not to 10"},
		{"bank", "a negative balance", "0 ok read {0 101 1 -1}", Options{Total: &hundred}, No, "negative-value", "negative balance of account 1"},
		{"bank", "overdrawn is allowed", "0 ok read {0 101 1 -1}", Options{Total: &hundred, Negative: true}, Yes, "", ""},
		{"bank", "an account from nowhere", "0 ok read {0 50 1 50}\n0 ok read {0 50 1 50 2 0}", Options{}, No, "unexpected-key", "the account 2, which is none"},
		{"bank", "an account without balance", "0 ok read {0 50 1 nil}", Options{}, No, "nil-balance", "no balance of account 1"},
		{"bank", "no reads", "0 ok transfer {}", Options{}, Unknown, "", ""},
		{"bank", "a failed read says nothing", "0 ok read {0 1}\n0 fail read {0 7}\n1 info read {0 8}", Options{}, Yes, "", ""},

		{"set", "all is there", "0 ok add 1\n0 info add 2\n1 fail add 3\n2 ok read [1 2]", Options{}, Yes, "", ""},
		{"set", "lost", "0 ok add 1\n0 ok add 2\n2 ok read #{1}", Options{}, No, "lost", "T2 (line 2, process 0) added 2, and T3 (line 3, process 2) did not read it"},
		{"set", "unexpected", "0 ok add 1\n0 fail add 2\n2 ok read #{1 2}", Options{}, No, "unexpected", "read 2, which nobody added"},
		{"set", "never read", "0 ok add 1", Options{}, Unknown, "", ""},

		{"set-full", "all is there", "0 ok add 1\n1 ok read [1]\n0 ok add 2\n1 ok read [1 2]", Options{}, Yes, "", ""},
		{"set-full", "stale", "0 ok add 1\n1 ok read []\n1 ok read [1]", Options{}, Yes, "", ""},
		{"set-full", "lost", "0 ok add 1\n1 ok read [1]\n1 ok read []", Options{}, No, "lost", "T1 (line 1, process 0) added 1, and T3 (line 3, process 1) did not read it"},
		{"set-full", "an addition that nobody confirmed may be seen and be lost", "0 info add 1\n1 ok read [1]\n1 ok read []", Options{}, No, "lost", ""},
		{"set-full", "an addition that is under way need not be seen", "0 invoke add 1\n1 invoke read\n1 ok read []\n0 ok add 1", Options{}, Unknown, "", ""},
		{"set-full", "a read that began before the end need not see it", "1 invoke read\n0 invoke add 1\n0 ok add 1\n1 ok read []\n1 ok read [1]", Options{}, Yes, "", ""},
		{"set-full", "twice", "0 ok add 1\n1 ok read [1 1]", Options{}, No, "duplicated", "read 1 twice"},
		{"set-full", "many sets", "0 ok add [0 1]\n0 ok add [1 1]\n1 ok read [0 [1]]\n1 ok read [1 [1]]", Options{}, Yes, "", ""},
		{"set-full", "many sets, lost", "0 ok add [0 1]\n0 ok add [1 1]\n1 ok read [0 [1]]\n1 ok read [1 []]", Options{}, No, "lost", "added [1 1]"},

		{"counter", "right", "0 ok add 1\n0 ok add 2\n1 ok read 3", Options{}, Yes, "", ""},
		{"counter", "too much", "0 ok add 1\n1 ok read 2", Options{}, No, "out-of-range", "read 2, but from 1 to 1 was possible"},
		{"counter", "too little", "0 ok add 1\n1 ok read 0", Options{}, No, "out-of-range", "read 0, but from 1 to 1 was possible"},
		{"counter", "under way", "0 invoke add 5\n1 ok read 0\n1 ok read 5\n0 ok add 5", Options{}, Yes, "", ""},
		{"counter", "unknown for ever", "0 info add 5\n1 ok read 0\n1 ok read 5", Options{}, Yes, "", ""},
		{"counter", "failed", "0 fail add 5\n1 ok read 5", Options{}, No, "out-of-range", ""},
		{"counter", "downwards", "0 ok add -5\n1 ok read -5\n1 ok read -6", Options{}, No, "out-of-range", "read -6, but from -5 to -5"},
		{"counter", "what the read began with counts", "1 invoke read\n0 ok add 5\n1 ok read 0", Options{}, Yes, "", ""},

		{"long-fork", "one order", "0 ok write [[:w 0 1]]\n0 ok write [[:w 1 1]]\n1 ok read [[:r 0 1] [:r 1 nil]]\n1 ok read [[:r 1 1] [:r 0 1]]", Options{}, Yes, "", ""},
		{"long-fork", "two orders", "1 ok read [[:r 0 1] [:r 1 1] [:r 2 nil]]\n2 ok read [[:r 2 1] [:r 0 1] [:r 1 nil]]", Options{}, No, "long-fork", "T1 (line 1, process 1) and T2 (line 2, process 2) read the same keys"},
		{"long-fork", "other groups are not compared", "1 ok read [[:r 0 1] [:r 1 nil]]\n2 ok read [[:r 0 nil] [:r 2 1]]", Options{}, Yes, "", ""},
	}
	for _, c := range cases {
		t.Run(c.model+", "+c.name, func(t *testing.T) {
			v, err := Check(c.model, read(t, c.history), c.o)
			if err != nil {
				t.Fatal(err)
			}
			var kinds []string
			text := ""
			for _, f := range v.Faults {
				kinds = append(kinds, f.Kind)
				text += f.Text + "\n"
			}
			if v.Valid != c.valid || strings.Join(slices.Compact(kinds), " ") != c.kinds || !strings.Contains(text, c.text) {
				t.Errorf("%s %q %v\n%s", v.Valid, kinds, slices.Sorted(maps.Keys(v.Counts)), text)
			}
		})
	}
}

func TestStaleIsCounted(t *testing.T) {
	v, err := Check("set-full", read(t, "0 ok add 1\n1 ok read []\n1 ok read [1]"), Options{})
	if err != nil || v.Counts["stale"] != 1 || v.Counts["stable"] != 1 {
		t.Errorf("%+v, %v", v, err)
	}
}

// TestWrongWorkload: a history of something else is refused with its operation.
func TestWrongWorkload(t *testing.T) {
	cases := []struct{ model, history, want string }{
		{"bank", "0 ok add 1", "T1 (line 1, process 0) is add 1: want read or transfer"},
		{"bank", "0 ok read 1", "want a read of a map"},
		{"set", "0 ok write 1", "want add or read"},
		{"set", "0 ok read 1", "want a read of a list or set"},
		{"set-full", "0 ok write 1", "want add or read"},
		{"set-full", "0 ok read 1", "want a read of a list or set"},
		{"counter", "0 ok read []", "want a number"},
		{"counter", "0 ok cas [1 2]", "want add or read"},
		{"long-fork", "0 ok txn [[:w 0 1] [:w 1 1]]", "want a write of one key or a read of a group"},
		{"long-fork", "0 ok write [[:w 0 1]]\n0 ok write [[:w 0 2]]", "T2 (line 2, process 0) writes key 0, which T1 (line 1, process 0) wrote"},
		{"long-fork", "0 ok read [[:r 0 [1]]]", "want a write of one key"},
		{"queue", "0 ok read 1", `there is no workload "queue"`},
	}
	for _, c := range cases {
		if _, err := Check(c.model, read(t, c.history), Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s of %q: %v, want %s", c.model, c.history, err, c.want)
		}
	}
}
