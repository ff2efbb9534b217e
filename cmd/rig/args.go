package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

func commandOf(model *kong.Application, args []string) *kong.Node {
	for _, a := range args {
		if strings.HasPrefix(a, "-") {
			continue
		}
		for _, n := range model.Children {
			if n.Name == a {
				return n
			}
		}
		return nil
	}
	return nil
}

// scanned is what a first look at the arguments finds.
type scanned struct {
	command int   // index of the command's name
	unknown []int // indexes of flags that the grammar does not know
	paths   []string
	help    bool
}

func scanArgs(node *kong.Node, args []string) scanned {
	known := map[string]*kong.Flag{}
	for n := node; n != nil; n = n.Parent {
		for _, f := range n.Flags {
			known["--"+f.Name] = f
			if f.Short != 0 {
				known["-"+string(f.Short)] = f
			}
		}
	}
	s := scanned{command: slices.Index(args, node.Name)}
	for i := s.command + 1; i < len(args); i++ {
		a := args[i]
		switch {
		case a == "--":
			s.paths = append(s.paths, args[i+1:]...)
			return s
		case a == "--help" || a == "-h":
			s.help = true
		case !strings.HasPrefix(a, "-") || a == "-":
			s.paths = append(s.paths, a)
		default:
			name, _, has := strings.Cut(a, "=")
			f := known[name]
			if f == nil && !strings.HasPrefix(a, "--") && len(a) > 2 {
				f, has = known[a[:2]], true // -j4
			}
			if f == nil {
				s.unknown = append(s.unknown, i)
			} else if !has && !f.IsBool() && !f.IsCounter() {
				i++
			}
		}
	}
	// The value of an unknown flag looks like a path: one that does not exist is none.
	s.paths = slices.DeleteFunc(s.paths, func(p string) bool {
		if strings.ContainsAny(p, "*?[{") {
			return false
		}
		file, _, _ := strings.Cut(p, "::")
		_, err := os.Stat(file)
		return err != nil && len(s.unknown) > 0
	})
	return s
}

func splitFlag(a string) (name, value string, has bool) {
	name, value, has = strings.Cut(strings.TrimLeft(a, "-"), "=")
	return name, value, has
}

// suggestFlag adds the parameters of the files to what an unknown flag may have been meant to be.
func suggestFlag(model *kong.Application, args []string, p *paramFlags, err error) error {
	rest, ok := strings.CutPrefix(err.Error(), "unknown flag ")
	if !ok {
		return err
	}
	name, _, _ := strings.Cut(rest, ",")
	var names []string
	if node := commandOf(model, args); node != nil {
		for n := node; n != nil; n = n.Parent {
			for _, f := range n.Flags {
				names = append(names, "--"+f.Name)
			}
		}
	}
	for _, d := range p.declared {
		names = append(names, "--"+flagName(d.Name))
	}
	return fmt.Errorf("unknown flag %s%s", name, didYouMean(name, names))
}

// flagNames are the flags of exec, which parameters must not take.
func flagNames() map[string]bool {
	var c cli
	k, err := kong.New(&c, kong.Exit(func(int) {}))
	if err != nil {
		panic(err) // the grammar is wrong
	}
	names := map[string]bool{"help": true}
	for _, n := range k.Model.Children {
		if n.Name != "exec" {
			continue
		}
		for _, f := range n.Flags {
			names[f.Name] = true
		}
	}
	return names
}
