package wait

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Hold is a lock that a thread has, or waits for: on records of one index in one mode, on a table, or on a name. Locks that InnoDB
// has implicitly, such as those on inserted rows, are none until somebody waits for them.
type Hold struct {
	Thread  uint64
	Lock    Lock // without a single record
	Waits   bool
	Records int      // that are locked; 0 of tables and names
	Keys    []string // the first columns of the records' keys, or "supremum"; fewer than Records where the server does not show them
	Unseen  bool     // the server counts the records, and does not tell which they are
}

// String is "7 holds X on PRIMARY of account: 2 records (1, 2)".
func (h Hold) String() string {
	s := fmt.Sprintf("%d %s %s", h.Thread, h.Does(), h.What())
	if h.Records > 0 {
		s += ": " + h.Shown(len(h.Keys))
	}
	return s
}

// Does is "holds" or "waits".
func (h Hold) Does() string {
	if h.Waits {
		return "waits for"
	}
	return "holds"
}

// What names the lock.
func (h Hold) What() string {
	switch {
	case h.Unseen:
		return "row locks that the server does not show"
	case h.Lock.Kind == "user":
		return "user lock " + h.Lock.Table
	case h.Lock.Kind == "metadata":
		return h.Lock.Mode + " metadata lock on " + h.Lock.Table
	}
	return h.Lock.String()
}

// Shown tells the records with at most so many of their keys: "3 records (1, 2, ...)".
func (h Hold) Shown(keys int) string {
	if h.Records == 0 {
		return ""
	}
	s := fmt.Sprintf("%d record", h.Records)
	if h.Records > 1 {
		s += "s"
	}
	known := slices.DeleteFunc(slices.Clone(h.Keys), func(k string) bool { return k == "" })
	if len(known) == 0 {
		return s
	}
	slices.SortStableFunc(known, func(a, b string) int { return cmp.Compare(last(a), last(b)) })
	list := known[:min(keys, len(known))]
	if len(list) < h.Records {
		list = append(slices.Clone(list), "...")
	}
	return s + " (" + strings.Join(list, ", ") + ")"
}

// last puts the end of an index behind its records.
func last(key string) int {
	if key == "supremum" {
		return 1
	}
	return 0
}

// NotToldError says why a server tells of no locks.
type NotToldError struct{ Why, Fix string }

func (e *NotToldError) Error() string { return e.Why }

// Locks asks the server for the locks that its threads have and wait for, by thread.
func (w *Watcher) Locks() ([]Hold, error) {
	type lister interface{ locks() ([]Hold, error) }
	rows, tells := w.rows.(lister)
	switch {
	case w.never:
		return nil, &NotToldError{Why: "this server has no row locks, so nothing waits for one"}
	case !tells && w.missing != "":
		return nil, &NotToldError{Why: w.missing, Fix: w.fix}
	case !tells:
		return nil, &NotToldError{Why: "this server does not tell its locks"}
	}
	out, err := rows.locks()
	if err != nil {
		return nil, err
	}
	if p, ok := w.states.(*processList); ok && p.holders != "" {
		more, err := p.locks()
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	slices.SortStableFunc(out, func(a, b Hold) int { return cmp.Compare(a.Thread, b.Thread) })
	return out, nil
}

// add puts a lock to those of its kind: InnoDB has one for each page.
func add(list []Hold, h Hold) []Hold {
	for i := range list {
		x := &list[i]
		if x.Thread == h.Thread && x.Lock == h.Lock && x.Waits == h.Waits && x.Unseen == h.Unseen {
			x.Records += h.Records
			x.Keys = append(x.Keys, h.Keys...)
			return list
		}
	}
	return append(list, h)
}

func (m *monitor) locks() ([]Hold, error) {
	text, err := m.text()
	for range lookAgain {
		if err != nil || readsWhole(text) {
			break
		}
		text, err = m.text()
	}
	if err != nil {
		return nil, err
	}
	return holdsOf(readTransactions(text)), nil
}

// readsWhole reports whether the monitor shows the key of every record.
func readsWhole(text string) bool {
	return !slices.ContainsFunc(holdsOf(readTransactions(text)), func(h Hold) bool { return slices.Contains(h.Keys, "") })
}

func holdsOf(all []transaction) []Hold {
	var out []Hold
	for _, x := range all {
		shown := 0
		locks := slices.Clone(x.held)
		if x.waits != nil {
			locks = append(locks, *x.waits)
		}
		for _, l := range locks {
			h := Hold{Thread: x.thread, Lock: l.Lock, Waits: l.waits}
			h.Lock.Record = ""
			if l.Kind == "record" {
				h.Records, h.Keys = len(l.heaps), l.keys
				shown += len(l.heaps)
			}
			out = add(out, h)
		}
		if more := x.locks - shown; more > 0 {
			out = append(out, Hold{Thread: x.thread, Lock: Lock{Kind: "record"}, Records: more, Unseen: true})
		}
	}
	return out
}

const dataLocksSQL = `SELECT t.PROCESSLIST_ID, l.LOCK_STATUS, l.LOCK_TYPE, l.LOCK_MODE, l.INDEX_NAME, l.OBJECT_NAME, l.LOCK_DATA
FROM performance_schema.data_locks l JOIN performance_schema.threads t ON t.THREAD_ID = l.THREAD_ID WHERE t.PROCESSLIST_ID IS NOT NULL`

func (d *dataLocks) locks() ([]Hold, error) {
	rows, err := d.ask.Ask(dataLocksSQL)
	if err != nil {
		return nil, err
	}
	var out []Hold
	for _, r := range rows {
		if len(r) != 7 {
			return nil, errNotTold
		}
		id, err := strconv.ParseUint(r[0], 10, 64)
		if err != nil {
			return nil, errNotTold
		}
		h := Hold{Thread: id, Lock: dataLock(r), Waits: r[1] == "WAITING"}
		if h.Lock.Kind == "record" {
			h.Records, h.Keys = 1, []string{h.Lock.Record}
		}
		h.Lock.Record = ""
		out = add(out, h)
	}
	return out, nil
}

// locks are those on the metadata of tables, and those of GET_LOCK. The server's own tables are used by whoever asks.
func (p *processList) locks() ([]Hold, error) {
	query := mariadbNames
	if p.holders == mysqlHolders {
		query = mysqlNames
	}
	rows, err := p.ask.Ask(query)
	if err != nil {
		return nil, err
	}
	var out []Hold
	for _, r := range rows {
		if len(r) != 6 {
			return nil, errNotTold
		}
		id, err := strconv.ParseUint(r[0], 10, 64)
		if err != nil || id == 0 {
			continue // a thread of the server itself, such as purge
		}
		h := Hold{Thread: id, Waits: r[5] == "PENDING"}
		switch kind := strings.ToLower(r[1]); {
		case strings.HasPrefix(kind, "user"):
			h.Lock = Lock{Kind: "user", Table: cmp.Or(r[4], r[3])} // MariaDB has the name where the database is
		case strings.HasPrefix(kind, "table"):
			h.Lock = Lock{Kind: "metadata", Table: r[4], Mode: strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(r[2], "MDL_"), "_", " "))}
		default:
			continue
		}
		out = add(out, h)
	}
	return out, nil
}

const (
	mariadbNames = `SELECT THREAD_ID, LOCK_TYPE, LOCK_MODE, TABLE_SCHEMA, TABLE_NAME, 'GRANTED' FROM information_schema.METADATA_LOCK_INFO
WHERE TABLE_SCHEMA NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')`
	mysqlNames = `SELECT t.PROCESSLIST_ID, m.OBJECT_TYPE, m.LOCK_TYPE, m.OBJECT_SCHEMA, m.OBJECT_NAME, m.LOCK_STATUS
FROM performance_schema.metadata_locks m JOIN performance_schema.threads t ON t.THREAD_ID = m.OWNER_THREAD_ID
WHERE t.PROCESSLIST_ID IS NOT NULL AND COALESCE(m.OBJECT_SCHEMA, '') NOT IN ('information_schema', 'performance_schema', 'mysql', 'sys')`
)
