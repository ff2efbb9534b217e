package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"rig/runtime/server"
	"rig/runtime/session"
)

// elsewhere is a server that the runs find at an address, as a user's own would be: it is not theirs to throw away.
type elsewhere struct {
	mu    sync.Mutex     // guards the making
	srv   *server.Server // nil until first used
	admin *session.Session
	hub   *session.Hub
	err   error
}

// shared is the one server of the test binary.
var shared = &elsewhere{}

// url starts the server at the first call and gives its address for the user.
func (e *elsewhere) url(user string) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.srv == nil && e.err == nil {
		e.err = e.start()
	}
	if e.err != nil {
		return "", e.err
	}
	return "mysql://" + user + "@/?socket=" + url.QueryEscape(e.srv.Address().Addr), nil
}

func (e *elsewhere) start() error {
	ctx := context.Background()
	srv, err := server.Start(ctx, server.Spec{Kind: server.MariaDB}, nil)
	if err != nil {
		return err
	}
	a := srv.Address()
	e.srv = srv
	e.hub = session.NewHub(session.Config{Network: a.Network, Address: a.Addr, User: a.User, Password: a.Password, Flavor: srv.Type()})
	e.admin, err = e.hub.Open(ctx, session.Options{Name: "admin"})
	return err
}

// stop ends the server, if there is one.
func (e *elsewhere) stop() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.srv != nil {
		_ = e.hub.Close() // the server goes with it
		_ = e.srv.Stop()
	}
}

// query runs a statement as root and gives the rows as lines.
func (e *elsewhere) query(sql string) (string, error) {
	if _, err := e.url("root"); err != nil {
		return "", err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	call := session.Call{Op: "sql", Holder: "test"}
	if !regexp.MustCompile(`(?i)^(select|show)\b`).MatchString(sql) {
		_, err := e.admin.Exec(call, sql, nil)
		return "", err
	}
	rows, err := e.admin.Query(call, sql, nil)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for i := range rows.Len() {
		for j := range len(rows.Columns()) {
			fmt.Fprintf(&b, "%v ", rows.Cell(i, j))
		}
		b.WriteString("\n")
	}
	return b.String(), nil
}

// cmdServer sets a variable to the address of the shared server: server NAME [user]
func cmdServer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: server variable [user]")
	}
	user := "root"
	if len(args) > 1 {
		user = args[1]
	}
	address, err := shared.url(user)
	ts.Check(err)
	ts.Setenv(args[0], address)
}

// cmdSQL runs a statement as root on the shared server; what it gives is stdout.
func cmdSQL(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: sql statement")
	}
	out, err := shared.query(args[0])
	ts.Check(err)
	fmt.Fprint(ts.Stdout(), out)
}

// cmdGone checks that the databases are gone of which the last command's stdout told: "in rig_..."
func cmdGone(ts *testscript.TestScript, neg bool, args []string) {
	told := databaseName.FindAllStringSubmatch(ts.ReadFile("stdout"), -1)
	if neg || len(args) > 0 || told == nil {
		ts.Fatalf("usage: gone, after a command that told of a database")
	}
	for _, m := range told {
		out, err := shared.query("SELECT schema_name FROM information_schema.schemata WHERE schema_name = '" + m[1] + "'")
		ts.Check(err)
		if out != "" {
			ts.Fatalf("database %s is left", m[1])
		}
	}
}

// What differs between two reports of the same run: nothing but durations and the moment of writing.
var moments = regexp.MustCompile(`(?m)("(Time|time|elapsed|Elapsed|written_at)":\s*("[^"]*"|[0-9.e-]+))|((time|timestamp)="[^"]*")|(duration_ms: [0-9.]+)`)

// cmdSame compares two reports, moments aside: same a b
func cmdSame(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: same file file")
	}
	a, b := moments.ReplaceAllString(ts.ReadFile(args[0]), "T"), moments.ReplaceAllString(ts.ReadFile(args[1]), "T")
	if a == b {
		return
	}
	la, lb := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(la), len(lb)) {
		if la[i] != lb[i] {
			ts.Fatalf("line %d differs:\n%s\n%s", i+1, la[i], lb[i])
		}
	}
	ts.Fatalf("%s has %d lines, %s has %d", args[0], len(la), args[1], len(lb))
}

// cmdJSON checks that a file is JSON, one value or one a line, and counts its elements: json N file
func cmdJSON(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: json count file")
	}
	dec := json.NewDecoder(bytes.NewReader([]byte(ts.ReadFile(args[1]))))
	n := 0
	for ; dec.More(); n++ {
		var v any
		ts.Check(dec.Decode(&v))
		if list, ok := v.([]any); ok {
			n += len(list) - 1
		}
	}
	if fmt.Sprint(n) != args[0] {
		ts.Fatalf("%s holds %d values, want %s", args[1], n, args[0])
	}
}
