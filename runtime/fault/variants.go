package fault

import (
	"slices"
	"strings"
	"sync"
)

// Variant is a number that means something else, or is called otherwise, on one server than [Table] says. Flavor is
// mysql, mariadb, tidb or dolt.
type Variant struct {
	Flavor string
	Entry
}

// Variants lists them, ascending by number. The caller owns the result.
func Variants() []Variant { return slices.Clone(variants[:]) }

// variants ascends by code; it is never written to. From 1900 on MySQL and MariaDB number apart. The names were compared
// with MariaDB 10.11's mysqld_error.h and with those of MySQL 8.4 (2026-11-25).
var variants = [...]Variant{
	{"mysql", Entry{1020, "ER_CHECKREAD", "HY000", Serialization, UnknownCategory, onlyMysql, mysqlMessages, "MyISAM or NDB found a row changed; the transaction is not ended"}},
	{"mariadb", Entry{1072, "ER_KEY_COLUMN_DOES_NOT_EXIST", "42000", UnknownColumn, Permanent, onlyMariadb, mariadbMessages, ""}},
	{"mariadb", Entry{1176, "ER_KEY_DOES_NOT_EXISTS", "42000", UnknownObject, Permanent, onlyMariadb, mariadbMessages, ""}},
	{"dolt", Entry{1213, "ER_LOCK_DEADLOCK", "40001", Serialization, Transient, "Dolt", "Dolt documentation, Transactions", "a write conflict, found at COMMIT: rows never wait"}},
	{"mysql", Entry{1236, "ER_SOURCE_FATAL_ERROR_READING_BINLOG", "HY000", Replication, UnknownCategory, onlyMysql, mysqlMessages, "the name since 8.0.26"}},
	{"mariadb", Entry{1366, "ER_TRUNCATED_WRONG_VALUE_FOR_FIELD", "22007", Truncated, Permanent, onlyMariadb, mariadbMessages, "also characters that the column's set lacks"}},
	{"mariadb", Entry{1369, "ER_VIEW_CHECK_FAILED", "44000", CheckViolation, Permanent, onlyMariadb, mariadbMessages, ""}},
	{"mysql", Entry{4025, "ER_INNODB_AUTOEXTEND_SIZE_OUT_OF_RANGE", "HY000", OutOfRange, Permanent, onlyMysql, mysqlMessages, ""}},
	{"mariadb", Entry{4031, "ER_REFERENCED_TRG_DOES_NOT_EXIST", "HY000", UnknownObject, Permanent, onlyMariadb, mariadbMessages, ""}},
	{"mysql", Entry{4084, "ER_WARN_SF_UDF_NAME_COLLISION", "HY000", Other, Permanent, onlyMysql, mysqlMessages, "a warning"}},
	{"mysql", Entry{4085, "ER_CANNOT_PURGE_BINLOG_WITH_BACKUP_LOCK", "HY000", ServerBusy, Transient, onlyMysql, mysqlMessages, ""}},
	{"mysql", Entry{4091, "ER_XA_TEMP_TABLE", "HY000", TransactionState, Permanent, onlyMysql, mysqlMessages, ""}},
	{"mysql", Entry{4092, "ER_INNODB_MAX_ROW_VERSION", "HY000", Unsupported, Permanent, onlyMysql, mysqlMessages, "too many ALTER TABLE ... ALGORITHM=INSTANT: the table must be rebuilt"}},
	{"mariadb", Entry{4135, "ER_VERS_ALREADY_VERSIONED", "HY000", InvalidStatement, Permanent, onlyMariadb, mariadbMessages, ""}},
	{"mysql", Entry{4150, "ER_BULK_PARSER_UNEXPECTED_CHAR_AFTER_COLUMN_TERMINATOR", "HY000", Truncated, Permanent, onlyMysql, mysqlMessages, "LOAD DATA ... ALGORITHM=BULK"}},
	{"mysql", Entry{4151, "ER_BULK_PARSER_INCOMPLETE_ESCAPE_SEQUENCE", "HY000", Truncated, Permanent, onlyMysql, mysqlMessages, "LOAD DATA ... ALGORITHM=BULK"}},
}

// byVariant indexes the variants once; nobody writes to it.
var byVariant = sync.OnceValue(func() map[string]map[int]Entry {
	m := map[string]map[int]Entry{}
	for _, v := range variants {
		if m[v.Flavor] == nil {
			m[v.Flavor] = map[int]Entry{}
		}
		m[v.Flavor][v.Code] = v.Entry
	}
	return m
})

// forked is the first number from which MySQL and MariaDB number apart, ownRange the first that neither uses.
const (
	forked   = 1900
	ownRange = 5000
)

// LookupOn finds what a number means on one server: embedded, mysql, mariadb, tidb or dolt; "" is [Lookup]. A number that
// the table has for the other of MySQL and MariaDB alone is not found.
func LookupOn(flavor string, code int) (Entry, bool) {
	if e, ok := byVariant()[flavor][code]; ok {
		return e, true
	}
	e, ok := byCode()[code]
	if !ok || code < forked || code >= ownRange || e.Servers == client {
		return e, ok
	}
	switch flavor {
	case "mariadb":
		ok = strings.Contains(e.Servers, onlyMariadb)
	case "mysql", "dolt", "embedded":
		ok = strings.Contains(e.Servers, onlyMysql)
	}
	if !ok {
		return Entry{}, false
	}
	return e, true
}

// ClassifyCodeOn is [ClassifyCode] on one server, see [LookupOn].
func ClassifyCodeOn(flavor string, code int, sqlState string) Class {
	c := Class{Kind: Other, Category: UnknownCategory, Code: code, SQLState: sqlState}
	if e, ok := LookupOn(flavor, code); ok {
		c.Kind, c.Category, c.Name = e.Kind, e.Category, e.Name
		if sqlState == "" {
			c.SQLState = e.SQLState
		}
		return c
	}
	if s, ok := LookupState(sqlState); ok {
		c.Kind, c.Category = s.Kind, s.Category
	}
	return c
}

// LookupState finds the group that a SQLSTATE belongs to.
func LookupState(sqlState string) (StateClass, bool) {
	if len(sqlState) != 5 {
		return StateClass{}, false
	}
	for _, s := range states {
		if strings.HasPrefix(sqlState, s.Prefix) {
			return s, true
		}
	}
	return StateClass{}, false
}

// On gives what the error means on one server, see [LookupOn]: a server's own words alone do not tell whose they are. A
// category that a lost reply gave it stays. It changes e, which it returns.
func (e *Error) On(flavor string) *Error {
	general := ClassifyCode(e.Code, e.SQLState)
	if e.Code == 0 || e.Kind != general.Kind {
		return e // rig knows better already
	}
	c := ClassifyCodeOn(flavor, e.Code, e.SQLState)
	e.Kind, e.Name = c.Kind, c.Name
	if !e.ReplyLost {
		e.Category = c.Category
	}
	return e
}

// LookupName finds an error by the name that a server has for it, without regard to case.
func LookupName(name string) (Entry, bool) {
	for _, e := range entries() {
		if strings.EqualFold(e.Name, name) {
			return e, true
		}
	}
	return Entry{}, false
}

// Names lists the names that servers have for errors, each once, in the order of the numbers; those of the variants follow.
func Names() []string {
	var out []string
	for _, e := range entries() {
		if !slices.Contains(out, e.Name) {
			out = append(out, e.Name)
		}
	}
	return out
}

// entries are the lines of the table, then those of the variants.
func entries() []Entry {
	all := Table()
	for _, v := range variants {
		all = append(all, v.Entry)
	}
	return all
}
