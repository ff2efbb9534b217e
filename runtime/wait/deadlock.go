package wait

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func (m *monitor) lastDeadlock() (*Deadlock, error) {
	var d *Deadlock
	for range lookAgain {
		text, err := m.text()
		if err != nil {
			return nil, err
		}
		d = readDeadlock(text)
		if d == nil || d.whole() {
			break
		}
	}
	return d, nil
}

// whole reports whether every record is known.
func (d *Deadlock) whole() bool {
	return !slices.ContainsFunc(d.Cycle, func(e Edge) bool { return e.Lock.Index != "" && e.Lock.Record == "" })
}

// readDeadlock reads the section of the last deadlock; nil where there was none.
func readDeadlock(text string) *Deadlock {
	_, section, ok := strings.Cut(text, "LATEST DETECTED DEADLOCK")
	if !ok {
		return nil
	}
	if i := strings.Index(section, "\n------------\nTRANSACTIONS"); i >= 0 {
		section = section[:i]
	}
	d := &Deadlock{}
	parts := strings.Split(section, "\n*** (")
	threads := map[string]uint64{} // by the transaction's id
	var held []string              // by whom, the id of the transaction; "" where the server does not tell
	for _, p := range parts {
		m, id := threadLine.FindStringSubmatch(p), trxLine.FindStringSubmatch(p)
		if m == nil || id == nil {
			continue
		}
		thread, _ := strconv.ParseUint(m[1], 10, 64)
		threads[id[1]] = thread
		waits, holder := deadlockWait(waitingPart(p, parts), id[1])
		if waits.Record == "" {
			waits.Record = recordOf(text, waits)
		}
		d.Cycle, held = append(d.Cycle, Edge{Thread: thread, Lock: waits.Lock}), append(held, holder)
	}
	for i := range d.Cycle {
		d.Cycle[i].Holder = d.Cycle[(i+1)%len(d.Cycle)].Thread
		if t, ok := threads[held[i]]; ok {
			d.Cycle[i].Holder = t
		}
	}
	if len(d.Cycle) < 2 {
		return nil
	}
	return d
}

var (
	trxLine = regexp.MustCompile(`(?m)^TRANSACTION (\d+),`)
	ofTrx   = regexp.MustCompile(` trx id (\d+) `)
)

// deadlockWait gives the lock that a transaction waits for, and the id of the first other one that MariaDB names as its holder.
func deadlockWait(part, own string) (waits heldLock, holder string) {
	before, after, _ := strings.Cut(part, "*** CONFLICTING WITH:")
	for _, l := range readLocks(before) {
		if l.waits {
			waits = l
			break
		}
	}
	for _, m := range ofTrx.FindAllStringSubmatch(after, -1) {
		if m[1] != own {
			return waits, m[1]
		}
	}
	return waits, ""
}

// recordOf finds the key of a record that the section does not show, by its place, among the locks of the list of transactions.
func recordOf(text string, l heldLock) string {
	if len(l.heaps) != 1 {
		return ""
	}
	for _, x := range readTransactions(text) {
		for _, h := range x.held {
			if h.place == l.place && h.page == l.page && slices.Equal(h.heaps, l.heaps) && h.Record != "" {
				return h.Record
			}
		}
	}
	return ""
}

// waitingPart finds the piece with the lock that a transaction of the section waits for: MariaDB has it in the same part, MySQL in one
// with the same number.
func waitingPart(part string, all []string) string {
	number, _, _ := strings.Cut(part, ")")
	for _, p := range all {
		if strings.HasPrefix(p, number+") WAITING FOR") {
			return p
		}
	}
	return part
}
