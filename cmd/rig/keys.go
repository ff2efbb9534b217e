package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// keysOf gives the keys that are pressed on a terminal, without Enter, and gives back the terminal as it was. Ctrl-C stays a
// signal. Without a terminal no key comes.
func keysOf(in any) (keys <-chan byte, restore func()) {
	fd, tty := terminal(in)
	if !tty {
		return nil, func() {}
	}
	old, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil, func() {}
	}
	raw := *old
	raw.Lflag &^= unix.ICANON | unix.ECHO
	raw.Cc[unix.VMIN], raw.Cc[unix.VTIME] = 1, 0
	if unix.IoctlSetTermios(fd, unix.TCSETS, &raw) != nil {
		return nil, func() {}
	}
	out := make(chan byte)
	go func() { // waits for a key that nobody may press any more
		b := make([]byte, 1)
		for {
			if n, err := in.(*os.File).Read(b); err != nil || n == 0 {
				return
			}
			out <- b[0]
		}
	}()
	return out, func() { _ = unix.IoctlSetTermios(fd, unix.TCSETS, old) } // a terminal that is gone needs none
}
