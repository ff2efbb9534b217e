package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// completionCmd prints what teaches a shell to complete rig's words. The shell's part only asks: what may follow is found
// by complete-words, so that it knows the targets of rig.toml and the parameters of the scripts on the line.
type completionCmd struct {
	Shell string `arg:"" help:"bash, zsh or fish."`
}

func shells() []string { return []string{"bash", "zsh", "fish"} }

// Run prints the script.
func (c *completionCmd) Run(s streams) error {
	switch c.Shell {
	case "bash", "zsh", "fish":
		fmt.Fprint(s.out, starter("completion."+c.Shell))
		return nil
	}
	return usage("there is no completion for %q: %s%s", c.Shell, strings.Join(shells(), ", "), didYouMean(c.Shell, shells()))
}

// wordsCmd answers a shell: one candidate a line, a tab before its help. The last word is the one that is being typed.
type wordsCmd struct {
	Words []string `arg:"" optional:"" passthrough:""`
}

// Run never fails: a shell has no use for errors.
func (c *wordsCmd) Run(s streams, model *kong.Application) error {
	words := c.Words
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	for _, x := range complete(model, words) {
		fmt.Fprintf(s.out, "%s\t%s\n", x.text, x.help)
	}
	return nil
}

// candidate is one way to go on.
type candidate struct{ text, help string }

// line is what stands on the command line before the word that is being typed.
type line struct {
	node    *kong.Node
	args    []string   // positional, of node
	pending *kong.Flag // the last word is a flag that wants a value
	prefix  string     // "--target=" where the value is typed behind it
	current string
	files   []string // words that may be paths of scripts
}

func complete(model *kong.Application, words []string) []candidate {
	l := parseLine(model, words)
	var all []candidate
	switch {
	case l.pending != nil:
		all = l.flagValues(l.pending)
	case strings.HasPrefix(l.current, "-"):
		all = l.flags()
	default:
		all = l.positional()
	}
	var out []candidate
	for _, c := range all {
		if strings.HasPrefix(c.text, l.current) {
			c.text = l.prefix + c.text
			out = append(out, c)
		}
	}
	return out
}

// joinEquals undoes that bash takes --target=x for three words. bare tells that the last word's value stands alone there.
func joinEquals(words []string) (joined []string, bare bool) {
	for i := 0; i < len(words); i++ {
		w := words[i]
		if w == "=" && len(joined) > 0 && strings.HasPrefix(joined[len(joined)-1], "--") {
			joined[len(joined)-1] += "="
			if bare = i >= len(words)-2; i+1 < len(words) {
				i++
				joined[len(joined)-1] += words[i]
			}
			continue
		}
		joined = append(joined, w)
	}
	return joined, bare
}

func parseLine(model *kong.Application, words []string) line {
	words, bare := joinEquals(words)
	l := line{node: model.Node}
	if len(words) == 0 {
		return l
	}
	last := len(words) - 1
	for _, w := range words[:last] {
		l.take(w)
	}
	l.current = words[last]
	if l.pending != nil {
		return l
	}
	if name, value, has := strings.Cut(l.current, "="); has && strings.HasPrefix(name, "--") {
		if f := l.flag(name); f != nil {
			l.pending, l.current, l.prefix = f, value, name+"="
		}
		if bare {
			l.prefix = ""
		}
	}
	return l
}

// take reads a whole word.
func (l *line) take(w string) {
	if l.pending != nil {
		l.pending = nil
		return
	}
	if strings.HasPrefix(w, "-") && w != "-" {
		if f := l.flag(w); f != nil && !f.IsBool() && !f.IsCounter() {
			l.pending = f
		}
		return
	}
	for _, n := range l.node.Children {
		if n.Name == w && len(l.args) == 0 {
			l.node = n
			return
		}
	}
	if d := l.node.DefaultCmd; d != nil {
		l.node = d
	}
	l.args, l.files = append(l.args, w), append(l.files, w)
}

// known are the flags that may stand here.
func (l *line) known() []*kong.Flag {
	var out []*kong.Flag
	for n := l.node; n != nil; n = n.Parent {
		out = append(out, n.Flags...)
	}
	if d := l.node.DefaultCmd; d != nil {
		out = append(out, d.Flags...)
	}
	return out
}

func (l *line) flag(w string) *kong.Flag {
	for _, f := range l.known() {
		if w == "--"+f.Name || f.Short != 0 && w == "-"+string(f.Short) {
			return f
		}
	}
	return nil
}

// flags are rig's and those of the scripts on the line.
func (l *line) flags() []candidate {
	var out []candidate
	for _, f := range l.known() {
		if !f.Hidden {
			out = append(out, candidate{"--" + f.Name, f.Help})
		}
	}
	if !slices.Contains([]string{"exec", "graph", "debug"}, l.node.Name) {
		return out
	}
	p := &paramFlags{}
	p.learn(append([]string(nil), l.files...))
	for _, d := range p.declared {
		out = append(out, candidate{"--" + flagName(d.Name), d.Help})
	}
	return out
}
