package main

import (
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// keyboard gives the keys that are pressed on a terminal, without Enter. Ctrl-C stays a signal. The nil keyboard, which is that
// of a run without a terminal, gives none.
type keyboard struct {
	fd   int
	old  unix.Termios
	keys chan byte
	stop chan struct{}
	ends sync.Once

	mu sync.Mutex // held while a key is read, and by who reads the terminal in another way
}

// pollEvery bounds how long restore and yielding wait for the reader, in milliseconds.
const pollEvery = 100

// openKeyboard takes the terminal until restore; nil where in is none.
func openKeyboard(in any) *keyboard {
	fd, tty := terminal(in)
	if !tty {
		return nil
	}
	old, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil
	}
	raw := *old
	raw.Lflag &^= unix.ICANON | unix.ECHO
	raw.Cc[unix.VMIN], raw.Cc[unix.VTIME] = 1, 0
	if unix.IoctlSetTermios(fd, unix.TCSETS, &raw) != nil {
		return nil
	}
	k := &keyboard{fd: fd, old: *old, keys: make(chan byte), stop: make(chan struct{})}
	go k.read(in.(*os.File)) // restore stops it
	return k
}

func (k *keyboard) read(in *os.File) {
	defer close(k.keys)
	for {
		b, ok := k.next(in)
		if !ok {
			return
		}
		if b == 0 {
			continue
		}
		select {
		case k.keys <- b:
		case <-k.stop:
			return
		}
	}
}

// next reads a key, 0 where none was pressed for a moment; ok is false when there will be none any more.
func (k *keyboard) next(in *os.File) (key byte, ok bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	select {
	case <-k.stop:
		return 0, false
	default:
	}
	fds := []unix.PollFd{{Fd: int32(k.fd), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, pollEvery)
	if err == unix.EINTR || err == nil && n == 0 {
		return 0, true
	}
	b := make([]byte, 1)
	if err != nil {
		return 0, false
	}
	if n, err := in.Read(b); err != nil || n == 0 {
		return 0, false
	}
	return b[0], true
}

// pressed is closed when no key will come any more; nil for a nil keyboard.
func (k *keyboard) pressed() <-chan byte {
	if k == nil {
		return nil
	}
	return k.keys
}

// restore gives the terminal back as it was; doing it again changes nothing.
func (k *keyboard) restore() {
	if k == nil {
		return
	}
	k.ends.Do(func() {
		close(k.stop)
		_ = unix.IoctlSetTermios(k.fd, unix.TCSETS, &k.old) // a terminal that is gone needs none
	})
}

// yielding makes a question for a password keep the keys that answer it.
func (k *keyboard) yielding(ask func(user, host string) (string, bool)) func(user, host string) (string, bool) {
	if k == nil || ask == nil {
		return ask
	}
	return func(user, host string) (string, bool) {
		k.mu.Lock()
		defer k.mu.Unlock()
		return ask(user, host)
	}
}

// pasteGap is how long the keys of a paste may stay away, in milliseconds: no hand follows Enter that soon.
const pasteGap = 30

// arrived tells whether keys have come that nobody has read.
func arrived(in *os.File) func() bool {
	return func() bool {
		fds := []unix.PollFd{{Fd: int32(in.Fd()), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, pasteGap)
		return err == nil && n > 0
	}
}
