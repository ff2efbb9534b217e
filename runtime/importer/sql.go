package importer

import (
	"regexp"
	"strings"
)

// splitSQL cuts a text into statements at the semicolons that are in no quote, no comment and no $$ body. Statements that are
// only comments are left out. line is the text's first.
func splitSQL(text string, line int) []statement {
	var out []statement
	start := 0
	flush := func(end int) {
		body := text[start:end]
		lead := len(body) - len(strings.TrimLeft(body, " \t\r\n\f"))
		at := line + strings.Count(text[:start+lead], "\n")
		if body = strings.TrimSpace(body); !onlyComments(body) {
			out = append(out, statement{sql: body, line: at})
		}
		start = end + 1
	}
	for i := 0; i < len(text); {
		if text[i] == ';' {
			flush(i)
			line += strings.Count(text[:i+1], "\n") // the text moves along, so that counting lines stays linear
			text, start, i = text[i+1:], 0, 0
			continue
		}
		i = skipSQL(text, i)
	}
	flush(len(text))
	return out
}

// skipSQL gives the byte behind the quote, comment or character at i.
func skipSQL(text string, i int) int {
	switch c := text[i]; {
	case c == '\'' || c == '"' || c == '`':
		return closing(text, i)
	case c == '-' && strings.HasPrefix(text[i:], "-- "), c == '#', strings.HasPrefix(text[i:], "--\t"), strings.HasPrefix(text[i:], "--\n"):
		return until(text, i, "\n")
	case strings.HasPrefix(text[i:], "/*"):
		return until(text, i+2, "*/")
	case c == '$':
		if tag := dollar.FindString(text[i:min(len(text), i+64)]); tag != "" {
			return until(text, i+len(tag), tag)
		}
	}
	return i + 1
}

var dollar = regexp.MustCompile(`^\$[A-Za-z_]*\$`)

// closing is behind the quote that begins at i; a doubled quote and a backslash before one are part of it.
func closing(text string, i int) int {
	q := text[i]
	for j := i + 1; j < len(text); j++ {
		switch {
		case text[j] == '\\' && q != '`':
			j++
		case text[j] == q:
			return j + 1
		}
	}
	return len(text)
}

func until(text string, i int, end string) int {
	if j := strings.Index(text[i:], end); j >= 0 {
		return i + j + len(end)
	}
	return len(text)
}

// onlyComments says that nothing would be executed.
func onlyComments(sql string) bool {
	for i := 0; i < len(sql); {
		switch c := sql[i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == ';':
			i++
		case c == '#' || strings.HasPrefix(sql[i:], "--"):
			i = until(sql, i, "\n")
		case strings.HasPrefix(sql[i:], "/*") && !strings.HasPrefix(sql[i:], "/*!"):
			i = until(sql, i+2, "*/")
		default:
			return false
		}
	}
	return true
}

// firstWord is the statement's first keyword, upper case, behind comments and parentheses.
func firstWord(sql string) string {
	for i := 0; i < len(sql); {
		switch c := sql[i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '(':
			i++
		case c == '#' || strings.HasPrefix(sql[i:], "-- "):
			i = until(sql, i, "\n")
		case strings.HasPrefix(sql[i:], "/*!"):
			for i += 3; i < len(sql) && digit(sql[i]); i++ {
			}
		case strings.HasPrefix(sql[i:], "/*"):
			i = until(sql, i+2, "*/")
		default:
			end := i
			for end < len(sql) && identStart(sql[end]) {
				end++
			}
			return strings.ToUpper(sql[i:end])
		}
	}
	return ""
}

// givesRows says that a statement answers with rows.
func givesRows(sql string) bool {
	switch firstWord(sql) {
	case "SELECT", "SHOW", "EXPLAIN", "DESCRIBE", "DESC", "VALUES", "WITH", "CHECK", "CHECKSUM", "ANALYZE", "OPTIMIZE", "REPAIR", "HELP", "TABLE":
		return !intoVariable.MatchString(sql)
	case "XA":
		return strings.Contains(strings.ToUpper(sql), "RECOVER")
	case "INSERT", "DELETE", "REPLACE", "UPDATE":
		return returning.MatchString(sql)
	}
	return false
}

var (
	intoVariable = regexp.MustCompile(`(?i)\bINTO\s+(@|OUTFILE\b|DUMPFILE\b)`)
	returning    = regexp.MustCompile(`(?i)\bRETURNING\b`)
)

// reworded are what MySQL and MariaDB write otherwise.
var reworded = []struct {
	is *regexp.Regexp
	by string
}{
	{regexp.MustCompile(`(?i)\btext(\s+(?:NOT\s+NULL\s+)?(?:PRIMARY\s+KEY|UNIQUE)\b)`), "VARCHAR(255)$1"},
	{regexp.MustCompile(`(?is)^(\s*SELECT\b.*)\bFOR\s+SHARE$`), "${1}LOCK IN SHARE MODE"}, // MariaDB has no FOR SHARE
	{regexp.MustCompile(`(?is)^(\s*SELECT\b.*)\b(FOR\s+UPDATE(?:\s+SKIP\s+LOCKED|\s+NOWAIT)?)\s+(LIMIT\s+[0-9]+)$`), "$1$3 $2"},
}

// foreign are the marks of PostgreSQL's SQL that MySQL and MariaDB are known to refuse. The list is modest on purpose: what is
// not in it may still fail, and then the server says so.
var foreign = []struct {
	is   *regexp.Regexp
	what string
}{
	{regexp.MustCompile(`::\s*[A-Za-z_]`), "a cast with ::"},
	{regexp.MustCompile(`\$[A-Za-z_]*\$`), "a body in $$"},
	{regexp.MustCompile(`(?i)\bON\s+CONFLICT\b`), "ON CONFLICT"},
	{regexp.MustCompile(`(?is)^\s*UPDATE\b.*\bRETURNING\b`), "UPDATE ... RETURNING"},
	{regexp.MustCompile(`(?i)\bFOR\s+(NO\s+KEY\s+UPDATE|KEY\s+SHARE)\b`), "row locks by key"},
	{regexp.MustCompile(`(?i)\bgenerate_series\s*\(`), "generate_series"},
	{regexp.MustCompile(`(?i)\bpg_[a-z_]+`), "a pg_... function or table"},
	{regexp.MustCompile(`(?i)^\s*(VACUUM|CLUSTER|REINDEX|LISTEN|NOTIFY|UNLISTEN|COPY|DO|DISCARD|MERGE|RESET|REASSIGN|REFRESH)\b`), "a statement that MySQL has not"},
	{regexp.MustCompile(`(?i)^\s*CREATE\s+(EXTENSION|DOMAIN|TYPE|RULE|MATERIALIZED|AGGREGATE|OPERATOR|PUBLICATION|SCHEMA\s+AUTHORIZATION)\b`), "a statement that MySQL has not"},
	{regexp.MustCompile(`(?i)^\s*ALTER\s+(DOMAIN|TYPE|EXTENSION|MATERIALIZED|OPERATOR)\b`), "a statement that MySQL has not"},
	{regexp.MustCompile(`(?i)\bCONCURRENTLY\b`), "CONCURRENTLY"},
	{regexp.MustCompile(`(?i)^\s*LOCK\s+(TABLE\s+)?[\w, ]+\s+IN\s+[A-Z ]+\s+MODE\b`), "LOCK TABLE ... IN ... MODE"},
	{regexp.MustCompile(`(?i)\bPREPARE\s+TRANSACTION\b|\b(COMMIT|ROLLBACK)\s+PREPARED\b`), "two-phase commit in PostgreSQL's words"},
	{regexp.MustCompile(`(?i)\bINHERITS\s*\(|\bPARTITION\s+OF\b|\bUSING\s+(gin|gist|brin|spgist)\b|\bWITH\s*\(\s*(fillfactor|autovacuum)`), "PostgreSQL's storage and partitions"},
	{regexp.MustCompile(`(?i)\b(int|text|varchar|float)\s*\[\]|\bARRAY\s*\[`), "arrays"},
	{regexp.MustCompile(`(?i)^\s*SET\s+(LOCAL\s+)?(statement_timeout|lock_timeout|deadlock_timeout|enable_\w+|client_min_messages|idle_\w+|transaction_timeout|application_name|plan_cache_mode|search_path)\b`), "a setting of PostgreSQL"},
	{regexp.MustCompile(`(?i)\bLANGUAGE\s+'?(plpgsql|sql)\b`), "a function in PostgreSQL's languages"},
	{regexp.MustCompile(`(?i)\bTRUNCATE\b[^;]*\bCASCADE\b`), "TRUNCATE ... CASCADE"},
	{regexp.MustCompile(`(?i)\bDEFERRABLE\b`), "DEFERRABLE"},
	{regexp.MustCompile(`(?i)\btimestamp\s+with(out)?\s+time\s+zone\b`), "TIMESTAMP WITH TIME ZONE"},
	{regexp.MustCompile(`(?is)^\s*CREATE\s+TABLE\b.*\btext\b.*\b(PRIMARY\s+KEY|UNIQUE)\s*\(`), "perhaps a key on a TEXT column without a length"},
}

var (
	levels     = `(SERIALIZABLE|REPEATABLE\s+READ|READ\s+COMMITTED|READ\s+UNCOMMITTED)`
	beginLevel = regexp.MustCompile(`(?i)^(?:BEGIN|START)(?:\s+(?:TRANSACTION|WORK))?\s*,?\s*ISOLATION\s+LEVEL\s+` + levels + `\s*,?\s*(READ\s+ONLY|READ\s+WRITE)?$`)
	beginOnly  = regexp.MustCompile(`(?i)^BEGIN\s+(?:TRANSACTION|WORK)$`)
	beginAny   = regexp.MustCompile(`(?i)^(BEGIN|START\s+TRANSACTION)\b`)
	setLevel   = regexp.MustCompile(`(?i)^SET\s+TRANSACTION\s+ISOLATION\s+LEVEL\s+` + levels + `$`)
	endWord    = regexp.MustCompile(`(?i)^END(\s+TRANSACTION)?$`)
	abortWord  = regexp.MustCompile(`(?i)^ABORT(\s+TRANSACTION)?$`)
)

// dialect puts what PostgreSQL writes otherwise and means the same into MySQL's words, and notes what will not run.
func dialect(t *test) {
	for _, list := range []*[]statement{&t.setup, &t.teardown} {
		*list = inMySQL(*list)
	}
	for _, s := range t.sessions {
		s.setup, s.teardown = inMySQL(s.setup), inMySQL(s.teardown)
		for _, p := range s.steps {
			p.sql = inMySQL(p.sql)
		}
	}
}

func inMySQL(list []statement) []statement {
	var out []statement
	for _, s := range list {
		for _, r := range reworded {
			s.sql = r.is.ReplaceAllString(s.sql, r.by)
		}
		switch m := beginLevel.FindStringSubmatch(s.sql); {
		case m != nil:
			level, start := strings.ToUpper(strings.Join(strings.Fields(m[1]), " ")), "BEGIN"
			if m[2] != "" {
				start = "START TRANSACTION " + strings.ToUpper(strings.Join(strings.Fields(m[2]), " "))
			}
			out = append(out, statement{sql: "SET TRANSACTION ISOLATION LEVEL " + level, line: s.line}, statement{sql: start, line: s.line})
			continue
		case beginOnly.MatchString(s.sql):
			s.sql = "BEGIN"
		case endWord.MatchString(s.sql):
			s.sql = "COMMIT"
		case abortWord.MatchString(s.sql):
			s.sql = "ROLLBACK"
		case setLevel.MatchString(s.sql) && len(out) > 0 && beginAny.MatchString(out[len(out)-1].sql):
			out[len(out)-1], s = s, out[len(out)-1] // MySQL wants the level before the transaction begins
		}
		for _, f := range foreign {
			if f.is.MatchString(s.sql) {
				s.note = f.what + " is not MySQL's"
				break
			}
		}
		out = append(out, s)
	}
	return out
}
