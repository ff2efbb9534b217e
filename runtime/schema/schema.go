// Package schema says which tables, columns or words may stand at a place of SQL.
//
// [Complete] takes a statement, a place in it and the columns that are known; [Fetch] asks a server for those, [Created] reads them from
// a CREATE TABLE, and [Results] names what a query's rows have. Nothing here understands SQL as a server does: a half-typed statement
// is read as far as its names tell, and what is not known is left out.
package schema

import (
	"slices"
	"strings"
)

// Column of a table.
type Column struct {
	Database string // "" where nobody said it
	Table    string // "" where a text that is made up at run time names it
	Name     string
	Type     string // as the server or the CREATE TABLE names it: "int"
}

// maxColumns bounds what is asked of a server.
const maxColumns = 5000

// Fetch asks for the columns of a database; of all that are neither the server's own nor those of runs, when it is "". ask
// runs a query with one argument for each ? and gives its rows as text.
func Fetch(ask func(sql string, args ...string) ([][]string, error), database string) ([]Column, error) {
	const list = "SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns WHERE "
	const order = " ORDER BY table_schema, table_name, ordinal_position LIMIT 5000"
	where, args := "table_schema = ?", []string{database}
	if database == "" {
		where, args = "LOWER(table_schema) NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys', 'metrics_schema') AND LEFT(table_schema, 4) <> 'rig_'", nil
	}
	rows, err := ask(list+where+order, args...)
	if err != nil {
		return nil, err
	}
	out := make([]Column, 0, len(rows))
	for _, r := range rows[:min(len(rows), maxColumns)] {
		out = append(out, Column{r[0], r[1], r[2], strings.ToLower(r[3])})
	}
	return out, nil
}

// verbs begin statements.
var verbs = []string{
	"ALTER", "ANALYZE", "BEGIN", "CALL", "CHECK", "CHECKSUM", "COMMIT", "CREATE", "DEALLOCATE", "DELETE", "DESC", "DESCRIBE", "DO", "DROP", "EXECUTE", "EXPLAIN",
	"FLUSH", "GRANT", "HANDLER", "INSERT", "KILL", "LOCK", "OPTIMIZE", "PREPARE", "PURGE", "RELEASE", "RENAME", "REPAIR", "REPLACE", "REVOKE",
	"ROLLBACK", "SAVEPOINT", "SELECT", "SET", "SHOW", "START", "TABLE", "TRUNCATE", "UNLOCK", "UPDATE", "USE", "VALUES", "WITH", "XA",
}

// Verbs lists the words that begin SQL, in upper case.
func Verbs() []string { return slices.Clone(verbs) }

// IsVerb reports whether a word begins SQL.
func IsVerb(word string) bool { return slices.Contains(verbs, strings.ToUpper(word)) }

// words stand within statements.
var words = strings.Fields("SELECT FROM WHERE INSERT INTO VALUES UPDATE SET DELETE CREATE TABLE DROP ALTER INDEX PRIMARY KEY JOIN LEFT ON GROUP BY ORDER LIMIT HAVING AND OR NOT NULL IN BETWEEN LIKE FOR SHARE NOWAIT SKIP LOCKED DISTINCT COUNT SUM AS ISOLATION LEVEL TRANSACTION")

// Begins reports whether a text, perhaps half typed, is a statement: a verb with a blank behind it.
func Begins(text string) bool {
	word, _, more := strings.Cut(strings.TrimLeft(strings.ReplaceAll(strings.ReplaceAll(text, "\n", " "), "\t", " "), " "), " ")
	return more && IsVerb(word)
}

// Created gives the columns of the tables that the CREATE TABLE statements of a text make. A table whose name is put in later
// ("CREATE TABLE %s (...)") has none.
func Created(sql string) []Column {
	var out []Column
	if !creates(sql) {
		return nil
	}
	tokens := lex(sql)
	for i := range tokens {
		if tokens[i].is("CREATE") {
			out = append(out, created(tokens[i+1:])...)
		}
	}
	return out
}

// creates is a quick look that spares most texts a closer one.
func creates(sql string) bool {
	const create = "create"
	for at := strings.IndexAny(sql, "cC"); at >= 0 && at+len(create) <= len(sql); {
		if strings.EqualFold(sql[at:at+len(create)], create) {
			return true
		}
		next := strings.IndexAny(sql[at+1:], "cC")
		if next < 0 {
			return false
		}
		at += 1 + next
	}
	return false
}

// notColumns begin the parts of a table's definition that are none.
var notColumns = strings.Fields("PRIMARY KEY INDEX UNIQUE CONSTRAINT FOREIGN CHECK FULLTEXT SPATIAL PERIOD LIKE")

func created(tokens []token) []Column {
	for len(tokens) > 0 && (tokens[0].is("OR") || tokens[0].is("REPLACE") || tokens[0].is("TEMPORARY")) {
		tokens = tokens[1:]
	}
	if len(tokens) == 0 || !tokens[0].is("TABLE") {
		return nil
	}
	tokens = tokens[1:]
	for len(tokens) > 0 && (tokens[0].is("IF") || tokens[0].is("NOT") || tokens[0].is("EXISTS")) {
		tokens = tokens[1:]
	}
	var r ref
	for len(tokens) > 0 && tokens[0].text != "(" {
		switch t := tokens[0]; {
		case t.name():
			r.database, r.table = r.table, t.text
		case t.text == ";":
			return nil
		}
		tokens = tokens[1:]
	}
	var out []Column
	for _, part := range parts(tokens) {
		first := part[0]
		if !first.name() || !first.quoted && slices.Contains(notColumns, strings.ToUpper(first.text)) {
			continue
		}
		c := Column{Database: r.database, Table: r.table, Name: first.text}
		if len(part) > 1 && part[1].name() {
			c.Type = strings.ToLower(part[1].text)
		}
		out = append(out, c)
	}
	return out
}

// parts cuts what is between the parenthesis that comes first and its end at the commas of its own level. A part has a token.
func parts(tokens []token) [][]token {
	var out [][]token
	depth, begun := 0, 1
	add := func(end int) {
		if end > begun {
			out = append(out, tokens[begun:end])
		}
	}
	for i, t := range tokens {
		switch t.text {
		case "(":
			depth++
		case ")":
			if depth--; depth == 0 {
				add(i)
				return out
			}
		case ",":
			if depth == 1 {
				add(i)
				begun = i + 1
			}
		}
	}
	add(len(tokens))
	return out
}
