package server

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	sqle "github.com/dolthub/go-mysql-server"
	"github.com/dolthub/go-mysql-server/memory"
	gms "github.com/dolthub/go-mysql-server/server"
	"github.com/dolthub/go-mysql-server/sql"
	"github.com/dolthub/go-mysql-server/sql/analyzer"
	"github.com/dolthub/go-mysql-server/sql/expression"
	"github.com/dolthub/go-mysql-server/sql/types"
)

// The test binary stands in for servers that are not installed here: with the arguments that it gets it opens the port or
// socket of a tidb-server, dolt or mysqld, and answers there with go-mysql-server under their version. What it cannot show
// is whether the real programs take these arguments.

// play is main of the other programs.
func play(role string) int {
	switch role {
	case "orphan":
		return playOrphan()
	case "refuses":
		fmt.Fprintln(os.Stderr, "2026-01-01 [Note] starting\n2026-01-01 [ERROR] unknown variable 'bogus=1'\n2026-01-01 [ERROR] Aborting")
		return 1
	case "silent":
		select {}
	case "unlucky":
		return playUnlucky()
	}
	return playServer(role)
}

// playUnlucky finds its port taken, but for the third time.
func playUnlucky() int {
	f, err := os.OpenFile("tries", os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return 2
	}
	fmt.Fprintln(f, argumentOf("-P"))
	b, err := os.ReadFile("tries")
	if err != nil || strings.Count(string(b), "\n") < 3 {
		fmt.Fprintln(os.Stderr, "listen tcp 127.0.0.1: bind: address already in use")
		return 1
	}
	return playServer("tidb")
}

// argumentOf gives the value of -name=value among the arguments.
func argumentOf(name string) string {
	for _, a := range os.Args[1:] {
		if k, v, ok := strings.Cut(a, "="); ok && k == name {
			return v
		}
	}
	return ""
}

func playServer(role string) int {
	network, addr := "tcp", ""
	version, comment := "8.0.11-TiDB-v7.5.1", "TiDB Server (Apache License 2.0)"
	switch role {
	case "tidb", "stubborn":
		addr = "127.0.0.1:" + argumentOf("-P")
	case "dolt":
		addr = "127.0.0.1:" + argumentOf("--port")
		version, comment = "8.0.33", "Dolt"
		if os.Args[1] != "sql-server" || os.Getenv("HOME") != filepath.Dir(argumentOf("--data-dir")) {
			return 3
		}
	case "mysqld":
		switch {
		case strings.Contains(strings.Join(os.Args, " "), "--version"):
			fmt.Println("/usr/sbin/mysqld  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)")
			return 0
		case strings.Contains(strings.Join(os.Args, " "), "--initialize-insecure"):
			return initialise(argumentOf("--datadir"))
		}
		network, addr = "unix", argumentOf("--socket")
		version, comment = "8.0.36", "MySQL Community Server - GPL"
		if _, err := os.Stat(filepath.Join(argumentOf("--datadir"), "mysql", "made")); err != nil {
			return 4
		}
	}
	if role == "stubborn" {
		signal.Ignore(syscall.SIGTERM)
	}
	return answer(network, addr, version, comment)
}

func initialise(dir string) int {
	if err := os.Mkdir(filepath.Join(dir, "mysql"), 0o700); err != nil {
		return 5
	}
	f, err := os.OpenFile(filepath.Join(filepath.Dir(dir), "initialised"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 6
	}
	fmt.Fprintln(f, "once")
	if os.WriteFile(filepath.Join(dir, "mysql", "made"), nil, 0o600) != nil {
		return 7
	}
	return 0
}

// withDoltVersion adds dolt_version().
type withDoltVersion struct{ *memory.DbProvider }

func (withDoltVersion) Function(_ *sql.Context, name string) (sql.Function, bool) {
	if name != "dolt_version" {
		return nil, false
	}
	return sql.Function0{Name: name, Fn: func() sql.Expression { return expression.NewLiteral("1.59.3", types.LongText) }}, true
}

func answer(network, addr, version, comment string) int {
	prepareEngine()
	if err := sql.SystemVariables.AssignValues(map[string]any{"version": version, "version_comment": comment}); err != nil {
		return 8
	}
	l, err := net.Listen(network, addr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "[ERROR]", err)
		return 1
	}
	p := memory.NewDBProvider()
	engine := sqle.New(analyzer.NewDefault(withDoltVersion{p}), nil)
	srv, err := gms.NewServer(gms.Config{Listener: l}, engine, sql.NewContext, memory.NewSessionBuilder(p), nil)
	if err != nil {
		return 9
	}
	_ = srv.Start()
	return 0
}

func standIn(t *testing.T, role string, s Spec) Spec {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(roleVariable, role)
	t.Setenv("GORACE", "atexit_sleep_ms=0") // else each of its runs takes a second under the race detector
	s.Binary = exe
	return fill(t, s)
}

func TestStandIns(t *testing.T) {
	for _, tt := range []struct {
		role, kind, version string
		network             string
		options             map[string]string
	}{
		{"tidb", TiDB, "7.5.1", "tcp", map[string]string{"log-slow-query": "x"}},
		{"dolt", Dolt, "1.59.3", "tcp", nil},
		{"mysqld", MySQL, "8.0.36", "unix", nil},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			s := standIn(t, tt.role, Spec{Kind: tt.kind, Options: tt.options})
			srv := begin(t, s)
			if srv.Type() != tt.kind || srv.Kind() != tt.kind || srv.Version() != tt.version || !srv.ThrowAway() {
				t.Errorf("type %s, kind %s, version %s", srv.Type(), srv.Kind(), srv.Version())
			}
			a := srv.Address()
			if a.Network != tt.network || a.User != "root" || a.Password != "" {
				t.Errorf("address %s %s", a.Network, a)
			}
			if tt.network == "tcp" && (srv.TCP() != a.Addr || !strings.HasPrefix(a.Addr, "127.0.0.1:")) {
				t.Errorf("tcp %q, address %s", srv.TCP(), a)
			}
			if !srv.Capabilities().Has(serverControl) {
				t.Error("it cannot be controlled")
			}
			c := connect(t, open(t, a))
			if got := c.get("SELECT 1+1"); got != "2" {
				t.Errorf("SELECT 1+1 is %s", got)
			}
			if err := srv.Restart(t.Context()); err != nil {
				t.Fatal(err)
			}
			if b := srv.Address(); b.Addr != a.Addr {
				t.Errorf("restarted at %s, was at %s", b, a)
			}
			p := srv.back.(*process)
			cmd, _ := p.now()
			if err := srv.Stop(); err != nil {
				t.Fatal(err)
			}
			if alive(cmd.Process.Pid) {
				t.Error("the process lives after Stop")
			}
			if _, err := os.Stat(p.folder.path); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the folder is there after Stop: %v", err)
			}
		})
	}
}

func TestMysqldTemplateIsMadeOnce(t *testing.T) {
	cache := t.TempDir()
	for range 2 {
		srv := begin(t, standIn(t, "mysqld", Spec{Kind: MySQL, CacheDir: cache}))
		if err := srv.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(filepath.Join(cache, "initialised"))
	if err != nil || string(b) != "once\n" {
		t.Errorf("initialised: %q, %v", b, err)
	}
}

func TestStartFails(t *testing.T) {
	for _, tt := range []struct {
		name, role string
		spec       Spec
		msg        string
		log        string
		hint       string
	}{
		{"server refuses", "refuses", Spec{Kind: TiDB, Options: map[string]string{"bogus": "1"}}, "ended while it started", "[ERROR] unknown variable 'bogus=1'\n2026-01-01 [ERROR] Aborting", "options"},
		{"never answers", "silent", Spec{Kind: Dolt, StartTimeout: 300 * time.Millisecond}, "did not answer within 300ms", "", ""},
		{"mysqld for mariadb", "mysqld", Spec{Kind: MariaDB}, "is no MariaDB but 8.0.36", "", "--target mysql"},
		{"version fails", "refuses", Spec{Kind: MySQL}, "exit status 1", "unknown variable", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := standIn(t, tt.role, tt.spec)
			r, bus := record(t)
			_, err := Start(t.Context(), s, bus)
			var e *StartError
			if !errors.As(err, &e) {
				t.Fatalf("got %v", err)
			}
			if !strings.Contains(e.Msg, tt.msg) || !strings.Contains(e.Log, tt.log) || !strings.Contains(e.Hint, tt.hint) {
				t.Errorf("msg %q\nlog %q\nhint %q", e.Msg, e.Log, e.Hint)
			}
			if strings.Contains(e.Log, "[Note]") {
				t.Errorf("the log has notes beside errors: %q", e.Log)
			}
			if report := e.Report(); report.Kind != "environment" {
				t.Errorf("report %+v", report)
			}
			if left, _ := os.ReadDir(s.TempDir); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
			bus.Flush()
			if got := r.states(); got != "starting failed" || r.last().Error == nil || r.last().Error.Kind != "environment" {
				t.Errorf("events %s, %+v", got, r.last().Error)
			}
		})
	}
}

func TestTakenPort(t *testing.T) {
	srv := begin(t, standIn(t, "unlucky", Spec{Kind: TiDB}))
	b, err := os.ReadFile(filepath.Join(srv.back.(*process).folder.path, "tries"))
	if err != nil || strings.Count(string(b), "\n") != 3 {
		t.Errorf("ports tried: %q, %v", b, err)
	}
}

func TestStopEndsWhoDoesNotListen(t *testing.T) {
	srv := begin(t, standIn(t, "stubborn", Spec{Kind: TiDB}))
	start := time.Now()
	if err := srv.Stop(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took < quitWithin || took > quitWithin+3*time.Second {
		t.Errorf("stop took %s, the bound is %s", took, quitWithin)
	}
}

func TestNoBinary(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for _, kind := range []string{Dolt, TiDB} {
		_, err := Start(t.Context(), fill(t, Spec{Kind: kind}), nil)
		var e *StartError
		if !errors.As(err, &e) || !strings.Contains(e.Hint, "install") || e.Report().Kind != "environment" {
			t.Errorf("%s: %v", kind, err)
		}
	}
	_, err := Start(t.Context(), fill(t, Spec{Kind: MariaDB, Binary: "/nowhere/mariadbd"}), nil)
	if err == nil || !strings.Contains(err.Error(), "/nowhere/mariadbd") {
		t.Errorf("got %v", err)
	}
}

func TestTiupFolder(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("PATH", "")
	for _, v := range []string{"v7.1.0", "v7.5.1"} {
		dir := filepath.Join(home, ".tiup", "components", "tidb", v)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "tidb-server"), []byte("#!/bin/false\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	got, err := findBinary(Spec{Kind: TiDB}, tidbKind{})
	if err != nil || !strings.HasSuffix(got, "v7.5.1/tidb-server") {
		t.Errorf("found %q, %v", got, err)
	}
}
