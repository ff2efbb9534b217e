package repl

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"rig/runtime/fault"
	"rig/runtime/prompt"
)

// own are the commands that need nothing but the conversation.
func (l *Loop) own() []Command {
	return []Command{
		{"sessions", "", "what each session does, since when, its transaction, and whom it waits for", l.cmdSessions},
		{"use", "NAME", "run SQL on another session", l.cmdUse},
		{"save", "FILE", "write the inputs as a scenario that runs", l.cmdSave},
		{"time", "[on|off]", "show how long each input takes; again: no more", func(_ context.Context, arg string) (string, error) {
			on, err := Switch(arg, l.timing)
			if err != nil {
				return "", err
			}
			l.timing = on
			return "times are " + onOff(l.timing), nil
		}},
		{"help", "", "list the commands; help(x) explains a built-in", l.cmdHelp},
		{"quit", "", "leave, as Ctrl-D does; cleanups run", func(context.Context, string) (string, error) { l.quit = true; return "", nil }},
	}
}

// Switch is what the argument of a command makes of what was on or off: without one it changes.
func Switch(arg string, now bool) (on bool, err error) {
	switch arg {
	case "":
		return !now, nil
	case "on", "off":
		return arg == "on", nil
	}
	return now, fmt.Errorf("on or off, not %q", arg)
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// Names lists the commands with what they do.
func (l *Loop) Names() []Command {
	all := append(slices.Clone(l.o.Commands), l.own()...)
	slices.SortFunc(all, func(a, b Command) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func (l *Loop) command(ctx context.Context, text string) error {
	word, args, _ := strings.Cut(strings.TrimSpace(text), " ")
	if word == "q" || word == "exit" {
		word = "quit"
	}
	var names []string
	for _, c := range l.Names() {
		if c.Name == word && c.Args == "" && strings.TrimSpace(args) != "" {
			return fmt.Errorf(":%s takes no argument, got %q", word, strings.TrimSpace(args))
		}
		if c.Name == word {
			out, err := c.Run(ctx, strings.TrimSpace(args))
			if out != "" {
				l.say("%s", out)
			}
			return err
		}
		names = append(names, c.Name)
	}
	if near := fault.Suggest(word, names); near != "" {
		return fmt.Errorf("there is no command :%s; did you mean :%s?", word, near)
	}
	return fmt.Errorf("there is no command :%s; :help lists them", word)
}

func (l *Loop) cmdHelp(context.Context, string) (string, error) {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
	for _, c := range l.Names() {
		fmt.Fprintf(w, "  :%s\t%s\n", strings.TrimSpace(c.Name+" "+c.Args), c.Doc)
	}
	if err := w.Flush(); err != nil {
		return "", err
	}
	return b.String() + "A line that begins with a SQL verb or ends with ; runs on the session of the prompt; \\G prints a line for each column.\n" +
		"Anything else is a script: db and t are there, _ is the last value.", nil
}

func (l *Loop) cmdSessions(context.Context, string) (string, error) {
	list := l.o.Sessions()
	if len(list) == 0 {
		return "", errors.New("there is no session; db opens with the first statement")
	}
	return prompt.SessionTable(list, l.current), nil
}

func (l *Loop) cmdUse(_ context.Context, name string) (string, error) {
	var names []string
	list, same := l.o.Sessions(), 0
	for _, s := range list {
		names = append(names, s.Name)
		if s.Name == name {
			same++
		}
	}
	if at := prompt.Chosen(list, name); at >= 0 {
		l.current = name
		if same > 1 {
			return fmt.Sprintf("%d sessions have the name %s: SQL runs on #%s", same, name, list[at].Server), nil
		}
		return "", nil
	}
	if name == "" {
		return "", fmt.Errorf("use which session? There are %s", strings.Join(names, ", "))
	}
	if near := fault.Suggest(name, names); near != "" {
		return "", fmt.Errorf("there is no session %q; did you mean %q?", name, near)
	}
	return "", fmt.Errorf("there is no session %q; there are %s, and %s = t.connect(%q) opens one", name, strings.Join(names, ", "), "s", name)
}
