package prompt

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"golang.org/x/term"
)

// Lines reads plain lines; the prompt is shown only where echo is set, which is a terminal that cannot edit.
type Lines struct {
	r    *bufio.Reader
	echo io.Writer
}

// NewLines reads from r. echo takes the prompt; nil shows none.
func NewLines(r io.Reader, echo io.Writer) *Lines { return &Lines{bufio.NewReader(r), echo} }

// ReadLine gives the next line.
func (l *Lines) ReadLine(prompt string) (string, error) {
	if l.echo != nil {
		fmt.Fprint(l.echo, prompt)
	}
	s, err := l.r.ReadString('\n')
	if err != nil && s != "" && err == io.EOF {
		err = nil // the last line has no end
	}
	return strings.TrimRight(s, "\r\n"), err
}

// Terminal edits lines and keeps their history. It is raw only while it reads, so that Ctrl-C is a signal while threads run; what is
// written through it meanwhile goes above the line that is edited.
type Terminal struct {
	in  *os.File
	out io.Writer
	t   *term.Terminal

	mu  sync.Mutex
	old *term.State // guarded by mu: of the terminal while it is raw, else nil
}

// NewTerminal makes a terminal of the process's files.
func NewTerminal(in *os.File, out io.Writer) *Terminal {
	x := &Terminal{in: in, out: out}
	x.t = term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{&keys{in: in, t: x}, out}, "")
	return x
}

// keys are those of the person. Ctrl-C takes the line back and says how to leave.
type keys struct {
	in io.Reader
	t  *Terminal
}

const ctrlC, ctrlU = 3, 21

func (k *keys) Read(p []byte) (int, error) {
	n, err := k.in.Read(p[:min(len(p), 256)])
	for i, c := range p[:n] {
		if c == ctrlC {
			p[i] = ctrlU
			_, _ = k.t.t.Write([]byte("(quit ends the run)\n"))
		}
	}
	return n, err
}

// ReadLine edits a line.
func (x *Terminal) ReadLine(prompt string) (string, error) {
	fd := int(x.in.Fd())
	if w, h, err := term.GetSize(fd); err == nil {
		_ = x.t.SetSize(w, h)
	}
	old, err := term.MakeRaw(fd)
	if err != nil {
		return "", err
	}
	x.set(old)
	defer x.Restore()
	x.t.SetPrompt(prompt)
	line, err := x.t.ReadLine()
	if err == term.ErrPasteIndicator {
		err = nil
	}
	return line, err
}

func (x *Terminal) set(old *term.State) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.old = old
}

// Restore makes the terminal what it was before a line was read; it is for the end of the process, too.
func (x *Terminal) Restore() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.old != nil {
		_ = term.Restore(int(x.in.Fd()), x.old)
		x.old = nil
	}
}

// Write shows text above the line that is edited.
func (x *Terminal) Write(p []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.old != nil {
		return x.t.Write(p)
	}
	return x.out.Write(p)
}

// Width of the terminal.
func (x *Terminal) Width() int {
	w, _, err := term.GetSize(int(x.in.Fd()))
	if err != nil {
		return 0
	}
	return w
}
