package wait

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func shownLocks(t *testing.T, w *Watcher) string {
	t.Helper()
	holds, err := w.Locks()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, h := range holds {
		fmt.Fprintln(&b, h)
	}
	return b.String()
}

func TestLocksOfTheMonitor(t *testing.T) {
	text := read(t, "locks.txt")
	// One more page of the same index is the same lock to a person; a record whose page is in use shows no key.
	more := "RECORD LOCKS space id 5 page no 4 n bits 320 index PRIMARY of table `x`.`account` trx id 37 lock_mode X\nRecord lock, heap no 2\nRecord lock, heap no 3 PHYSICAL RECORD: n_fields 4; compact format; info bits 0\n 0: len 4; hex 80000009; asc     ;;\n\n"
	text = strings.Replace(text, "---TRANSACTION 37, ACTIVE 1 sec\n2 lock struct(s), heap size 1128, 2 row lock(s)\nMariaDB thread id 17, OS thread handle 139855947105984, query id 4056 localhost root User sleep\nselect sleep(1.5)\n",
		"---TRANSACTION 37, ACTIVE 1 sec\n3 lock struct(s), heap size 1128, 9 row lock(s)\nMariaDB thread id 17, OS thread handle 139855947105984, query id 4056 localhost root User sleep\nselect sleep(1.5)\n"+more, 1)
	ask := &fake{answers: map[string]func() ([][]string, error){
		monitorSQL: says([]string{"InnoDB", "", text}),
		"SELECT THREAD_ID, LOCK_TYPE": says([]string{"19", "Table metadata lock", "MDL_SHARED_WRITE", "x", "account", "GRANTED"},
			[]string{"0", "Table metadata lock", "MDL_SHARED", "x", "account", "GRANTED"}, []string{"17", "User lock", "MDL_SHARED_NO_WRITE", "mine", "", "GRANTED"}, []string{"17", "Schema metadata lock", "MDL_INTENTION_EXCLUSIVE", "x", "", "GRANTED"}),
	}}
	w := &Watcher{rows: &monitor{ask: ask}, states: &processList{ask: ask, holders: mariadbHolders}}
	want := `17 holds X next-key on PRIMARY of account: 4 records (9, 2, supremum, ...)
17 holds IX table lock on account
17 holds row locks that the server does not show: 5 records
17 holds user lock mine
18 holds IX table lock on account
18 waits for X on PRIMARY of account: 1 record (2)
19 holds IX table lock on account
19 holds X on PRIMARY of account: 1 record (1)
19 holds shared write metadata lock on account
20 holds IX table lock on account
20 waits for X insert intention on PRIMARY of account: 1 record (supremum)
`
	if got := shownLocks(t, w); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestLocksOfDataLocks(t *testing.T) {
	ask := &fake{answers: map[string]func() ([][]string, error){
		"SELECT t.PROCESSLIST_ID, l.LOCK_STATUS": says(
			[]string{"9", "WAITING", "RECORD", "X,REC_NOT_GAP", "PRIMARY", "account", "2"},
			[]string{"8", "GRANTED", "TABLE", "IX", "", "account", ""},
			[]string{"8", "GRANTED", "RECORD", "X", "b", "account", "supremum pseudo-record"},
			[]string{"8", "GRANTED", "RECORD", "X", "b", "account", "5, 5"},
		),
		"SELECT t.PROCESSLIST_ID, m.OBJECT_TYPE": says(
			[]string{"9", "TABLE", "EXCLUSIVE", "x", "account", "PENDING"}, []string{"8", "USER LEVEL LOCK", "EXCLUSIVE", "", "mine", "GRANTED"}),
	}}
	w := &Watcher{rows: &dataLocks{ask: ask}, states: &processList{ask: ask, holders: mysqlHolders}}
	want := `8 holds IX table lock on account
8 holds X next-key on b of account: 2 records (5, supremum)
8 holds user lock mine
9 waits for X on PRIMARY of account: 1 record (2)
9 waits for exclusive metadata lock on account
`
	if got := shownLocks(t, w); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestLocksThatNobodyTells(t *testing.T) {
	for flavor, want := range map[string]string{"embedded": "has no row locks", "mock": "does not tell its locks", "mysql": "lacks PROCESS"} {
		w, err := Choose(&fake{answers: map[string]func() ([][]string, error){
			monitorSQL: refuses(1227), dataLockSQL: refuses(1142), counterSQL: says([]string{"Innodb_row_lock_current_waits", "0"}),
		}}, flavor)
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.Locks()
		var no *NotToldError
		if !errors.As(err, &no) || !strings.Contains(no.Why, want) {
			t.Errorf("%s: %v, want %q", flavor, err, want)
		}
		if fix := "GRANT PROCESS ON *.* TO %s"; flavor == "mysql" && no != nil && no.Fix != fix {
			t.Errorf("the fix is %q, want %q", no.Fix, fix)
		}
	}
}

func TestLocksThatMakeNoSense(t *testing.T) {
	for name, w := range map[string]*Watcher{
		"monitor":   {rows: &monitor{ask: &fake{answers: map[string]func() ([][]string, error){monitorSQL: says([]string{"x"})}}}},
		"dataLocks": {rows: &dataLocks{ask: &fake{answers: map[string]func() ([][]string, error){"SELECT": says([]string{"x"})}}}},
	} {
		if _, err := w.Locks(); !errors.Is(err, errNotTold) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
