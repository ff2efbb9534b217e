package server

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// folder holds all that a server has on disk. Its lock is an flock that ends with this process, however it ends, so that a
// later run can tell folders that nobody owns any more.
type folder struct {
	path string
	lock *os.File
}

const (
	folderPrefix = "rig-server-"
	lockName     = "lock"
	// maxSocket is the longest path of a unix socket in bytes, without the final zero.
	maxSocket = 107
	// socketRoom is what the longest name of a socket in a folder takes.
	socketRoom = len("/mysqld.sock")
	// shortParent is used when the folder asked for makes paths too long for a socket.
	shortParent = "/tmp"
	// settled is the age from which a folder without a lock belongs to nobody: its maker died before it had locked it.
	settled = time.Minute
	// young is the age until which it may be that of a maker whom we cannot see, in another container.
	young = 2 * time.Second
)

// makeFolder makes a folder for one server, for our user alone. "" is the system's temporary folder.
func makeFolder(parent string) (*folder, error) {
	if parent == "" {
		parent = os.TempDir()
	}
	path, err := os.MkdirTemp(parent, fmt.Sprintf("%s%d-", folderPrefix, os.Getpid()))
	if err != nil {
		return nil, fmt.Errorf("make the server's folder: %w", err)
	}
	if len(path)+socketRoom > maxSocket {
		long := path
		_ = os.Remove(long) // it is empty
		if path, err = os.MkdirTemp(shortParent, fmt.Sprintf("%s%d-", folderPrefix, os.Getpid())); err != nil {
			return nil, fmt.Errorf("make the server's folder: %s is too long for a unix socket (%d bytes), and %w", long, maxSocket, err)
		}
	}
	lock, err := lockNew(path)
	if err != nil {
		os.RemoveAll(path)
		return nil, fmt.Errorf("lock the server's folder: %w", err)
	}
	return &folder{path: path, lock: lock}, nil
}

// lockNew gives a folder its lock. The file gets its name when it is locked already: a sweep never sees it free.
func lockNew(dir string) (*os.File, error) {
	f, err := lockFile(filepath.Join(dir, lockName+".new"), false)
	if err != nil {
		return nil, err
	}
	if err := os.Rename(f.Name(), filepath.Join(dir, lockName)); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// remove takes the folder away, then its lock.
func (f *folder) remove() error {
	return errors.Join(os.RemoveAll(f.path), f.lock.Close())
}

// lockFile takes an flock that ends with this process; with wait it blocks until it can.
func lockFile(path string, wait bool) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	how := unix.LOCK_EX
	if !wait {
		how |= unix.LOCK_NB
	}
	for {
		err = unix.Flock(int(f.Fd()), how)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("flock %s: %w", path, err)
	}
	return f, nil
}

// sweep removes the folders of servers whose rig has died. What cannot be removed is somebody else's, or the next sweep's.
func sweep(parent string) {
	if parent == "" {
		parent = os.TempDir()
	}
	sweepIn(parent)
	if filepath.Clean(parent) != shortParent {
		sweepIn(shortParent)
	}
}

func sweepIn(parent string) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, e := range entries {
		if e.IsDir() && strings.HasPrefix(e.Name(), folderPrefix) {
			sweepOne(filepath.Join(parent, e.Name()))
		}
	}
}

// makerDied reports whether the process that a folder is named after is gone.
func makerDied(dir string) bool {
	pid, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), folderPrefix), "-")
	n, err := strconv.Atoi(pid)
	return err == nil && errors.Is(unix.Kill(n, 0), unix.ESRCH)
}

func sweepOne(dir string) {
	info, err := os.Lstat(dir)
	if err != nil {
		return
	}
	path := filepath.Join(dir, lockName)
	if _, err := os.Lstat(path); err != nil {
		age := time.Since(info.ModTime())
		if age > settled || age > young && makerDied(dir) {
			os.RemoveAll(dir)
		}
		return
	}
	f, err := lockFile(path, false)
	if err != nil {
		return
	}
	os.RemoveAll(dir)
	f.Close()
}
