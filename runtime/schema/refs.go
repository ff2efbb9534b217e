package schema

import (
	"slices"
	"strings"
)

// ref is a table that a statement names.
type ref struct{ database, table, alias string }

func (r ref) has(c Column) bool {
	return strings.EqualFold(c.Table, r.table) && (r.database == "" || c.Database == "" || strings.EqualFold(c.Database, r.database))
}

// reading is what the tokens of a statement tell.
type reading struct {
	refs []ref
	due  bool // a table's name comes next
}

// noAlias are the words that may follow a table's name and do not rename it.
var noAlias = strings.Fields("WHERE ON SET JOIN LEFT RIGHT INNER CROSS NATURAL STRAIGHT_JOIN OUTER USING GROUP ORDER LIMIT HAVING FOR LOCK VALUES VALUE SELECT UNION EXCEPT INTERSECT PARTITION USE FORCE IGNORE WINDOW WITH INTO READ WRITE ADD DROP MODIFY CHANGE RENAME COLUMN LIKE FROM RETURNING")

// keyword reports whether a word goes on with the statement instead of naming something.
func (t token) keyword() bool {
	return t.word && !t.quoted && slices.Contains(noAlias, strings.ToUpper(t.text))
}

// beforeName are the words between FROM, INTO and such and the name.
var beforeName = strings.Fields("IF NOT EXISTS IGNORE ONLY LATERAL LOW_PRIORITY DELAYED")

// references finds the tables that a statement names.
func references(tokens []token) reading {
	var out reading
	listed := false // a comma brings the next table
	for i := 0; i < len(tokens); i++ {
		t := tokens[i]
		switch {
		case names(tokens, i):
			out.due, listed = true, true
		case out.due && slices.ContainsFunc(beforeName, t.is):
		case out.due && t.name() && !t.keyword():
			var r ref
			r, i = oneRef(tokens, i)
			out.refs = append(out.refs, r)
			out.due = r.table == ""
		case t.text == "," && listed && !t.word:
			out.due = true
		case t.text == "(" && !t.word:
			out.due, listed = false, false // a subquery, or the columns of INSERT
		case t.keyword():
			out.due, listed = false, false
		}
	}
	return out
}

// names reports whether a table's name is due behind a token.
func names(tokens []token, i int) bool {
	t := tokens[i]
	switch {
	case t.is("FROM"), t.is("JOIN"), t.is("STRAIGHT_JOIN"), t.is("INTO"), t.is("TABLE"), t.is("TABLES"), t.is("DESCRIBE"):
		return true
	case t.is("DESC"), t.is("TRUNCATE"), t.is("REPLACE"):
		return i == 0
	case t.is("UPDATE"): // not FOR UPDATE, ON DUPLICATE KEY UPDATE, ON UPDATE
		return i == 0 || !slices.ContainsFunc([]string{"FOR", "KEY", "ON"}, tokens[i-1].is)
	}
	return false
}

// oneRef reads [database.]table [[AS] alias] and gives the last token of it.
func oneRef(tokens []token, i int) (ref, int) {
	r := ref{table: tokens[i].text}
	next := func(n int) token {
		if i+n < len(tokens) {
			return tokens[i+n]
		}
		return token{}
	}
	if next(1).text == "." && !next(1).word {
		r.database, r.table = r.table, ""
		i++
		if next(1).name() {
			r.table = next(1).text
			i++
		}
	}
	if next(1).is("AS") {
		i++
	}
	if a := next(1); a.name() && !a.keyword() {
		r.alias = a.text
		i++
	}
	return r, i
}

// Results names the columns that the rows of a query have, as far as its list says and known has them: aliases, columns, and all of
// a table for *. Expressions without an alias are left out.
func Results(sql string, known []Column) []Column {
	tokens, _ := around(lex(strings.TrimRight(sql, "; \n\t")), len(sql))
	if len(tokens) == 0 || !tokens[0].is("SELECT") {
		return nil
	}
	named := references(tokens).refs
	list := append([]token{{text: "("}}, tokens[1:]...)
	depth := 0
	for i, t := range list[1:] {
		switch {
		case t.text == "(" && !t.word:
			depth++
		case t.text == ")" && !t.word:
			depth--
		}
		if depth == 0 && t.is("FROM") {
			list = list[:i+1]
			break
		}
	}
	var out []Column
	for _, part := range parts(list) {
		out = append(out, result(part, named, known)...)
	}
	return out
}

// result gives the columns of one item of a select list.
func result(part []token, named []ref, known []Column) []Column {
	for len(part) > 1 && (part[0].is("DISTINCT") || part[0].is("ALL")) {
		part = part[1:]
	}
	last := part[len(part)-1]
	if last.text == "*" {
		of := named
		if len(part) > 2 && part[0].name() {
			of = slices.DeleteFunc(slices.Clone(named), func(r ref) bool {
				return !strings.EqualFold(r.alias, part[0].text) && !strings.EqualFold(r.table, part[0].text)
			})
		}
		return slices.DeleteFunc(slices.Clone(known), func(c Column) bool {
			return !slices.ContainsFunc(of, func(r ref) bool { return r.has(c) })
		})
	}
	plain := len(part) == 1 || len(part) == 3 && part[1].text == "."
	if !last.name() || !plain && !renames(part[len(part)-2], last) {
		return nil
	}
	if plain {
		for _, c := range known {
			if strings.EqualFold(c.Name, last.text) && slices.ContainsFunc(named, func(r ref) bool { return r.has(c) }) {
				return []Column{c}
			}
		}
	}
	return []Column{{Name: last.text}}
}

// operators may stand before the last word of an expression that has no alias; constants may be it.
var operators, constants = strings.Fields("AND OR XOR NOT IS LIKE IN BETWEEN DIV MOD REGEXP RLIKE DISTINCT"), strings.Fields("NULL TRUE FALSE END UNKNOWN")

// renames reports whether the last word of an item is its alias, by what stands before it.
func renames(before, last token) bool {
	switch {
	case before.is("AS"):
		return true
	case slices.ContainsFunc(constants, last.is), slices.ContainsFunc(operators, before.is):
		return false
	}
	return before.word || before.text == ")" || len(before.text) > 1 // a text
}
