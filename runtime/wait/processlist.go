package wait

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// processList is the state of threads in the process list: it shows waits for metadata, user and backup locks, of one's own
// threads without a privilege. Row locks do not show.
type processList struct{ ask Asker }

func (p *processList) suspects() (bool, error) { return true, nil }

func (p *processList) look(threads []uint64) (map[uint64]State, error) {
	rows, err := p.ask.Ask("SELECT ID, STATE, INFO FROM information_schema.PROCESSLIST WHERE ID IN (" + joined(threads) + ")")
	if err != nil {
		return nil, err
	}
	out := map[uint64]State{}
	for _, r := range rows {
		if len(r) != 3 {
			return nil, errNotTold
		}
		id, err := strconv.ParseUint(r[0], 10, 64)
		if err != nil {
			return nil, errNotTold
		}
		lock, waits := stateLock(r[1])
		if !waits {
			continue
		}
		s := State{Waits: true, Lock: lock, Slow: true}
		if lock.Kind == "user" {
			s.Blockers = p.userLockHolder(r[2])
		}
		out[id] = s
	}
	return out, nil
}

// stateLock reads a thread's state: "Waiting for table metadata lock", "User lock".
func stateLock(state string) (Lock, bool) {
	s := strings.ToLower(state)
	switch {
	case s == "user lock":
		return Lock{Kind: "user"}, true
	case !strings.HasPrefix(s, "waiting for") || !strings.Contains(s, "lock"):
		return Lock{}, false
	case strings.Contains(s, "metadata lock"), strings.Contains(s, "schema lock"), strings.Contains(s, "table level lock"):
		return Lock{Kind: "metadata", Mode: strings.TrimPrefix(s, "waiting for ")}, true
	case strings.Contains(s, "backup"):
		return Lock{Kind: "backup"}, true
	}
	return Lock{Kind: "other", Mode: strings.TrimPrefix(s, "waiting for ")}, true
}

var getLock = regexp.MustCompile(`(?i)\bGET_LOCK\s*\(\s*'((?:[^'\\]|'')*)'`)

// userLockHolder asks who holds the lock that the statement names.
func (p *processList) userLockHolder(sql string) []uint64 {
	m := getLock.FindStringSubmatch(sql)
	if m == nil {
		return nil
	}
	rows, err := p.ask.Ask(fmt.Sprintf("SELECT IS_USED_LOCK('%s')", m[1]))
	if err != nil || len(rows) != 1 {
		return nil
	}
	id, err := strconv.ParseUint(rows[0][0], 10, 64)
	if err != nil {
		return nil
	}
	return []uint64{id}
}
