package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// badValue is the grammar's word for a flag without its value, or with one that looks like a flag.
var badValue = regexp.MustCompile(`^(--[\w-]+): expected (\w+) value but got "([^"]*)"`)

// misstep says in the user's words what the grammar says in its own: a command of another tool, a flag without its value.
func misstep(args []string, err error) error {
	text := err.Error()
	if m := badValue.FindStringSubmatch(text); m != nil {
		if m[3] == "EOL" {
			return fmt.Errorf("%s wants a value", m[1])
		}
		return fmt.Errorf("%s wants a value, and %s looks like a flag; a value that begins with - is written %s=%s", m[1], m[3], m[1], m[3])
	}
	word, unexpected := strings.CutPrefix(text, "unexpected argument ")
	if !unexpected || len(args) == 0 || !strings.HasPrefix(word, args[0]) {
		return err
	}
	rest := args
	if args[0] == "run" || args[0] == "test" {
		rest = args[1:]
	}
	for _, a := range rest {
		file, _, _ := strings.Cut(a, "::")
		if strings.HasSuffix(file, ".star") {
			return errors.New("there is no command " + args[0] + ": rig exec " + a + " runs scenarios")
		}
	}
	if len(rest) < len(args) {
		return errors.New("there is no command " + args[0] + ": rig exec FILE runs scenarios")
	}
	return err
}
