package schedule

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"rig/runtime/event"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// planOf makes a plan of sessions a, b, ... with their statements.
func planOf(t *testing.T, sessions ...[]string) *Plan {
	t.Helper()
	p := &Plan{}
	for i, sqls := range sessions {
		s := Session{Name: string(rune('a' + i))}
		for _, sql := range sqls {
			s.Steps = append(s.Steps, Step{SQL: sql})
		}
		p.Sessions = append(p.Sessions, s)
	}
	if err := p.Seal(); err != nil {
		t.Fatal(err)
	}
	return p
}

// walkAll takes every order; blocked says whether a session waits after what was sent.
func walkAll(t *testing.T, p *Plan, o Orders, blocked func(sent []int, session int) bool) (done []string, abandoned int) {
	t.Helper()
	for {
		next, _, ok := o.Take()
		if !ok {
			return done, abandoned
		}
		var sent []int
		for {
			pl, ok, err := next(sent, func(s int) bool { return blocked(sent, s) })
			if errors.Is(err, ErrAbandoned) {
				abandoned++
				break
			}
			if !ok {
				done = append(done, p.text(sent))
				break
			}
			sent = append(sent, pl.Step)
		}
	}
}

func never([]int, int) bool { return false }

func TestTotal(t *testing.T) {
	for _, x := range []struct {
		sizes []int
		want  string
	}{{[]int{3, 3}, "20"}, {[]int{4, 6}, "210"}, {[]int{1}, "1"}, {[]int{2, 2, 2}, "90"}} {
		var sessions [][]string
		for _, n := range x.sizes {
			sessions = append(sessions, slices.Repeat([]string{"DO 0"}, n))
		}
		p := planOf(t, sessions...)
		if got := p.Total().String(); got != x.want {
			t.Errorf("%v: %s, want %s", x.sizes, got, x.want)
		}
		done, _ := walkAll(t, p, p.Permutations(), never)
		if fmt.Sprint(len(done)) != x.want || len(slices.Compact(slices.Sorted(slices.Values(done)))) != len(done) {
			t.Errorf("%v: %d orders", x.sizes, len(done))
		}
	}
}

// TestPermutationsArePruned: b waits from its first step until a's last. The orders that are run are exactly those that can
// happen, whatever part of the others was tried.
func TestPermutationsArePruned(t *testing.T) {
	p := planOf(t, []string{"a", "a", "a"}, []string{"b", "b", "b"})
	blocked := func(sent []int, s int) bool { // b waits after b1 while a has begun and not ended
		a, b := 0, 0
		for _, n := range sent {
			if n < 3 {
				a++
			} else {
				b++
			}
		}
		return s == 1 && b == 1 && a > 0 && a < 3
	}
	var want []string
	all, _ := walkAll(t, p, p.Permutations(), never)
	for _, order := range all {
		var sent []int
		possible := true
		for _, name := range strings.Fields(order) {
			n := p.find(name)
			possible = possible && !blocked(sent, p.SessionOf(n))
			sent = append(sent, n)
		}
		if possible {
			want = append(want, order)
		}
	}
	o := p.Permutations()
	got, _ := walkAll(t, p, o, blocked)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("run:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if n := o.Counts().Pruned; n != 20-len(want) {
		t.Errorf("%d pruned, want %d", n, 20-len(want))
	}
}

func TestSample(t *testing.T) {
	p := planOf(t, slices.Repeat([]string{"DO 0"}, 8), slices.Repeat([]string{"DO 0"}, 8))
	a, _ := walkAll(t, p, p.Sample(50, 1), never)
	b, _ := walkAll(t, p, p.Sample(50, 1), never)
	c, _ := walkAll(t, p, p.Sample(50, 2), never)
	if len(a) != 50 || !slices.Equal(a, b) || slices.Equal(a, c) {
		t.Errorf("%d orders, same %v, other seed the same %v", len(a), slices.Equal(a, b), slices.Equal(a, c))
	}
	if n := len(slices.Compact(slices.Sorted(slices.Values(a)))); n != 50 {
		t.Errorf("%d different ones", n)
	}
	for _, order := range a {
		if _, err := p.ParseOrder(order); err != nil {
			t.Fatal(err)
		}
	}
}

func TestExplore(t *testing.T) {
	// Different tables: everything commutes but for nothing, so one order stands for all.
	p := planOf(t, []string{"BEGIN", "UPDATE x SET v = 1", "COMMIT"}, []string{"BEGIN", "UPDATE y SET v = 1", "COMMIT"})
	o := p.Explore(100, 1, false)
	if got, _ := walkAll(t, p, o, never); len(got) != 1 || o.Counts().Swaps != 19 {
		t.Errorf("on different tables: %v, %d swaps", got, o.Counts().Swaps)
	}
	if got, _ := walkAll(t, p, p.Explore(100, 1, true), never); len(got) < 5 {
		t.Errorf("on linked tables: %v", got)
	}
	// Reads alone commute.
	p = planOf(t, []string{"SELECT * FROM x", "SELECT * FROM x"}, []string{"SELECT * FROM x"})
	if got, _ := walkAll(t, p, p.Explore(100, 1, false), never); len(got) != 1 {
		t.Errorf("reads: %v", got)
	}
	// A conflict comes first.
	p = planOf(t, []string{"BEGIN", "UPDATE x SET v = 1", "COMMIT"}, []string{"UPDATE x SET v = 2"})
	got, _ := walkAll(t, p, p.Explore(1, 1, false), never)
	if len(got) != 1 || got[0] != "a1 a2 b1 a3" {
		t.Errorf("the most telling is %v", got)
	}
}

// TestExploreKeepsEveryClass: every order has its representative among those that are kept, by swaps of steps that commute.
func TestExploreKeepsEveryClass(t *testing.T) {
	p := planOf(t, []string{"BEGIN", "SELECT * FROM x", "UPDATE y SET v = 1", "COMMIT"}, []string{"UPDATE x SET v = 2", "SELECT * FROM y"})
	conflicts := p.conflicts(false)
	kept := map[string]bool{}
	done, _ := walkAll(t, p, p.Explore(1000, 1, false), never)
	for _, o := range done {
		kept[o] = true
	}
	parent := map[string]string{}
	var find func(string) string
	find = func(s string) string {
		if parent[s] == s {
			return s
		}
		parent[s] = find(parent[s])
		return parent[s]
	}
	all := p.every()
	for _, o := range all {
		parent[string(o)] = string(o)
	}
	for _, o := range all {
		for i := 1; i < len(o); i++ {
			a, b := o[i-1], o[i]
			if p.SessionOf(int(a)) != p.SessionOf(int(b)) && !conflicts[a][b] {
				s := slices.Clone(o)
				s[i-1], s[i] = b, a
				parent[find(string(s))] = find(string(o))
			}
		}
	}
	classes := map[string]int{}
	for _, o := range all {
		if classes[find(string(o))] += 0; kept[p.text(ints(o))] {
			classes[find(string(o))]++
		}
	}
	for c, n := range classes {
		if n != 1 {
			t.Errorf("the class of %s has %d of its orders kept", p.text(ints([]byte(c))), n)
		}
	}
}

func ints(o []byte) []int {
	out := make([]int, len(o))
	for i, n := range o {
		out[i] = int(n)
	}
	return out
}

func TestSerialOrders(t *testing.T) {
	p := planOf(t, []string{"BEGIN", "UPDATE x SET v = 1", "COMMIT", "SELECT 1"}, []string{"BEGIN", "UPDATE x SET v = 2", "COMMIT"})
	r := &Run{}
	for n := range p.Len() {
		r.Steps = append(r.Steps, &StepRun{Step: n})
		r.Order = append(r.Order, n)
	}
	units := p.Units(r)
	if got := fmt.Sprint(units); got != "[{0 [0 1 2]} {0 [3]} {1 [4 5 6]}]" {
		t.Errorf("units %s", got)
	}
	orders, ok := SerialOrders(units, 100)
	if !ok || len(orders) != 3 {
		t.Errorf("%d orders", len(orders))
	}
	if _, ok := SerialOrders(units, 2); ok {
		t.Error("more than the most")
	}
}

func TestClassify(t *testing.T) {
	for sql, want := range map[string]string{
		"SELECT * FROM a JOIN b ON a.i = b.i":         "reads [a b]",
		"select * from `My Table` where x = 'from c'": "reads [my table]",
		"SELECT * FROM a FOR UPDATE":                  "[a]",
		"SELECT * FROM a LOCK IN SHARE MODE":          "[a]",
		"INSERT IGNORE INTO a SELECT * FROM b":        "[a b]",
		"/* hi */ UPDATE a SET v = 1":                 "[a]",
		"DELETE FROM a WHERE i = 1":                   "[a]",
		"CREATE TABLE IF NOT EXISTS a (i INT)":        "ddl [a]",
		"CREATE TEMPORARY TABLE a (i INT)":            "[a]",
		"TRUNCATE a":                                  "ddl []",
		"BEGIN":                                       "begins []",
		"START TRANSACTION WITH CONSISTENT SNAPSHOT":  "begins snapshot []",
		"COMMIT;":                 "ends []",
		"ROLLBACK TO SAVEPOINT s": "[]",
		"ROLLBACK":                "ends []",
		"CALL p()":                "opaque []",
	} {
		c := classify(sql)
		var got []string
		for word, on := range map[string]bool{"reads": c.reads, "ddl": c.ddl, "begins": c.begins, "snapshot": c.snapshot, "ends": c.ends, "opaque": c.opaque} {
			if on {
				got = append(got, word)
			}
		}
		slices.Sort(got)
		if s := strings.TrimSpace(strings.Join(got, " ") + " " + fmt.Sprint(c.tables)); s != want {
			t.Errorf("%s: %s, want %s", sql, s, want)
		}
	}
}

// TestUnitsOfAVictim: what the server rolled back is no unit; what came after it is, statement by statement.
func TestUnitsOfAVictim(t *testing.T) {
	p := planOf(t, []string{"BEGIN", "UPDATE x SET v = 1", "UPDATE y SET v = 1", "SELECT 1", "COMMIT"}, []string{"BEGIN", "UPDATE y SET v = 2", "UPDATE x SET v = 2", "COMMIT"})
	r := &Run{}
	for n := range p.Len() {
		s := &StepRun{Step: n}
		switch n {
		case 2:
			s.Result.Err = &event.Error{Kind: "deadlock", Code: 1213}
		case 7:
			s.Result.Err = &event.Error{Kind: "lock_wait_timeout", Code: 1205}
		}
		r.Steps = append(r.Steps, s)
	}
	if got := fmt.Sprint(p.Units(r)); got != "[{0 [3]} {1 [5 6 8]}]" {
		t.Errorf("units %s", got)
	}
}
