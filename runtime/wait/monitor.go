package wait

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// monitor is the text of SHOW ENGINE INNODB STATUS. It is live, needs PROCESS, and shows each transaction with the lock that
// it waits for; who holds that lock it shows where innodb_status_output_locks is on.
type monitor struct {
	ask Asker
	counter
	waitsTable bool // ask INNODB_LOCK_WAITS for holders that the text leaves open

	mu    sync.Mutex
	asked time.Time // guarded by mu: when INNODB_LOCK_WAITS was read last
}

const monitorSQL = "SHOW ENGINE INNODB STATUS"

func (m *monitor) suspects() (bool, error) { return m.counter.suspects() }

func (m *monitor) text() (string, error) {
	rows, err := m.ask.Ask(monitorSQL)
	if err != nil {
		return "", err
	}
	if len(rows) != 1 || len(rows[0]) != 3 {
		return "", errNotTold
	}
	return rows[0][2], nil
}

// lookAgain is how often the monitor is asked again for a record that it did not show: it shows none whose page is in use just
// then.
const lookAgain = 20

func (m *monitor) look(threads []uint64) (map[uint64]State, error) {
	out, whole, err := m.lookOnce(threads)
	for range lookAgain {
		if err != nil || whole {
			break
		}
		out, whole, err = m.lookOnce(threads)
	}
	return out, err
}

// lookOnce also tells whether everything was shown.
func (m *monitor) lookOnce(threads []uint64) (out map[uint64]State, whole bool, err error) {
	text, err := m.text()
	if err != nil {
		return nil, false, err
	}
	all := readTransactions(text)
	out, whole = map[uint64]State{}, true
	for _, x := range all {
		if x.waits == nil || !slices.Contains(threads, x.thread) {
			continue
		}
		s := State{Waits: true, Lock: x.waits.Lock, Blockers: holders(all, x)}
		if len(s.Blockers) == 0 && m.waitsTable {
			s.Blockers = m.fromTable(x.thread)
		}
		whole = whole && (s.Lock.Index == "" || s.Lock.Record != "")
		out[x.thread] = s
	}
	return out, whole, nil
}

// tableEvery keeps the cache of InnoDB's tables from living on: it is renewed by whoever reads them within 100 ms.
const tableEvery = 110 * time.Millisecond

// fromTable asks INNODB_LOCK_WAITS, which is a picture of up to 100 ms ago: the wait was confirmed before.
func (m *monitor) fromTable(thread uint64) []uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if left := tableEvery - time.Since(m.asked); left > 0 {
		time.Sleep(left)
	}
	rows, err := m.ask.Ask(`SELECT b.trx_mysql_thread_id FROM information_schema.INNODB_LOCK_WAITS w
JOIN information_schema.INNODB_TRX r ON r.trx_id = w.requesting_trx_id JOIN information_schema.INNODB_TRX b ON b.trx_id = w.blocking_trx_id
WHERE r.trx_mysql_thread_id = ` + strconv.FormatUint(thread, 10) + " ORDER BY 1")
	m.asked = time.Now()
	if err != nil {
		return nil
	}
	var out []uint64
	for _, r := range rows {
		if id, err := strconv.ParseUint(r[0], 10, 64); err == nil {
			out = appendOnce(out, id)
		}
	}
	return out
}

// transaction is one of the monitor's list.
type transaction struct {
	id     string
	thread uint64
	locks  int // row locks that it has
	waits  *heldLock
	held   []heldLock
}

// heldLock is a lock of the list: one that is held, or waited for.
type heldLock struct {
	Lock
	place string // the index or the table in InnoDB's terms
	page  string
	heaps []string
	keys  []string // of each heap number, "" where it is not shown
	waits bool
}

var (
	threadLine = regexp.MustCompile(`thread id (\d+),`)
	rowLocks   = regexp.MustCompile(`(\d+) row lock\(s\)`)
	recordLock = regexp.MustCompile("^RECORD LOCKS space id (\\d+) page no (\\d+) n bits \\d+ index (?:GEN_CLUST_INDEX|`?([^`]*?)`?) of table `(?:[^`]*)`\\.`([^`]*)`.*? trx id \\d+ (.*)$")
	tableLock  = regexp.MustCompile("^TABLE LOCK table `([^`]*)`\\.`([^`]*)` trx id \\d+ lock mode (.*)$")
	heapLine   = regexp.MustCompile(`^Record lock, heap no (\d+)`)
	fieldLine  = regexp.MustCompile(`^ 0: len (\d+); hex ([0-9a-f]*); asc (.*);;$`)
)

// readTransactions reads the list of transactions.
func readTransactions(text string) []transaction {
	if _, after, ok := strings.Cut(text, "LIST OF TRANSACTIONS FOR EACH SESSION:"); ok {
		text = after
	}
	if i := strings.Index(text, "\n--------\nFILE I/O"); i >= 0 {
		text = text[:i]
	}
	var out []transaction
	for block := range strings.SplitSeq(text, "---TRANSACTION ") {
		if x, ok := readTransaction(block); ok {
			out = append(out, x)
		}
	}
	return out
}

func readTransaction(block string) (transaction, bool) {
	m := threadLine.FindStringSubmatch(block)
	if m == nil {
		return transaction{}, false
	}
	x := transaction{}
	x.id, _, _ = strings.Cut(block, ",")
	x.thread, _ = strconv.ParseUint(m[1], 10, 64)
	if n := rowLocks.FindStringSubmatch(block); n != nil {
		x.locks, _ = strconv.Atoi(n[1])
	}
	for _, l := range readLocks(block) {
		if l.waits {
			if x.waits == nil {
				x.waits = &l
			}
			continue
		}
		x.held = append(x.held, l)
	}
	if x.waits == nil && strings.Contains(block, "\nLOCK WAIT ") {
		x.waits = &heldLock{Lock: Lock{Kind: "record"}, waits: true}
	}
	return x, true
}

// readLocks reads the locks in a piece of the monitor's text.
func readLocks(text string) []heldLock {
	var out []heldLock
	var last *heldLock
	for line := range strings.SplitSeq(text, "\n") {
		if l, ok := readLockLine(line); ok {
			out = append(out, l)
			last = &out[len(out)-1]
			continue
		}
		if last == nil || last.Kind != "record" {
			continue
		}
		last.read(line)
	}
	return out
}

// read takes a line of the records that are locked.
func (l *heldLock) read(line string) {
	if m := heapLine.FindStringSubmatch(line); m != nil {
		l.heaps, l.keys = append(l.heaps, m[1]), append(l.keys, "")
		if m[1] == "1" {
			l.key("supremum")
		}
	} else if m := fieldLine.FindStringSubmatch(line); m != nil {
		l.key(fieldText(m[2], m[3]))
	}
}

// key is that of the record that was read last.
func (l *heldLock) key(text string) {
	if l.Record == "" {
		l.Record = text
	}
	if n := len(l.keys); n > 0 && l.keys[n-1] == "" {
		l.keys[n-1] = text
	}
}

func readLockLine(line string) (heldLock, bool) {
	if m := recordLock.FindStringSubmatch(line); m != nil {
		mode, waits := cutWaiting(m[5])
		index := m[3]
		if index == "" {
			index = "GEN_CLUST_INDEX"
		}
		return heldLock{Lock: Lock{Kind: "record", Mode: recordMode(mode), Index: index, Table: m[4]}, place: m[1], page: m[2], waits: waits}, true
	}
	if m := tableLock.FindStringSubmatch(line); m != nil {
		mode, waits := cutWaiting(m[3])
		return heldLock{Lock: Lock{Kind: "table", Mode: mode, Table: m[2]}, place: m[1] + "." + m[2], waits: waits}, true
	}
	return heldLock{}, false
}

func cutWaiting(mode string) (string, bool) {
	mode = strings.TrimSpace(mode)
	m, waits := strings.CutSuffix(mode, " waiting")
	return strings.TrimSpace(m), waits
}

// recordMode shortens "lock_mode X locks rec but not gap" to "X", as the field names a lock on the record alone; the others keep
// what they lock beside it.
func recordMode(s string) string {
	s = strings.TrimPrefix(strings.TrimPrefix(s, "lock_mode "), "lock mode ")
	mode, rest, _ := strings.Cut(s, " ")
	switch {
	case strings.Contains(rest, "insert intention"):
		return mode + " insert intention"
	case strings.Contains(rest, "locks gap before rec"):
		return mode + " gap"
	case strings.Contains(rest, "locks rec but not gap"):
		return mode
	}
	return mode + " next-key"
}

// dataLockMode is recordMode for MySQL 8's "X,REC_NOT_GAP".
func dataLockMode(s string) string {
	mode, rest, _ := strings.Cut(s, ",")
	switch {
	case strings.Contains(rest, "INSERT_INTENTION"):
		return mode + " insert intention"
	case strings.Contains(rest, "REC_NOT_GAP"), strings.HasPrefix(mode, "I"):
		return mode
	case strings.Contains(rest, "GAP"):
		return mode + " gap"
	}
	return mode + " next-key"
}

func firstColumn(data string) string {
	if strings.HasPrefix(data, "supremum") {
		return "supremum"
	}
	first, _, _ := strings.Cut(data, ", ")
	return first
}

// holders gives the threads whose locks x waits for: those that hold one that conflicts, else those that wait for one before it.
func holders(all []transaction, x transaction) []uint64 {
	var granted, queued []uint64
	others := 0
	var only uint64
	for _, y := range all {
		if y.id == x.id {
			continue
		}
		if y.locks > 0 {
			others, only = others+1, y.thread
		}
		if slices.ContainsFunc(y.held, func(h heldLock) bool { return conflicts(h, *x.waits) }) {
			granted = appendOnce(granted, y.thread)
		} else if y.waits != nil && conflicts(*y.waits, *x.waits) {
			queued = appendOnce(queued, y.thread)
		}
	}
	switch {
	case len(granted) > 0:
		slices.Sort(granted)
		return granted
	case len(queued) > 0:
		slices.Sort(queued)
		return queued
	case others == 1: // the only one that has row locks at all
		return []uint64{only}
	}
	return nil
}

// conflicts follows lock_rec_has_to_wait and the table of modes in InnoDB's source (storage/innobase/lock/lock0lock.cc).
func conflicts(held, want heldLock) bool {
	if held.Kind != want.Kind || held.place != want.place || held.page != want.page {
		return false
	}
	if want.Kind == "table" {
		return !compatible(held.Mode, want.Mode)
	}
	if !slices.ContainsFunc(want.heaps, func(h string) bool { return slices.Contains(held.heaps, h) }) {
		return false
	}
	heldMode, heldWhat, _ := strings.Cut(held.Mode, " ")
	wantMode, wantWhat, _ := strings.Cut(want.Mode, " ")
	switch {
	case compatible(heldMode, wantMode), heldWhat == "insert intention":
		return false
	case wantWhat == "insert intention":
		return heldWhat != "" // a lock on the record alone leaves the gap free
	case wantWhat == "gap", heldWhat == "gap":
		return false
	}
	return true
}

func compatible(a, b string) bool {
	switch {
	case a == "IS" && b != "X" || b == "IS" && a != "X":
		return true
	case a == "S" && b == "S", a == "IX" && b == "IX":
		return true
	case a == "AUTO-INC" && b == "IX", a == "IX" && b == "AUTO-INC":
		return true
	}
	return false
}

// fieldText shows a field of a key as the value that it most likely is: InnoDB keeps signed numbers with the first bit turned.
func fieldText(hex, asc string) string {
	if n := len(hex) / 2; n == 1 || n == 2 || n == 4 || n == 8 {
		v, err := strconv.ParseUint(hex, 16, 64)
		sign := uint64(1) << (8*n - 1)
		near := sign >> 1 // beyond it is more likely a text
		switch {
		case err != nil:
		case v >= sign && v-sign < near:
			return strconv.FormatUint(v-sign, 10)
		case v < sign && v>>(8*n-8) == 0:
			return strconv.FormatUint(v, 10)
		case v < sign && sign-v < near>>8:
			return "-" + strconv.FormatUint(sign-v, 10)
		}
	}
	text := strings.TrimRight(asc, " ")
	if text == "" || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "0x" + hex
	}
	return "'" + text + "'"
}

func appendOnce(list []uint64, id uint64) []uint64 {
	if slices.Contains(list, id) {
		return list
	}
	return append(list, id)
}
