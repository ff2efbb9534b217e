package wait

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// processList is the state of threads in the process list: it shows waits for metadata, user and backup locks, of one's own
// threads without a privilege. Row locks do not show.
type processList struct {
	ask     Asker
	holders string // the query that lists who holds metadata locks; "" where the server does not tell
}

// MariaDB's plugin metadata_lock_info, and MySQL's performance schema, where its instrument is on (as it is from 8.0).
const (
	mariadbHolders = "SELECT THREAD_ID, LOCK_MODE, TABLE_SCHEMA, TABLE_NAME FROM information_schema.METADATA_LOCK_INFO"
	mysqlHolders   = `SELECT t.PROCESSLIST_ID, m.LOCK_TYPE, m.OBJECT_SCHEMA, m.OBJECT_NAME FROM performance_schema.metadata_locks m
JOIN performance_schema.threads t ON t.THREAD_ID = m.OWNER_THREAD_ID WHERE m.LOCK_STATUS = 'GRANTED' AND m.OBJECT_TYPE = 'TABLE'`
)

func newProcessList(ask Asker, flavor string) *processList {
	p := &processList{ask: ask}
	query := map[string]string{"mariadb": mariadbHolders, "mysql": mysqlHolders}[flavor]
	if query == "" {
		return p
	}
	if _, err := ask.Ask(query + " LIMIT 0"); err == nil {
		p.holders = query
	}
	return p
}

func (p *processList) suspects() (bool, error) { return true, nil }

func (p *processList) look(threads []uint64) (map[uint64]State, error) {
	rows, err := p.ask.Ask("SELECT ID, STATE, INFO, DB FROM information_schema.PROCESSLIST WHERE ID IN (" + joined(threads) + ")")
	if err != nil {
		return nil, err
	}
	out := map[uint64]State{}
	for _, r := range rows {
		if len(r) != 4 {
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
			var asked bool
			s.Blockers, asked = p.userLockHolder(r[2])
			s.Free = asked && s.Blockers == nil
		}
		if lock.Kind == "metadata" && p.holders != "" {
			var asked bool
			s.Lock.Table, s.Blockers, asked = p.metadataHolders(id, r[2], r[3])
			s.Free = asked && s.Blockers == nil
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

// userLockHolder asks who holds the lock that the statement names; asked is false where it cannot be asked.
func (p *processList) userLockHolder(sql string) (holders []uint64, asked bool) {
	m := getLock.FindStringSubmatch(sql)
	if m == nil {
		return nil, false
	}
	rows, err := p.ask.Ask(fmt.Sprintf("SELECT IS_USED_LOCK('%s')", m[1]))
	if err != nil || len(rows) != 1 {
		return nil, false
	}
	id, err := strconv.ParseUint(rows[0][0], 10, 64)
	if err != nil {
		return nil, true
	}
	return []uint64{id}, true
}

// strong are the modes that keep statements which read or write rows away; a lock that can become exclusive stands for one that
// waits to.
var strong = []string{"EXCLUSIVE", "NO_WRITE", "NO_READ_WRITE", "UPGRADABLE"}

var plainStatement = regexp.MustCompile(`(?i)^\s*(SELECT|INSERT|UPDATE|DELETE|REPLACE|WITH|CALL)\b`)

// metadataHolders finds who holds a lock on a table of the database that the waiting statement names; asked is false where it cannot
// be asked.
func (p *processList) metadataHolders(thread uint64, sql, database string) (table string, holders []uint64, asked bool) {
	rows, err := p.ask.Ask(p.holders)
	if err != nil {
		return "", nil, false
	}
	plain := plainStatement.MatchString(sql)
	for _, r := range rows {
		if len(r) != 4 || r[2] != database || r[3] == "" || !names(sql, r[3]) {
			continue
		}
		id, err := strconv.ParseUint(r[0], 10, 64)
		if err != nil || id == thread || plain && !slices.ContainsFunc(strong, func(m string) bool { return strings.Contains(r[1], m) }) {
			continue
		}
		table, holders = r[3], appendOnce(holders, id)
	}
	slices.Sort(holders)
	return table, holders, true
}

// names reports whether a statement has a table's name as a word.
func names(sql, table string) bool {
	for _, w := range sqlWord.FindAllString(sql, -1) {
		if strings.EqualFold(strings.Trim(w, "`"), table) {
			return true
		}
	}
	return false
}

var sqlWord = regexp.MustCompile("`[^`]*`|[\\p{L}\\p{N}_$]+")
