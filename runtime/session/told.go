package session

// Told is all that the server tells of a statement: the rows it gave, or the number of those it changed.
type Told struct {
	Results []*Rows // each result set; a CALL may give several
	Changed int64
	Counts  bool // the statement is one that changes rows: Changed is worth a word when it is 0
}

// Run runs a statement of which nobody has said whether it gives rows. Only what cannot give any by its grammar is asked for the number
// of rows that it changed: the driver tells either that or the rows.
func (s *Session) Run(c Call, sql string) (Told, error) {
	counts, changes := changesRows(sql, s.noBackslash)
	if !changes {
		rows, err := s.QueryAll(c, sql, false)
		return Told{Results: rows}, err
	}
	r, err := s.Exec(c, sql, nil)
	return Told{Changed: r.RowsAffected, Counts: counts}, err
}

// changesRows reports whether a statement changes rows and gives none. counts is false of one that need not change any.
func changesRows(sql string, noBackslash bool) (counts, changes bool) {
	l := lexer{sql: sql, noBackslash: noBackslash}
	verb, depth := "", 0
	for {
		t, start, end := l.next()
		switch {
		case t == tokEnd:
			return counts, changes
		case t == tokOther && sql[start] == '(':
			depth++
		case t == tokOther && sql[start] == ')':
			depth--
		case t != tokWord:
		case isWord(sql[start:end], "RETURNING"):
			return false, false
		case verb == "":
			verb = verbOf(sql[start:end])
			counts, changes = verb != "WITH" && verb != "CREATE" && verb != "?", verb != "WITH" && verb != "?"
		case verb == "WITH" && depth == 0 && (isWord(sql[start:end], "UPDATE") || isWord(sql[start:end], "DELETE")):
			return true, true
		case verb == "WITH" && depth == 0 && isWord(sql[start:end], "SELECT"):
			return false, false
		}
	}
}

// verbOf is the word where it begins a statement that may change rows, else "?".
func verbOf(word string) string {
	for _, v := range []string{"INSERT", "UPDATE", "DELETE", "REPLACE", "LOAD", "CREATE", "WITH"} {
		if isWord(word, v) {
			return v
		}
	}
	return "?"
}
