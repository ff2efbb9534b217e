package mock

import (
	"slices"
	"strconv"
	"strings"
)

// own answers what rig itself asks of every server, and what kills. No rule sees it.
func (c *conn) own(tokens []token) (Answer, bool) {
	sql := strings.ToLower(text(tokens))
	switch sql {
	case "select connection_id(), @@sql_mode":
		return row(Value{Uint, strconv.FormatUint(c.id, 10)}, Value{Text, ""}), true
	case "select @@sql_mode":
		return row(Value{Text, ""}), true
	case "select @@version, @@max_allowed_packet":
		return row(Value{Text, Version}, Value{Int, strconv.Itoa(maxPacket)}), true
	case "select @@version, @@version_comment":
		return row(Value{Text, Version}, Value{Text, "rig mock"}), true
	case "select @@global.local_infile, ''":
		return row(Value{Int, "1"}, Value{Text, ""}), true
	case "set time_zone = '+00:00'", "select release_all_locks()", "do 0":
		return Answer{Results: []Result{{}}}, true
	}
	if len(tokens) < 2 || tokens[0].text != "kill" {
		return Answer{}, false
	}
	return c.killed(tokens), true
}

func (c *conn) killed(tokens []token) Answer {
	id, err := strconv.ParseUint(tokens[len(tokens)-1].raw, 10, 64)
	if err != nil || !c.srv.kill(id, tokens[1].text != "query") {
		return Answer{Err: &Error{Code: errNoSuchThread, SQLState: "HY000", Message: "Unknown thread id: " + tokens[len(tokens)-1].raw}}
	}
	return Answer{Results: []Result{{}}}
}

// errNoSuchThread is ER_NO_SUCH_THREAD.
const errNoSuchThread = 1094

// usual answers, where no rule does, what every session may say: transactions, settings, the test's own database.
func usual(tokens []token) (Answer, bool) {
	var first, second string
	if len(tokens) > 0 && tokens[0].kind == tokWord {
		first = tokens[0].text
	}
	if len(tokens) > 1 {
		second = tokens[1].text
	}
	ok := false
	switch first {
	case "begin", "commit", "rollback", "savepoint", "release", "set", "use":
		ok = true
	case "start":
		ok = second == "transaction"
	case "create", "drop":
		ok = second == "database" && slices.ContainsFunc(tokens, func(t token) bool { return strings.HasPrefix(t.text, "rig_") })
	case "show":
		ok = second == "warnings"
	}
	if !ok {
		return Answer{}, false
	}
	r := Result{}
	if first == "show" {
		r.Columns = []Column{{"Level", Text}, {"Code", Int}, {"Message", Text}}
	}
	return Answer{Results: []Result{r}}, true
}

func row(values ...Value) Answer {
	r := Result{Rows: [][]Value{values}}
	for i, v := range values {
		r.Columns = append(r.Columns, Column{"c" + strconv.Itoa(i), v.Kind})
	}
	return Answer{Results: []Result{r}}
}
