package server

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// playOrphan starts a server, says where it is, and waits to be killed.
func playOrphan() int {
	os.Unsetenv(roleVariable)
	s := Spec{Kind: MariaDB, TempDir: os.Getenv("RIG_ORPHAN_TEMP"), CacheDir: os.Getenv("RIG_ORPHAN_CACHE")}
	srv, err := Start(context.Background(), s, nil)
	if err != nil {
		fmt.Println("failed", err)
		return 1
	}
	p := srv.back.(*process)
	cmd, _ := p.now()
	fmt.Println(cmd.Process.Pid, p.folder.path)
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test ends, should it not kill us
	return 0
}

func TestServerDiesWithRig(t *testing.T) {
	wantMariaDB(t)
	temp := t.TempDir()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	rig := exec.Command(exe)
	rig.Env = append(os.Environ(), roleVariable+"=orphan", "RIG_ORPHAN_TEMP="+temp, "RIG_ORPHAN_CACHE="+templates)
	stdin, err := rig.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := rig.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := rig.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil || strings.HasPrefix(line, "failed") {
		t.Fatalf("the helper said %q, %v", line, err)
	}
	var pid int
	var folder string
	if _, err := fmt.Sscan(line, &pid, &folder); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	if !alive(pid) {
		t.Fatal("the server does not run")
	}
	sweep(temp)
	if _, err := os.Stat(folder); err != nil {
		t.Fatalf("a sweep took the folder of a server that lives: %v", err)
	}
	if err := rig.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = rig.Wait() // it was killed
	eventually(t, "the server's end", func() bool { return !alive(pid) })
	if _, err := os.Stat(folder); err != nil {
		t.Fatalf("the folder is gone before the sweep: %v", err)
	}
	begin(t, Spec{Kind: Embedded, TempDir: temp}) // every start sweeps
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Errorf("the folder is there after the next start: %v", err)
	}
}
