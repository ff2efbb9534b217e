package wait

import (
	"strconv"
	"strings"
)

// tidbTrx is TiDB's table of transactions, which tells live which of the user's own sessions wait. Its table of lock waits
// misses some and doubles others: it only names the blocker.
type tidbTrx struct{ ask Asker }

const tidbSQL = "SELECT SESSION_ID FROM information_schema.TIDB_TRX WHERE STATE = 'LockWaiting'"

func (w *Watcher) chooseTiDB() error {
	t := &tidbTrx{ask: w.ask}
	w.states = &processList{ask: w.ask}
	if _, err := t.suspects(); err != nil {
		w.name = "process list; quiet time for row locks"
		if refused(err) {
			w.missing = "TiDB 5.1 or later tells of waits in information_schema.TIDB_TRX"
			return nil
		}
		return err
	}
	w.rows, w.perThread, w.name = t, true, "information_schema.TIDB_TRX, process list"
	return nil
}

func (t *tidbTrx) suspects() (bool, error) {
	rows, err := t.ask.Ask(tidbSQL)
	return len(rows) > 0, err
}

func (t *tidbTrx) look(threads []uint64) (map[uint64]State, error) {
	rows, err := t.ask.Ask(tidbSQL + " AND SESSION_ID IN (" + joined(threads) + ")")
	if err != nil {
		return nil, err
	}
	out := map[uint64]State{}
	for _, r := range rows {
		id, err := strconv.ParseUint(r[0], 10, 64)
		if err != nil {
			return nil, errNotTold
		}
		out[id] = State{Waits: true, Lock: Lock{Kind: "record"}}
	}
	if len(out) > 0 {
		t.name(out)
	}
	return out, nil
}

// name adds the blockers, where the server tells them.
func (t *tidbTrx) name(out map[uint64]State) {
	rows, err := t.ask.Ask(`SELECT DISTINCT w.SESSION_ID, h.SESSION_ID, l.KEY_INFO FROM information_schema.DATA_LOCK_WAITS l
JOIN information_schema.TIDB_TRX w ON w.ID = l.TRX_ID JOIN information_schema.TIDB_TRX h ON h.ID = l.CURRENT_HOLDING_TRX_ID ORDER BY 1, 2`)
	if err != nil {
		return // it needs PROCESS; without it the wait is known all the same
	}
	for _, r := range rows {
		id, err1 := strconv.ParseUint(r[0], 10, 64)
		holder, err2 := strconv.ParseUint(r[1], 10, 64)
		s, waits := out[id]
		if err1 != nil || err2 != nil || !waits {
			continue
		}
		s.Blockers = appendOnce(s.Blockers, holder)
		s.Lock.Table = between(r[2], `"table_name":"`, `"`)
		s.Lock.Index = between(r[2], `"index_name":"`, `"`)
		s.Lock.Mode = "X"
		out[id] = s
	}
}

func between(s, before, after string) string {
	_, s, ok := strings.Cut(s, before)
	if !ok {
		return ""
	}
	s, _, _ = strings.Cut(s, after)
	return s
}
