package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"rig/runtime/fault"
)

func TestMariaDBLife(t *testing.T) {
	wantMariaDB(t)
	r, bus := record(t)
	s := fill(t, Spec{Kind: MariaDB, Name: "main", TCP: true, Options: map[string]string{
		"innodb_flush_log_at_trx_commit": "1", "--max-connections": "77", "skip_innodb_doublewrite": "", "log_bin": "",
	}})
	srv, err := Start(t.Context(), s, bus)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Stop() })
	p := srv.back.(*process)
	if srv.Type() != MariaDB || compare(srv.Version(), "10") < 0 || !strings.HasPrefix(srv.Version(), "1") {
		t.Errorf("%s %s", srv.Type(), srv.Version())
	}
	checkFolder(t, p.folder.path, s.TempDir)
	c := connect(t, open(t, srv.Address()))
	for variable, want := range map[string]string{
		"innodb_flush_log_at_trx_commit": "1", "max_connections": "77", "log_bin": "1", "innodb_doublewrite": "0", // the options'
		"character_set_server": "utf8mb4", "time_zone": "+00:00", "local_infile": "1", "performance_schema": "0", "innodb_fast_shutdown": "2", // rig's
	} {
		if got := c.get("SELECT @@GLOBAL." + variable); got != want {
			t.Errorf("%s is %s, want %s", variable, got, want)
		}
	}
	if got := c.get("SELECT CURRENT_USER()"); got != "root@localhost" {
		t.Errorf("logged in as %s", got)
	}
	tcp := Address{Network: "tcp", Addr: srv.TCP(), User: "root"}
	if what, err := probe(t.Context(), tcp, 5*time.Second); err != nil || what.kind != MariaDB {
		t.Errorf("over TCP %s: %+v, %v", srv.TCP(), what, err)
	}
	c.exec("CREATE DATABASE d", "CREATE TABLE d.t (id INT) ENGINE=InnoDB", "INSERT INTO d.t VALUES (1)")

	t.Run("pause", func(t *testing.T) { pauseAndResume(t, srv) })
	t.Run("kill", func(t *testing.T) { killAndRestart(t, srv) })
	t.Run("exited", func(t *testing.T) { endByItself(t, srv, r) })

	if err := srv.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := srv.Kill(); !fault.IsKind(err, fault.ServerShutdown) {
		t.Errorf("Kill after Stop gives %v", err)
	}
	if left, _ := os.ReadDir(s.TempDir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	bus.Flush()
	if got := r.states(); got != "starting ready starting ready failed starting ready stopped" {
		t.Errorf("events %q", got)
	}
}

func checkFolder(t *testing.T, path, parent string) {
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o700 || filepath.Dir(path) != parent || !strings.HasPrefix(filepath.Base(path), fmt.Sprintf("rig-server-%d-", os.Getpid())) {
		t.Errorf("folder %s has mode %v", path, info.Mode())
	}
	if _, err := lockFile(filepath.Join(path, lockName), false); err == nil {
		t.Error("the folder is not locked")
	}
}

func pauseAndResume(t *testing.T, srv *Server) {
	if err := srv.Pause(); err != nil {
		t.Fatal(err)
	}
	if _, err := probe(t.Context(), srv.Address(), 100*time.Millisecond); !fault.IsKind(err, fault.Timeout) {
		t.Errorf("a paused server gives %v", err)
	}
	if err := srv.Resume(); err != nil {
		t.Fatal(err)
	}
	if _, err := probe(t.Context(), srv.Address(), 5*time.Second); err != nil {
		t.Errorf("a resumed server gives %v", err)
	}
}

func killAndRestart(t *testing.T, srv *Server) {
	before := srv.Address().Addr
	exited := srv.Exited()
	for range 2 { // the second finds it ended
		if err := srv.Kill(); err != nil {
			t.Fatal(err)
		}
	}
	if err := srv.Pause(); !fault.IsKind(err, fault.ServerShutdown) {
		t.Errorf("Pause after Kill gives %v", err)
	}
	if _, err := probe(t.Context(), srv.Address(), time.Second); !fault.IsKind(err, fault.ConnectionRefused) {
		t.Errorf("a killed server gives %v", err)
	}
	if err := srv.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if srv.Address().Addr != before {
		t.Errorf("restarted at %s, was at %s", srv.Address(), before)
	}
	if got := connect(t, open(t, srv.Address())).get("SELECT COUNT(*) FROM d.t"); got != "1" {
		t.Errorf("%s rows after the crash, want 1", got)
	}
	select {
	case <-exited:
		t.Error("Exited is closed by Kill")
	default:
	}
}

func endByItself(t *testing.T, srv *Server, r *recorder) {
	cmd, _ := srv.back.(*process).now()
	if err := syscall.Kill(cmd.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {
	case <-srv.Exited():
	case <-time.After(10 * time.Second):
		t.Fatal("Exited is not closed")
	}
	eventually(t, "the event", func() bool { return r.last().State == "failed" })
	if e := r.last().Error; e == nil || !strings.Contains(e.Message, "ended by itself: signal: killed") {
		t.Errorf("event's error %+v", e)
	}
	if err := srv.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-srv.Exited():
		t.Error("Exited is closed after Restart")
	default:
	}
}

func TestMariaDBOptionErrors(t *testing.T) {
	wantMariaDB(t)
	for _, tt := range []struct{ option, value, want string }{
		{"inodb_buffer_pool_size", "1M", "unknown variable 'inodb-buffer-pool-size=1M'"},
		{"datadir", "/elsewhere", `the option "datadir" is rig's own`},
		{"user", "mysql", `the option "user" is rig's own`},
	} {
		s := fill(t, Spec{Kind: MariaDB, Options: map[string]string{tt.option: tt.value}})
		_, err := Start(t.Context(), s, nil)
		var e *StartError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), tt.want) || e.Hint == "" {
			t.Errorf("%s: %v", tt.option, err)
		}
		if left, _ := os.ReadDir(s.TempDir); len(left) != 0 {
			t.Errorf("left behind: %v", left)
		}
	}
}

func TestMySQLIsNotMariaDB(t *testing.T) {
	wantMariaDB(t)
	binary, err := findBinary(Spec{Kind: MariaDB}, mariadbKind{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Start(t.Context(), fill(t, Spec{Kind: MySQL, Binary: binary}), nil)
	var e *StartError
	if !errors.As(err, &e) || !strings.Contains(e.Msg, "is MariaDB 1") || e.Hint != "use --target mariadb" {
		t.Errorf("got %v", err)
	}
}

func TestTogetherFromAnEmptyCache(t *testing.T) {
	wantMariaDB(t)
	cache := filepath.Join(t.TempDir(), "deep", "cache")
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			srv, err := Start(t.Context(), fill(t, Spec{Kind: MariaDB, CacheDir: cache, TempDir: os.TempDir()}), nil)
			if err != nil {
				t.Error(err)
				return
			}
			if err := srv.Stop(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var made []string
	entries, err := os.ReadDir(cache)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() {
			made = append(made, e.Name())
		}
	}
	if len(made) != 1 || !strings.HasPrefix(made[0], "mariadb-") || strings.HasSuffix(made[0], ".half") {
		t.Errorf("templates %v", made)
	}
}

func TestCancelledStart(t *testing.T) {
	wantMariaDB(t)
	ctx, cancel := context.WithCancel(t.Context())
	s := fill(t, Spec{Kind: MariaDB, CacheDir: t.TempDir()})
	timer := time.AfterFunc(50*time.Millisecond, cancel) // while the template is made, or the server starts
	defer timer.Stop()
	if _, err := Start(ctx, s, nil); !fault.IsKind(err, fault.Cancelled) {
		t.Errorf("got %v", err)
	}
	if left, _ := os.ReadDir(s.TempDir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func BenchmarkMariaDBSecondStart(b *testing.B) {
	wantMariaDB(b)
	s := fill(b, Spec{Kind: MariaDB})
	cycle := func(started func()) {
		srv, err := Start(b.Context(), s, nil)
		if err != nil {
			b.Fatal(err)
		}
		started()
		if err := srv.Stop(); err != nil {
			b.Fatal(err)
		}
	}
	cycle(func() {}) // makes the template
	for b.Loop() {
		cycle(b.StopTimer)
		b.StartTimer()
	}
}
