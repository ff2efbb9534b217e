package server

import (
	"bytes"
	"os"
	"slices"
	"strings"
)

// lastBytes is how much of the end of a log is looked at.
const lastBytes = 64 << 10

// lastLines is how many of its lines an error shows.
const lastLines = 6

func (p *process) logPath() string { return p.path("server.log") }

// log is the end of what the server wrote to stdout and stderr.
func (p *process) log() string {
	b, err := os.ReadFile(p.logPath())
	if err != nil {
		return ""
	}
	b = b[max(0, len(b)-lastBytes):]
	return strings.TrimSpace(string(bytes.ToValidUTF8(b, []byte("?"))))
}

// lastWords are the server's own errors, or the end of its log when it names none.
func (p *process) lastWords() string { return telling(p.log()) }

func telling(log string) string {
	lines := strings.Split(log, "\n")
	errors := slices.DeleteFunc(slices.Clone(lines), func(l string) bool {
		return !slices.ContainsFunc([]string{"[error]", "fatal", "panic", "error:"}, func(word string) bool {
			return strings.Contains(strings.ToLower(l), word)
		})
	})
	if len(errors) > 0 {
		lines = errors
	}
	return strings.Join(lines[max(0, len(lines)-lastLines):], "\n")
}
