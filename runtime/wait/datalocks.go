package wait

import (
	"strconv"
)

// dataLocks is MySQL 8's table of waits for locks of its storage engine. It is live and names both sides.
type dataLocks struct {
	ask Asker
	counter
}

const dataLockSQL = `SELECT rt.PROCESSLIST_ID, bt.PROCESSLIST_ID, l.LOCK_TYPE, l.LOCK_MODE, l.INDEX_NAME, l.OBJECT_NAME, l.LOCK_DATA
FROM performance_schema.data_lock_waits w
JOIN performance_schema.data_locks l ON l.ENGINE_LOCK_ID = w.REQUESTING_ENGINE_LOCK_ID AND l.ENGINE = w.ENGINE
JOIN performance_schema.threads rt ON rt.THREAD_ID = w.REQUESTING_THREAD_ID
JOIN performance_schema.threads bt ON bt.THREAD_ID = w.BLOCKING_THREAD_ID`

func (d *dataLocks) suspects() (bool, error) { return d.counter.suspects() }

func (d *dataLocks) look(threads []uint64) (map[uint64]State, error) {
	rows, err := d.ask.Ask(dataLockSQL + " WHERE rt.PROCESSLIST_ID IN (" + joined(threads) + ") ORDER BY 1, 2")
	if err != nil {
		return nil, err
	}
	out := map[uint64]State{}
	for _, r := range rows {
		if len(r) != 7 {
			return nil, errNotTold
		}
		id, err1 := strconv.ParseUint(r[0], 10, 64)
		holder, err2 := strconv.ParseUint(r[1], 10, 64)
		if err1 != nil || err2 != nil {
			return nil, errNotTold
		}
		s, known := out[id]
		if !known {
			s = State{Waits: true, Lock: dataLock(r)}
		}
		s.Blockers = appendOnce(s.Blockers, holder)
		out[id] = s
	}
	return out, nil
}

func dataLock(r []string) Lock {
	l := Lock{Kind: "record", Mode: dataLockMode(r[3]), Index: r[4], Table: r[5], Record: firstColumn(r[6])}
	if r[2] == "TABLE" {
		l.Kind, l.Index, l.Record = "table", "", ""
	}
	return l
}
