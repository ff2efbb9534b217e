package importer

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"rig/runtime/fault"
)

// importMysqltest makes straight code of a mysqltest file: a variable for each connection, conn.start and wait for send and reap,
// expect.error for error, Starlark's if and while. Rows are compared with those of the recorded .result where the file has one
// and its place is clear, else they are kept in a golden.
func importMysqltest(r *reader, out *Scenario) error {
	c := &commandReader{reader: r, delimiter: ";"}
	commands, err := c.commands(0, 0)
	if err != nil {
		return err
	}
	if !runsSomething(commands) {
		return r.errorAt(0, "no statement was found")
	}
	if n := argBytes(commands); n > maxScript { // before the recorded rows are looked for
		return tooLong(r.name, n)
	}
	g := &mysqltest{
		reader: r, body: &code{depth: 1}, results: true,
		names: map[string]string{}, taken: reserved(), first: map[string]bool{}, pending: map[string]string{}, helpers: map[string]bool{},
	}
	g.current = g.name("connection default", "default")
	g.recorded = recordedRows(r, commands)
	for _, n := range r.notes {
		g.body.comment("not translated: %s", n.What)
	}
	g.noted = append(g.noted, r.notes...)
	g.block(commands, true)
	out.Text, out.Tests, out.Notes = g.scenario(), 1, g.noted
	return nil
}

// argBytes is how long statements and the like are.
func argBytes(list []command) int {
	n := 0
	for _, c := range list {
		if c.name != "#" {
			n += len(c.args)
		}
		n += argBytes(c.body)
	}
	return n
}

func runsSomething(list []command) bool {
	for _, c := range list {
		if c.name == "" || c.name == "eval" || c.name == "send" || c.name == "query" || c.name == "source" || runsSomething(c.body) {
			return true
		}
	}
	return false
}

// reserved are names that variables of a test must not take.
func reserved() map[string]bool {
	return words(`and break continue def elif else for if in lambda load not or pass return while as assert class del except finally
		from global import is nonlocal raise try with yield t expect check fail try_ sleep task data log rand retry machine metrics mock
		shown value holds one_of seen true None True False str int len list dict range sorted print test cases param step interleave
		rows watch coordinator json time math struct errors help decimal date datetime clock any all bool bytes cell`)
}

// mysqltest makes the code of one file.
type mysqltest struct {
	*reader
	body     *code
	noted    []Note
	names    map[string]string // "connection con1" or "$x" -> the variable in Starlark
	taken    map[string]bool
	first    map[string]bool // variables of mysqltest that must be "" at the beginning
	declared []string
	current  string            // the connection at hand
	pending  map[string]string // connections with a statement that was sent, and its text
	helpers  map[string]bool
	recorded map[int][]string // rows of the statement at a byte
	results  bool
	anyError bool // disable_abort_on_error
	next     options
}

// options are what commands say of the next statement.
type options struct {
	errors  []string
	sorted  bool
	columns string // the dict of replace_column
	changed bool   // replace_regex and the like: the rows are not those that were recorded
	send    bool
}

// name gives the Starlark variable of something.
func (g *mysqltest) name(what, wish string) string {
	if n, ok := g.names[what]; ok {
		return n
	}
	n := unused(identifier(wish), g.taken)
	g.names[what] = n
	return n
}

// untranslated puts a note at its place.
func (g *mysqltest) untranslated(c command, format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	g.body.comment("not translated: %s", what)
	g.noted = append(g.noted, g.note(c.at, "%s", what))
}

// block writes a list of commands; top says that it is the file's.
func (g *mysqltest) block(list []command, top bool) {
	start := g.body.Len()
	for i := 0; i < len(list); i++ {
		c := list[i]
		switch {
		case c.name == "if" || c.name == "while":
			g.compound(c)
		case c.name == "send" && c.args == "" && i+1 < len(list) && list[i+1].name == "": // the next statement is what is sent
			g.next.send = true
		default:
			g.command(c)
		}
	}
	if !top && g.onlyComments(start) {
		g.body.line("pass")
	}
}

// onlyComments says that nothing was written since a place that runs.
func (g *mysqltest) onlyComments(start int) bool {
	for l := range strings.Lines(g.body.String()[start:]) {
		if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, "#") {
			return false
		}
	}
	return true
}

// quiet are commands about the look of the log, which rig does not keep.
var quiet = regexp.MustCompile(`^((dis|en)able_(info|metadata|query_log|warnings|prepare_warnings|ps_protocol|ps2_protocol|cursor_protocol|view_protocol|service_connection|connect_log|reconnect|column_names|session_track_info|non_blocking_api|testcase|rpl_parse|parsing|optimizer_trace)|horizontal_results|start_timer|end_timer|character_set|result_format|optimizer_trace|query_attributes|delimiter|ping)$`)

func (g *mysqltest) command(c command) {
	switch c.name {
	case "":
		g.sql(c, g.plain(c.args), c.args)
	case "eval", "evalp":
		g.sql(c, g.expand(c.args), c.args)
	case "query", "query_horizontal", "single_query":
		g.sql(c, g.plain(c.args), c.args)
	case "send":
		g.next.send = true
		g.sql(c, g.plain(c.args), c.args)
	case "send_eval":
		g.next.send = true
		g.sql(c, g.expand(c.args), c.args)
	case "reap":
		g.reap(c)
	case "#", "echo":
		g.echo(c)
	case "let":
		g.let(c)
	case "inc", "dec":
		g.count(c)
	case "error":
		g.next.errors = splitErrors(c.args)
	case "connect", "connection", "disconnect", "dirty_close", "reset_connection":
		g.connections(c)
	case "source":
		g.source(c)
	case "sleep", "real_sleep":
		g.sleep(c)
	default:
		g.manner(c)
	}
}

// manner does the commands that change how the next ones are taken.
func (g *mysqltest) manner(c command) {
	switch c.name {
	case "sorted_result", "partially_sorted_result":
		g.next.sorted = true
	case "replace_column":
		g.next.columns = replacements(c.args)
	case "replace_result", "replace_regex", "replace_numeric_round", "lowercase_result":
		g.next.changed = true
		g.untranslated(c, "%s %s: the rows of the next statement are not compared", c.name, oneLine(c.args))
	case "vertical_results":
		g.next.changed = true
	case "query_vertical":
		g.next.changed = true
		g.sql(c, g.plain(c.args), c.args)
	case "disable_result_log", "enable_result_log":
		g.results = c.name == "enable_result_log"
	case "disable_abort_on_error", "enable_abort_on_error":
		g.anyError = c.name == "disable_abort_on_error"
	case "die":
		g.body.line("fail(%s)", g.expand(c.args))
	case "skip":
		g.body.line("t.skip(%s)", g.expand(c.args))
	case "exit":
		if g.body.depth > 1 { // else it was the last that was read
			g.helpers["seen"] = true
			g.body.line("expect.golden(%s, \"\\n\".join(seen))", quote(testName(g.base())))
			g.body.line("return")
		}
	default:
		if !quiet.MatchString(c.name) {
			g.untranslated(c, "%s %s", c.name, oneLine(c.args))
		}
	}
}

func splitErrors(args string) []string {
	args, _, _ = strings.Cut(args, "#")
	return strings.FieldsFunc(args, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
}

// replacements makes a dict of "1 # 3 X": column 1 is 0.
func replacements(args string) string {
	f := strings.Fields(args)
	var out []string
	for i := 0; i+1 < len(f); i += 2 {
		if n, err := strconv.Atoi(f[i]); err == nil && n > 0 {
			out = append(out, fmt.Sprintf("%d: %s", n-1, quote(strings.Trim(f[i+1], `"`))))
		}
	}
	return "{" + strings.Join(out, ", ") + "}"
}

var suppression = regexp.MustCompile(`(?i)^call\s+mtr\.add_suppression\b`)

var useTest = regexp.MustCompile(`(?i)^use\s+` + "`?test`?$")

// sql writes a statement for the server: expr is its Starlark, text the source's.
func (g *mysqltest) sql(c command, expr, text string) {
	o := g.next
	g.next = options{}
	switch {
	case strings.TrimSpace(text) == "":
		g.untranslated(c, "%s without a statement", c.name)
	case useTest.MatchString(text):
		g.body.line("%s.use(t.database)", g.current)
	case suppression.MatchString(text): // a table of mysqltest's driver
	case o.send:
		g.body.line("%s_sent = %s.start(%s)", g.current, g.current, expr)
		g.pending[g.current] = text
		g.expectLater(o)
	case strings.Contains(strings.ToUpper(text), "DEBUG_SYNC") || strings.Contains(strings.ToLower(text), "debug_dbug"):
		g.untranslated(c, "debug builds only: %s", oneLine(text))
		g.call(c, o, g.current+".exec", expr)
	case firstWord(text) == "CALL" || firstWord(text) == "EXECUTE":
		g.several(c, o, expr)
	case givesRows(text):
		g.call(c, o, g.current+".query", expr)
	default:
		g.call(c, o, g.current+".exec", expr)
	}
}

// expectLater keeps what was said before a send for its reap: mysqltest takes it there.
func (g *mysqltest) expectLater(o options) {
	o.send = false
	g.next = o
}

// several writes a statement that may give any number of results.
func (g *mysqltest) several(c command, o options, expr string) {
	if len(o.errors) > 0 || g.anyError || !g.results || o.changed {
		g.call(c, o, g.current+".query_all", expr)
		return
	}
	g.helpers["seen"] = true
	g.body.line("for rows in %s.query_all(%s):", g.current, expr)
	g.body.depth++
	g.body.line("seen.extend(%s)", g.shown("rows", o))
	g.body.depth--
}

// call writes a call with what is expected of it. Rows count where the call gives some.
func (g *mysqltest) call(c command, o options, fn, args string) {
	sep := ""
	if args != "" {
		sep = ", "
	}
	switch {
	case len(o.errors) > 0:
		g.expectError(c, o.errors, fn+sep+args)
	case g.anyError:
		g.body.line("try_(%s%s%s)", fn, sep, args)
	case !strings.HasSuffix(fn, ".query") && !strings.HasSuffix(fn, ".wait"), !g.results, o.changed:
		g.body.line("%s(%s)", fn, args)
	default:
		g.rows(c, o, fn+"("+args+")")
	}
}

// rows writes a call whose rows are compared.
func (g *mysqltest) rows(c command, o options, call string) {
	want, ok := g.recorded[c.at]
	waited := strings.HasSuffix(call, ".wait()")
	switch {
	case ok && waited && len(want) == 0:
		g.body.line("%s", call)
	case ok && o.sorted:
		g.body.line("expect.eq(%s, %s)", g.shown(call, o), quoteAll(sortedLines(want)))
	case ok:
		g.body.line("expect.eq(%s, %s)", g.shown(call, o), quoteAll(want))
	default:
		g.helpers["seen"] = true
		g.body.line("seen.extend(%s)", g.shown(call, o))
	}
}

func (g *mysqltest) shown(rows string, o options) string {
	g.helpers["shown"] = true
	text := "shown(" + rows
	if o.columns != "" {
		text += ", " + o.columns
	}
	text += ")"
	if o.sorted {
		text = "sorted(" + text + ")"
	}
	return text
}

var sqlState = regexp.MustCompile(`^S[0-9A-Z]{5}$`)

// expectError writes a call that must fail with one of some errors, or may succeed where 0 is among them.
func (g *mysqltest) expectError(c command, errs []string, call string) {
	var codes []string
	state := ""
	for _, e := range errs {
		switch entry, known := fault.LookupName(e); {
		case known:
			codes = append(codes, strconv.Itoa(entry.Code))
		case sqlState.MatchString(e):
			state = e[1:]
		default:
			if n, err := strconv.Atoi(e); err == nil && n >= 0 {
				codes = append(codes, strconv.Itoa(n))
				continue
			}
			g.untranslated(c, "error %s: its number is not known to rig, so any error will do", e)
			g.body.line("expect.error(%s)", call)
			return
		}
	}
	switch {
	case state != "":
		g.body.line("expect.error(%s, sqlstate = %s)", call, quote(state))
	case len(codes) == 1 && codes[0] == "0":
		fn, args, _ := strings.Cut(call, ", ")
		g.body.line("%s(%s)", fn, args)
	case len(codes) == 1 && (codes[0] == "2013" || codes[0] == "2006"): // the client's numbers; rig has a kind for them
		g.body.line("expect.error(%s, kind = \"connection_lost\")", call)
	case len(codes) == 1:
		g.body.line("expect.error(%s, code = %s)", call, codes[0])
	default:
		g.helpers["one_of"] = true
		g.body.line("one_of([%s], %s)", strings.Join(codes, ", "), call)
	}
}

func (g *mysqltest) reap(c command) {
	o := g.next
	g.next = options{}
	sent, ok := g.pending[g.current]
	if !ok {
		g.untranslated(c, "reap without a send before it on this connection")
		return
	}
	delete(g.pending, g.current)
	if w := firstWord(sent); w == "CHECK" || w == "OPTIMIZE" || w == "REPAIR" || w == "CHECKSUM" {
		o.changed = true // a pending statement of these words gives no rows
	}
	g.call(c, o, g.current+"_sent.wait", "")
}

// echo keeps words as a comment, and prints what has a variable in it.
func (g *mysqltest) echo(c command) {
	text := strings.TrimSpace(strings.TrimLeft(c.args, "# "))
	switch {
	case text == "":
	case c.name == "echo" && variable.MatchString(text):
		g.body.line("print(%s)", g.expand(c.args))
	default:
		g.body.comment("%s", text)
	}
}

var secondsOf = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)

func (g *mysqltest) sleep(c command) {
	if n := strings.TrimSpace(c.args); secondsOf.MatchString(n) {
		g.body.line("sleep(%s)", quote(n+"s"))
		return
	}
	g.body.line(`sleep(%s + "s")`, g.expand(c.args))
}
