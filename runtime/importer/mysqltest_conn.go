package importer

import (
	"path"
	"regexp"
	"strings"
)

var connectName = regexp.MustCompile(`^[A-Za-z_][A-Za-z_0-9]*$`)

// connections writes connect, connection, disconnect and the like.
func (g *mysqltest) connections(c command) {
	args := strings.TrimSpace(c.args)
	if c.name == "connect" {
		g.connect(c, args)
		return
	}
	if c.name == "reset_connection" {
		g.body.line("%s.reset()", g.current)
		return
	}
	known, ok := g.names["connection "+args]
	switch {
	case !connectName.MatchString(args):
		g.untranslated(c, "%s %s: which connection that is shows only when it runs", c.name, oneLine(args))
		g.body.line("fail(%s)", quote("not translated: "+c.name+" "+oneLine(args)))
	case !ok:
		g.untranslated(c, "%s %s: no connect has made it", c.name, args)
		g.body.line("fail(%s)", quote("not translated: "+c.name+" "+args))
	case c.name == "connection":
		g.current = known
	case c.name == "dirty_close":
		g.body.line("%s.kill()", known)
	case args == "default":
		g.untranslated(c, "disconnect default: the test's first session stays open")
	default:
		g.body.line("%s.close()", known)
	}
}

// connect writes connect (name,host,user,password,database,port,socket,options).
func (g *mysqltest) connect(c command, args string) {
	args = strings.TrimSpace(args)
	if strings.HasPrefix(args, "(") {
		args = strings.TrimSuffix(strings.TrimPrefix(args, "("), ")")
	}
	f := strings.Split(args, ",")
	for i := range f {
		f[i] = strings.Trim(strings.TrimSpace(f[i]), `"'`)
	}
	for len(f) < 8 {
		f = append(f, "")
	}
	if !connectName.MatchString(f[0]) {
		g.untranslated(c, "connect (%s)", oneLine(args))
		g.body.line("fail(%s)", quote("not translated: connect "+oneLine(args)))
		return
	}
	call := "t.connect(" + quote(f[0])
	if f[2] != "" && f[2] != "root" {
		call += ", user = " + g.expand(f[2])
		if f[3] != "" {
			call += ", password = " + g.expand(f[3])
		}
	}
	if f[4] != "" && f[4] != "test" && f[4] != "*NO-ONE*" {
		call += ", database = " + g.expand(f[4])
	}
	if f[7] != "" {
		g.untranslated(c, "the options of connect %s: %s", f[0], f[7])
	}
	o := g.next
	g.next = options{}
	if len(o.errors) > 0 {
		fn, rest, _ := strings.Cut(call, "(")
		g.expectError(c, o.errors, fn+", "+rest)
		return
	}
	g.current = g.name("connection "+f[0], f[0])
	g.body.line("%s = %s)", g.current, call)
}

// The includes that every test has: what rig does anyway, and what has a counterpart.
var (
	needless = regexp.MustCompile(`^(count_sessions|wait_until_count_sessions|have_innodb|have_log_bin|have_sequence|not_embedded|have_perfschema|no_valgrind_without_big|not_valgrind|big_test|have_binlog_format_\w+|have_utf8\w*|have_latin\w*|have_ucs2|not_msan|not_asan|innodb_page_size\w*|have_innodb_\w+|maybe_\w+|default_charset|have_metadata_lock_info|have_simple_parser|not_ps_protocol|force_\w+|have_profiling|have_query_cache|no_protocol|protocol|not_windows|linux|have_geometry|have_xa\w*)$`)
	needs    = map[string]string{"have_partition": "partitions"}
)

func (g *mysqltest) source(c command) {
	file := strings.Trim(strings.TrimSpace(c.args), ";")
	base := strings.TrimSuffix(path.Base(file), path.Ext(file))
	switch {
	case base == "wait_condition" || base == "wait_condition_sp" || base == "wait_condition_or_abort":
		g.helpers["holds"], g.helpers["value"] = true, true
		// 120 ms: InnoDB's tables of locks keep their old rows for anyone who asks sooner than every 100 ms.
		g.body.line("expect.eventually(lambda: holds(value(%s.query(%s))), within = \"30s\", every = \"120ms\")", g.current, g.read("wait_condition"))
	case strings.HasPrefix(base, "wait_until_blocked"):
		g.blocked(c)
	case base == "wait_until_rows_count":
		g.helpers["value"] = true
		g.body.line("expect.eventually(lambda: value(%s.query(\"SELECT COUNT(*) FROM \" + %s)) == %s, within = \"30s\")", g.current, g.read("table"), g.read("count"))
	case needless.MatchString(base):
	case needs[base] != "":
		g.body.line("t.requires(%s)", quote(needs[base]))
	default:
		g.untranslated(c, "source %s", file)
	}
}

// blocked writes that the statements that were sent wait for a lock.
func (g *mysqltest) blocked(c command) {
	if len(g.pending) == 0 {
		g.untranslated(c, "source %s without a send before it", c.args)
	}
	for _, conn := range sortedKeys(g.pending) {
		g.body.line("check(%s_sent.blocked(within = \"10s\"), %s)", conn, quote("the statement of "+conn+" waits"))
	}
}
