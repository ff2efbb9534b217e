package wait

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"rig/runtime/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// fake is a server that answers from functions, by the beginning of the query.
type fake struct {
	mu      sync.Mutex
	answers map[string]func() ([][]string, error)
	asked   []string
}

func (f *fake) Ask(sql string) ([][]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, sql)
	for prefix, answer := range f.answers {
		if strings.HasPrefix(sql, prefix) {
			return answer()
		}
	}
	return nil, nil
}

func says(rows ...[]string) func() ([][]string, error) {
	return func() ([][]string, error) { return rows, nil }
}

func refuses(code int) func() ([][]string, error) {
	return func() ([][]string, error) {
		return nil, &fault.Error{Class: fault.Class{Kind: fault.AccessDenied, Code: code, Message: "no"}}
	}
}

func TestMonitorNamesLockAndHolder(t *testing.T) {
	m := &monitor{ask: &fake{answers: map[string]func() ([][]string, error){monitorSQL: says([]string{"InnoDB", "", read(t, "locks.txt")})}}}
	got, err := m.look([]uint64{17, 18, 19, 20})
	if err != nil {
		t.Fatal(err)
	}
	want := map[uint64]string{
		18: "X on PRIMARY (2) of account [17]",
		20: "X insert intention on PRIMARY (supremum) of account [17]",
	}
	if len(got) != len(want) {
		t.Errorf("%d wait, want %d: %v", len(got), len(want), got)
	}
	for id, w := range want {
		if s := fmt.Sprintf("%s %v", got[id].Lock, got[id].Blockers); s != w {
			t.Errorf("%d: %s, want %s", id, s, w)
		}
	}
}

// TestMonitorWithoutLocks: where held locks are not printed, the only other transaction with row locks is the holder.
func TestMonitorWithoutLocks(t *testing.T) {
	var kept []string
	text := read(t, "locks.txt")
	for block := range strings.SplitSeq(text, "---TRANSACTION ") {
		if strings.Contains(block, "thread id 20,") || strings.Contains(block, "thread id 19,") {
			continue
		}
		if head, locks, ok := strings.Cut(block, "TABLE LOCK"); ok && !strings.Contains(head, "LOCK WAIT") {
			block = head
		} else if ok {
			block = head + locks[strings.Index(locks, "\n"):]
		}
		kept = append(kept, block)
	}
	all := readTransactions(strings.Join(kept, "---TRANSACTION "))
	i := slices.IndexFunc(all, func(x transaction) bool { return x.thread == 18 })
	if i < 0 || all[i].waits == nil {
		t.Fatalf("18 does not wait: %+v", all)
	}
	if h := holders(all, all[i]); !slices.Equal(h, []uint64{17}) {
		t.Errorf("holders %v", h)
	}
}

func TestReadDeadlock(t *testing.T) {
	d := readDeadlock(read(t, "deadlock.txt"))
	if d == nil || len(d.Cycle) != 2 {
		t.Fatalf("%+v", d)
	}
	for i, want := range []string{"14 waits for 15: X on PRIMARY (2) of account", "15 waits for 14: X on PRIMARY (1) of account"} {
		e := d.Cycle[i]
		if got := fmt.Sprintf("%d waits for %d: %s", e.Thread, e.Holder, e.Lock); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if d := readDeadlock("nothing happened"); d != nil {
		t.Errorf("%+v", d)
	}
}

func TestFieldText(t *testing.T) {
	for _, x := range []struct{ hex, asc, want string }{
		{"80000001", "    ", "1"},
		{"7fffffff", "    ", "-1"},
		{"00000005", "    ", "5"},
		{"616263", "abc", "'abc'"},
		{"61626364", "abcd", "'abcd'"},
		{"8000000000000005", "        ", "5"},
		{"ff00ff", "   ", "0xff00ff"},
	} {
		if got := fieldText(x.hex, x.asc); got != x.want {
			t.Errorf("%s: %s, want %s", x.hex, got, x.want)
		}
	}
}

func TestStateLock(t *testing.T) {
	for state, want := range map[string]string{
		"Waiting for table metadata lock": "metadata",
		"Waiting for schema lock":         "metadata",
		"Waiting for backup lock":         "backup",
		"Waiting for global read lock":    "other",
		"User lock":                       "user",
		"Updating":                        "",
		"User sleep":                      "",
		"Waiting for next activation":     "",
	} {
		l, waits := stateLock(state)
		if l.Kind != want || waits != (want != "") {
			t.Errorf("%s: %q %v, want %q", state, l.Kind, waits, want)
		}
	}
}

// TestConflicts has the cases of lock_rec_has_to_wait.
func TestConflicts(t *testing.T) {
	rec := func(mode string) heldLock {
		return heldLock{Lock: Lock{Kind: "record", Mode: mode}, place: "5", page: "3", heaps: []string{"2"}}
	}
	for _, x := range []struct {
		held, want string
		conflict   bool
	}{
		{"X", "X", true},
		{"S", "S", false},
		{"S", "X", true},
		{"X next-key", "S", true},
		{"X gap", "X", false},
		{"X gap", "X insert intention", true},
		{"S gap", "X insert intention", true},
		{"X", "X insert intention", false},
		{"X next-key", "X insert intention", true},
		{"X insert intention", "X insert intention", false},
		{"X insert intention", "X next-key", false},
		{"X", "X gap", false},
	} {
		if got := conflicts(rec(x.held), rec(x.want)); got != x.conflict {
			t.Errorf("%s held, %s wanted: %v", x.held, x.want, got)
		}
	}
	other := rec("X")
	other.heaps = []string{"3"}
	if conflicts(other, rec("X")) {
		t.Error("another record")
	}
}

func TestChoose(t *testing.T) {
	yes := says([]string{"InnoDB", "", ""})
	for _, x := range []struct {
		name, flavor       string
		answers            map[string]func() ([][]string, error)
		way                string
		perThread, missing bool
	}{
		{"mariadb", "mariadb", map[string]func() ([][]string, error){monitorSQL: yes, "SELECT @@GLOBAL": says([]string{"1"})}, "InnoDB monitor", true, false},
		{"mariadb without printed locks", "mariadb", map[string]func() ([][]string, error){monitorSQL: yes, "SELECT @@GLOBAL": says([]string{"0"})}, "InnoDB monitor", true, true},
		{"mariadb without PROCESS", "mariadb", map[string]func() ([][]string, error){monitorSQL: refuses(1227), "SHOW GLOBAL": says([]string{"n", "0"})}, "counter", false, true},
		{"mysql", "mysql", map[string]func() ([][]string, error){monitorSQL: refuses(1227), "SELECT rt": says()}, "data_lock_waits", true, false},
		{"mysql without anything", "mysql", map[string]func() ([][]string, error){monitorSQL: refuses(1227), "SELECT rt": refuses(1142), "SHOW GLOBAL": refuses(1142)}, "quiet", false, true},
		{"tidb", "tidb", map[string]func() ([][]string, error){tidbSQL: says()}, "TIDB_TRX", true, false},
		{"old tidb", "tidb", map[string]func() ([][]string, error){tidbSQL: refuses(1146)}, "quiet", false, true},
		{"embedded", "embedded", nil, "never wait", true, false},
		{"dolt", "dolt", nil, "never wait", true, false},
		{"mock", "mock", nil, "quiet", false, false},
	} {
		w, err := Choose(&fake{answers: x.answers}, x.flavor)
		if err != nil {
			t.Errorf("%s: %v", x.name, err)
			continue
		}
		if !strings.Contains(w.Way(), x.way) || w.PerThread() != x.perThread || (w.Missing() != "") != x.missing {
			t.Errorf("%s: way %q, per thread %v, missing %q", x.name, w.Way(), w.PerThread(), w.Missing())
		}
	}
	if _, err := Choose(&fake{answers: map[string]func() ([][]string, error){monitorSQL: func() ([][]string, error) { return nil, errors.New("gone") }}}, "mariadb"); err == nil {
		t.Error("a lost connection is no choice")
	}
}

// scripted is a way whose looks are given in turn; the last one stays.
type scripted struct {
	looks []map[uint64]State
	n     int
}

func (s *scripted) suspects() (bool, error) { return true, nil }

func (s *scripted) look([]uint64) (map[uint64]State, error) {
	l := s.looks[min(s.n, len(s.looks)-1)]
	s.n++
	return l, nil
}

func running(thread uint64, waited bool) (Subject, chan struct{}) {
	c := make(chan struct{})
	return Subject{Thread: thread, Ended: c, Waited: waited}, c
}

func settled(t *testing.T, w *Watcher, subjects ...Subject) (string, time.Duration) {
	t.Helper()
	start := time.Now()
	states, err := w.Settle(subjects, time.Second)
	if err != nil {
		return err.Error(), time.Since(start)
	}
	var out []string
	for _, s := range states {
		switch {
		case s.Weak:
			out = append(out, "waits?")
		case s.Waits:
			out = append(out, "waits")
		default:
			out = append(out, "ended")
		}
	}
	return strings.Join(out, " "), time.Since(start)
}

func TestSettle(t *testing.T) {
	waits := State{Waits: true}
	for _, x := range []struct {
		name  string
		looks []map[uint64]State
		two   bool
		want  string
		from  time.Duration
		to    time.Duration
	}{
		{"waits at once", []map[uint64]State{{1: waits}}, false, "waits", settle, settle},
		{"works, then waits", []map[uint64]State{{}, {}, {1: waits}}, false, "waits", settle + 2*every, settle + 2*every},
		{"one works while the other waits", []map[uint64]State{{1: waits}, {1: waits, 2: waits}}, true, "waits waits", settle + every, settle + every},
		{"a cycle is not told until it stays", []map[uint64]State{{1: {Waits: true, Blockers: []uint64{2}}, 2: {Waits: true, Blockers: []uint64{1}}}}, true, "waits waits", quiet, quiet + 30*time.Millisecond},
		{"a cycle that is resolved", []map[uint64]State{{1: {Waits: true, Blockers: []uint64{2}}, 2: {Waits: true, Blockers: []uint64{1}}}, {1: waits, 2: waits}}, true, "waits waits", settle + every, settle + every},
		{"works for ever", []map[uint64]State{{}}, false, "still working after 1s", time.Second, 1010 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := &Watcher{rows: &scripted{looks: x.looks}, perThread: true}
			a, _ := running(1, false)
			subjects := []Subject{a}
			if x.two {
				b, _ := running(2, false)
				subjects = append(subjects, b)
			}
			got, took := settled(t, w, subjects...)
			if got != x.want || took < x.from || took > x.to {
				t.Errorf("%s: %s after %s, want %s after %s to %s", x.name, got, took, x.want, x.from, x.to)
			}
		})
	}
}

// TestSettleSlow: of a thread that waited before, the process list is believed only when it goes on saying so.
func TestSettleSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := State{Waits: true, Slow: true}
		w := &Watcher{rows: &scripted{looks: []map[uint64]State{{1: slow}}}, perThread: true}
		a, _ := running(1, true)
		if got, took := settled(t, w, a); got != "waits" || took < slowState {
			t.Errorf("%s after %s", got, took)
		}
		b, _ := running(1, false)
		if got, took := settled(t, w, b); got != "waits" || took > slowState/2 {
			t.Errorf("a new one: %s after %s", got, took)
		}
		free := &Watcher{rows: &scripted{looks: []map[uint64]State{{1: {Waits: true, Slow: true, Free: true}}}}, perThread: true}
		d, dEnded := running(1, true)
		time.AfterFunc(10*slowState, func() { close(dEnded) })
		if got, _ := settled(t, free, d); got != "ended" {
			t.Errorf("nobody holds the lock: %s", got)
		}
		c, ended := running(1, true)
		time.AfterFunc(slowState/2, func() { close(ended) })
		if got, _ := settled(t, w, c); got != "ended" {
			t.Errorf("let go: %s", got)
		}
	})
}

// TestSettleEnds: the end of one makes the others be asked about anew.
func TestSettleEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		looks := &scripted{looks: []map[uint64]State{{1: {Waits: true}}, {1: {Waits: true}}, {}}}
		w := &Watcher{rows: looks, perThread: true}
		a, aEnded := running(1, true)
		b, bEnded := running(2, false)
		time.AfterFunc(3500*time.Microsecond, func() { close(bEnded) })
		time.AfterFunc(8*time.Millisecond, func() { close(aEnded) })
		if got, _ := settled(t, w, a, b); got != "ended ended" {
			t.Error(got)
		}
	})
}

func TestSettleQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &Watcher{}
		a, _ := running(1, false)
		if got, took := settled(t, w, a); got != "waits?" || took < quiet || took > quiet+20*time.Millisecond {
			t.Errorf("%s after %s", got, took)
		}
		never := &Watcher{never: true}
		if got, _ := settled(t, never, a); got != "still working after 1s" {
			t.Errorf("where rows never wait: %s", got)
		}
	})
}

// TestCounterTellsOfTheServer: the counter is believed only when as many wait as are asked about.
func TestCounterTellsOfTheServer(t *testing.T) {
	n := "1"
	c := &counter{ask: &fake{answers: map[string]func() ([][]string, error){"SHOW": func() ([][]string, error) { return [][]string{{"x", n}}, nil }}}}
	if got, _ := c.look([]uint64{1, 2}); len(got) != 0 {
		t.Errorf("one of two waits, but which: %v", got)
	}
	n = "2"
	if got, _ := c.look([]uint64{1, 2}); len(got) != 2 || !got[1].Slow {
		t.Errorf("both wait: %v", got)
	}
}

func TestAlone(t *testing.T) {
	w := &Watcher{}
	release := w.Alone()
	got := make(chan struct{})
	go func() {
		defer w.Alone()()
		close(got)
	}()
	select {
	case <-got:
		t.Error("two at once where threads cannot be told apart")
	case <-time.After(20 * time.Millisecond):
	}
	release()
	<-got
	(&Watcher{perThread: true}).Alone()()
}

// TestReadDeadlockOwnLock: MariaDB lists a transaction's own lock among those that conflict, where it upgrades one.
func TestReadDeadlockOwnLock(t *testing.T) {
	own := "*** CONFLICTING WITH:\nRECORD LOCKS space id 5 page no 3 n bits 320 index PRIMARY of table `x`.`account` trx id 30 lock mode S\n"
	text := strings.Replace(read(t, "deadlock.txt"), "*** WE ROLL BACK", "@", 1)
	before, after, _ := strings.Cut(text, "*** (2) TRANSACTION:")
	after = strings.Replace(after, "*** CONFLICTING WITH:\n", own, 1)
	d := readDeadlock(before + "*** (2) TRANSACTION:" + after)
	if d == nil || d.Cycle[1].Thread != 15 || d.Cycle[1].Holder != 14 {
		t.Errorf("%+v", d)
	}
}

// TestReadDeadlockBusyPage: a record that the section does not show is found by its place in the list of transactions.
func TestReadDeadlockBusyPage(t *testing.T) {
	text := strings.ReplaceAll(read(t, "deadlock.txt"), " 0: len 4; hex 80000002; asc     ;;\n", "")
	if d := readDeadlock(text); d.whole() {
		t.Fatalf("the record is there: %+v", d)
	}
	list := "\nLIST OF TRANSACTIONS FOR EACH SESSION:\n---TRANSACTION 29, ACTIVE 1 sec\nMariaDB thread id 14, x\nRECORD LOCKS space id 5 page no 3 n bits 320 index PRIMARY of table `x`.`account` trx id 29 lock_mode X locks rec but not gap\nRecord lock, heap no 3 PHYSICAL RECORD: n_fields 4; compact format; info bits 0\n 0: len 4; hex 80000002; asc     ;;\n"
	if d := readDeadlock(text + list); !d.whole() || d.Cycle[0].Lock.Record != "2" {
		t.Errorf("%+v", d)
	}
}

// TestMetadataHolders: DDL waits for everybody on the table; a statement that reads rows only for those that keep it away.
func TestMetadataHolders(t *testing.T) {
	f := &fake{answers: map[string]func() ([][]string, error){
		mariadbHolders + " LIMIT 0": says(),
		"SELECT THREAD_ID, LOCK_MODE, TABLE_SCHEMA, TABLE_NAME FROM information_schema.METADATA_LOCK_INFO": says(
			[]string{"1", "MDL_SHARED_READ", "d", "n"}, []string{"2", "MDL_SHARED_UPGRADABLE", "d", "n"},
			[]string{"4", "MDL_SHARED_READ", "other", "n"}, []string{"5", "MDL_SHARED_READ", "d", "m"}, []string{"6", "MDL_INTENTION_EXCLUSIVE", "", ""}),
		"SELECT ID, STATE": says([]string{"2", "Waiting for table metadata lock", "ALTER TABLE `N` ADD COLUMN x INT", "d"},
			[]string{"3", "Waiting for table metadata lock", "SELECT COUNT(*) FROM n", "d"}, []string{"7", "Sending data", "SELECT 1", "d"}),
	}}
	got, err := newProcessList(f, "mariadb").look([]uint64{2, 3, 7})
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[uint64]string{2: "table metadata lock on n [1]", 3: "table metadata lock on n [2]"} {
		if s := fmt.Sprintf("%s %v", got[id].Lock, got[id].Blockers); s != want || !got[id].Slow {
			t.Errorf("%d: %s, want %s", id, s, want)
		}
	}
	if got[7].Waits {
		t.Error("7 works")
	}
}
