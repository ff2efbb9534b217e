package schedule

import (
	"regexp"
	"slices"
	"strings"
)

// class is what the beginning of a statement tells of it; what functions, procedures and triggers do it does not.
type class struct {
	begins, ends, commits, snapshot bool
	ddl                             bool
	reads                           bool // a plain SELECT that locks nothing
	tables                          []string
	opaque                          bool // it may do anything
}

var (
	word    = regexp.MustCompile("[A-Za-z_][A-Za-z_0-9]*|`[^`]*`")
	quoted  = regexp.MustCompile(`'(?:[^'\\]|''|\\.)*'|"(?:[^"\\]|""|\\.)*"`)
	comment = regexp.MustCompile(`(?s)/\*.*?\*/|--\s[^\n]*|#[^\n]*`)
	locking = regexp.MustCompile(`\bFOR (UPDATE|SHARE)\b|\bLOCK IN SHARE MODE\b|\b(GET|RELEASE)_LOCK\b`)
	spaces  = regexp.MustCompile(`\s+`)
)

// classify looks at one statement.
func classify(sql string) class {
	text := comment.ReplaceAllString(quoted.ReplaceAllString(sql, "''"), " ")
	up := strings.ToUpper(strings.TrimSpace(spaces.ReplaceAllString(text, " ")))
	first, rest, _ := strings.Cut(up, " ")
	first = strings.TrimRight(first, ";")
	c := class{tables: tablesIn(text)}
	switch first {
	case "BEGIN":
		c.begins = true
	case "START":
		c.begins = strings.HasPrefix(rest, "TRANSACTION")
		c.snapshot = strings.Contains(rest, "CONSISTENT SNAPSHOT")
	case "COMMIT":
		c.ends, c.commits = true, true
	case "ROLLBACK":
		c.ends = !strings.HasPrefix(rest, "TO ") && !strings.Contains(rest, " TO ")
	case "CREATE", "DROP":
		c.ddl = !strings.HasPrefix(rest, "TEMPORARY ")
	case "ALTER", "TRUNCATE", "RENAME", "GRANT", "REVOKE":
		c.ddl = true
	case "LOCK", "OPTIMIZE", "ANALYZE", "REPAIR", "FLUSH":
		c.ddl = first != "ANALYZE" || strings.HasPrefix(rest, "TABLE")
	case "SELECT", "TABLE", "VALUES", "SHOW", "DESCRIBE", "DESC", "EXPLAIN":
		c.reads = !locking.MatchString(up) && !strings.Contains(up, " INTO ")
	case "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "SAVEPOINT", "RELEASE", "SET", "DO":
	default:
		c.opaque = true
	}
	return c
}

// tableWords are those behind which a table's name comes.
var tableWords = []string{"FROM", "JOIN", "UPDATE", "INTO", "TABLE", "TABLES"}

// noNames may stand between such a word and the name.
var noNames = []string{"IGNORE", "LOW_PRIORITY", "ONLY", "IF", "NOT", "EXISTS", "OF", "SELECT", "NOWAIT", "SKIP", "SET", "VALUES"}

// tablesIn finds the names of tables by the words before them; lower case, sorted.
func tablesIn(text string) []string {
	var out []string
	take := false
	for _, w := range word.FindAllString(text, -1) {
		up := strings.ToUpper(w)
		switch {
		case slices.Contains(tableWords, up):
			take = true
		case take && slices.Contains(noNames, up):
			take = up == "IF" || up == "NOT" || up == "EXISTS" || up == "IGNORE" || up == "LOW_PRIORITY"
		case take:
			name := strings.ToLower(strings.Trim(w, "`"))
			if !slices.Contains(out, name) {
				out = append(out, name)
			}
			take = false
		}
	}
	slices.Sort(out)
	return out
}

// EndsByItself reports whether a statement waits for a bounded time, or sets such a bound.
func EndsByItself(sql string) bool { return endsByItself.MatchString(sql) }

var endsByItself = regexp.MustCompile(`(?i)lock_wait_timeout|\bGET_LOCK\s*\(|\bWAIT\s+\d+\b`)

// DDL reports whether a statement changes definitions, which DELETE and INSERT do not undo; what cannot be told counts as such.
func DDL(sql string) bool {
	c := classify(sql)
	return c.ddl || c.opaque
}

// Drops reports whether a statement only drops something.
func Drops(sql string) bool {
	return strings.HasPrefix(strings.ToUpper(strings.TrimSpace(sql)), "DROP ")
}

// SplitStatements takes apart statements that are separated by semicolons outside of quotes and comments.
func SplitStatements(text string) []string {
	var out []string
	hidden := comment.ReplaceAllStringFunc(quoted.ReplaceAllStringFunc(text, blank), blank)
	from := 0
	for i := range len(hidden) {
		if hidden[i] == ';' {
			out = appendStatement(out, text[from:i])
			from = i + 1
		}
	}
	return appendStatement(out, text[from:])
}

func blank(s string) string { return strings.Repeat(" ", len(s)) }

func appendStatement(out []string, s string) []string {
	if s = strings.TrimSpace(s); s != "" {
		out = append(out, s)
	}
	return out
}

// ServerWide reports whether a statement is about the whole server rather than one database.
func ServerWide(sql string) bool { return serverWide.MatchString(sql) }

var serverWide = regexp.MustCompile(`(?i)^\s*(FLUSH|BACKUP|SET\s+(GLOBAL|PERSIST)|KILL|LOCK\s+INSTANCE|GRANT|REVOKE|CREATE\s+(OR\s+REPLACE\s+)?(USER|ROLE|DATABASE|SCHEMA)|DROP\s+(USER|ROLE|DATABASE|SCHEMA)|USE)\b|@@GLOBAL\.`)
