package session

import "strings"

// class is what the first words of a statement tell of its effects.
type class struct {
	reads    bool // changes nothing: a lost reply is a plain failure
	begins   bool // opens a transaction
	ends     bool // commits or rolls back
	chains   bool // begins another transaction at once
	commits  bool // commits implicitly what is open
	opaque   bool // may do anything to the transaction: CALL, EXECUTE, XA
	uses     bool // changes the default database
	setsMode bool // may change sql_mode
	writes   bool // INSERT and its like: gives counts rather than rows
	locks    bool // takes a user lock
	asks     bool // opens no transaction, not even without autocommit
	tables   bool // LOCK TABLES
	unlocks  bool // UNLOCK TABLES
	state    bool // may change more of the session than its transaction: variables, locks, temporary tables
	nextTx   bool // SET TRANSACTION: for the next transaction only
	xa       xaVerb
	// autocommit is +1 where the statement turns it on, -1 where off.
	autocommit int8
}

// classify looks at the first words, and for a few signs in the rest; it takes well under a microsecond.
func classify(sql string) class {
	c := byWords(sql)
	c.state = c.state || c.locks || c.tables || c.uses || c.setsMode || c.opaque || c.autocommit != 0 ||
		strings.Contains(sql, ":=") || strings.Contains(sql, "/*!") || strings.Contains(sql, "/*M!") || c.reads && hasWord(sql, "INTO")
	return c
}

func byWords(sql string) class {
	l := lexer{sql: sql}
	first, second := l.words()
	switch {
	case isWord(first, "SELECT"), isWord(first, "SHOW"), isWord(first, "DESC"), isWord(first, "DESCRIBE"),
		isWord(first, "EXPLAIN"), isWord(first, "VALUES"), isWord(first, "TABLE"), isWord(first, "DO"), isWord(first, "KILL"):
		return class{reads: true, locks: hasWord(sql, "GET_LOCK")}
	case isWord(first, "INSERT"), isWord(first, "UPDATE"), isWord(first, "DELETE"), isWord(first, "REPLACE"), isWord(first, "LOAD"):
		return class{writes: !hasWord(sql, "RETURNING"), state: isWord(first, "LOAD") && strings.Contains(sql, "@")}
	case isWord(first, "BEGIN"):
		if isWord(second, "NOT") { // MariaDB's compound statement
			return class{opaque: true}
		}
		return class{reads: true, begins: true}
	case isWord(first, "START"):
		return class{reads: isWord(second, "TRANSACTION"), begins: isWord(second, "TRANSACTION"), commits: !isWord(second, "TRANSACTION")}
	case isWord(first, "COMMIT"):
		return class{ends: true, chains: chains(sql)}
	case isWord(first, "ROLLBACK"):
		to := isWord(second, "TO")
		if isWord(second, "WORK") {
			third, _ := l.words()
			to = isWord(third, "TO")
		}
		// The server rolls back when a connection goes, so a lost reply is no doubt.
		return class{reads: true, ends: !to, chains: !to && chains(sql)}
	case isWord(first, "SAVEPOINT"), isWord(first, "RELEASE"):
		return class{reads: true} // gone with the transaction when the connection goes
	case isWord(first, "WITH"):
		return class{reads: !changes(sql)}
	case isWord(first, "SET"):
		return classifySet(sql)
	case isWord(first, "USE"):
		return class{reads: true, uses: true}
	case isWord(first, "CREATE"), isWord(first, "DROP"):
		if isWord(second, "OR") { // REPLACE
			_, second = l.words()
		}
		return class{commits: !isWord(second, "TEMPORARY") && !isWord(second, "PREPARE"), state: isWord(second, "TEMPORARY")}
	case isWord(first, "ANALYZE") && !hasWord(sql, "TABLE"): // MariaDB runs a statement and explains it
		return class{reads: !changes(sql)}
	case isWord(first, "ALTER"), isWord(first, "RENAME"), isWord(first, "TRUNCATE"), isWord(first, "GRANT"), isWord(first, "REVOKE"),
		isWord(first, "ANALYZE"), isWord(first, "OPTIMIZE"), isWord(first, "REPAIR"), isWord(first, "CHECK"),
		isWord(first, "FLUSH"), isWord(first, "INSTALL"), isWord(first, "UNINSTALL"), isWord(first, "STOP"):
		return class{commits: true, state: isWord(first, "FLUSH")} // WITH READ LOCK
	case isWord(first, "LOCK"):
		return class{commits: true, tables: true}
	case isWord(first, "UNLOCK"):
		return class{reads: true, unlocks: true}
	case isWord(first, "CALL"), isWord(first, "EXECUTE"):
		return class{opaque: true}
	}
	if isWord(first, "XA") {
		return classifyXA(second)
	}
	return class{state: true} // PREPARE, HANDLER and what nobody knows
}

// chains finds AND CHAIN after COMMIT or ROLLBACK.
func chains(sql string) bool { return hasWord(sql, "CHAIN") && !hasWord(sql, "NO") }

// changes reports whether a statement that begins like a query may change rows.
func changes(sql string) bool {
	return hasWord(sql, "INSERT") || hasWord(sql, "UPDATE") || hasWord(sql, "DELETE") || hasWord(sql, "REPLACE")
}

// hasWord looks for a word (in upper case) anywhere in the text, in strings too: it only makes rig ask the server.
func hasWord(sql, upper string) bool {
	for i := 0; i+len(upper) <= len(sql); i++ {
		if c := sql[i] &^ 0x20; c == upper[0] && isWord(sql[i:i+len(upper)], upper) {
			return true
		}
	}
	return false
}

// words gives the next two words; other tokens between them are passed over.
func (l *lexer) words() (first, second string) {
	for {
		t, start, end := l.next()
		switch {
		case t == tokEnd:
			return first, ""
		case t != tokWord:
		case first == "":
			first = l.sql[start:end]
		default:
			return first, l.sql[start:end]
		}
	}
}

// classifySet finds what of the session's own state a SET changes.
func classifySet(sql string) class {
	c := class{reads: true}
	l := lexer{sql: sql}
	_, second := l.words()
	if isWord(second, "STATEMENT") || isWord(second, "PASSWORD") {
		return class{state: true} // MariaDB's SET STATEMENT ... FOR runs anything
	}
	if c.nextTx = isWord(second, "TRANSACTION"); !c.nextTx {
		c.state = true
	}
	l.i = 0
	auto := false
	for {
		t, start, end := l.next()
		if t == tokEnd {
			return c
		}
		if t != tokWord {
			continue
		}
		switch w := sql[start:end]; {
		case isWord(w, "SQL_MODE"):
			c.setsMode = true
		case isWord(w, "AUTOCOMMIT"):
			auto = true
		case auto:
			if isWord(w, "0") || isWord(w, "OFF") || isWord(w, "FALSE") {
				c.autocommit = -1
			} else {
				c.autocommit = 1
			}
			auto = false
		}
	}
}
