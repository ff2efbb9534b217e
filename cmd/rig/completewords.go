package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"rig/runtime/config"
	"rig/runtime/elle"
	"rig/runtime/importer"
	"rig/runtime/report"
	"rig/runtime/scenario"
	"rig/runtime/server"
)

// texts makes candidates without a help.
func texts(words ...string) []candidate {
	var out []candidate
	for _, w := range words {
		out = append(out, candidate{text: w})
	}
	return out
}

// settings are those of the folder; nil where they are broken.
func settingsHere() *config.Config {
	dir, err := os.Getwd()
	if err != nil {
		return nil
	}
	cfg, err := config.Load(config.Source{Dir: dir})
	if err != nil {
		return nil
	}
	return cfg
}

// flagValues are the values that a flag may have.
func (l *line) flagValues(f *kong.Flag) []candidate {
	switch f.Name {
	case "target":
		out := texts(server.Kinds()...)
		if cfg := settingsHere(); cfg != nil {
			for _, name := range cfg.TargetNames() {
				out = append(out, candidate{name, "from the configuration"})
			}
		}
		return out
	case "profile":
		if cfg := settingsHere(); cfg != nil {
			return texts(cfg.ProfileNames()...)
		}
		return nil
	case "config":
		return paths(l.current, ".toml", ".json")
	case "runs-dir":
		return paths(l.current)
	case "report":
		return reportValues(l.current)
	case "run":
		return l.tests()
	case "level":
		return texts(elle.Levels()...)
	case "out":
		return paths(l.current, ".md")
	}
	for _, k := range config.Keys() {
		if k.Name == f.Name && len(k.Choices) > 0 {
			return texts(k.Choices...)
		}
	}
	if f.Enum != "" {
		return texts(strings.Split(f.Enum, ",")...)
	}
	return nil
}

func reportValues(current string) []candidate {
	if format, path, has := strings.Cut(current, "="); has {
		var out []candidate
		for _, c := range paths(path, ".xml", ".tap", ".jsonl", ".json", ".txt") {
			out = append(out, candidate{text: format + "=" + c.text})
		}
		return out
	}
	return texts(formatNames()...)
}

func formatNames() []string {
	var names []string
	for _, f := range report.Formats() {
		names = append(names, f.Name)
	}
	return names
}

// tests are the ids in the scripts on the line.
func (l *line) tests() []candidate {
	files, err := expand(l.files)
	if err != nil || len(files) == 0 {
		return nil
	}
	reg := scenario.NewRegistry()
	host := newHost(hostOptions{registry: reg, params: newParamSet(nil, nil)})
	var out []candidate
	for _, it := range scenario.Discover(context.Background(), host, reg, nil, files).Items {
		out = append(out, candidate{it.Name, firstLine(it.Doc)})
	}
	return out
}

func firstLine(s string) string {
	first, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return first
}

// command is the command's name, "config init" of a command below one.
func (l *line) command() string {
	name := ""
	for n := l.node; n.Parent != nil; n = n.Parent {
		name = strings.TrimSpace(n.Name + " " + name)
	}
	return name
}

// positional are subcommands, or what the next argument may be.
func (l *line) positional() []candidate {
	var out []candidate
	if len(l.args) == 0 {
		for _, n := range l.node.Children {
			if !n.Hidden {
				out = append(out, candidate{n.Name, n.Help})
			}
		}
	}
	switch l.command() {
	case "exec", "graph", "debug", "dap":
		return append(out, paths(l.current, ".star")...)
	case "report", "clean":
		return append(out, paths(l.current, ".jsonl")...)
	case "init":
		return append(out, paths(l.current)...)
	}
	if len(l.args) > 0 {
		return l.second(out)
	}
	switch l.command() {
	case "new":
		return append(out, texts(kindsOfNew()...)...)
	case "import":
		for _, k := range importer.Kinds() {
			out = append(out, candidate{text: k.Name, help: k.Reads})
		}
		return out
	case "completion":
		return append(out, texts(shells()...)...)
	case "help":
		return append(out, texts("capabilities", "errors", "exit-codes", "guards", "logs")...)
	case "doc":
		return append(out, texts(docNames()...)...)
	}
	return out
}

// second is what the second argument may be.
func (l *line) second(out []candidate) []candidate {
	switch {
	case l.command() == "import" && len(l.args) == 1:
		return append(out, paths(l.current, ".spec", ".test", ".md", ".txt", ".log", ".sql")...)
	case l.command() == "new" && len(l.args) == 1:
		return append(out, paths(l.current)...)
	case l.command() == "doc" && len(l.args) == 1 && l.args[0] == "errors":
		return append(out, texts(errorWords()...)...)
	}
	return out
}

// docNames are what rig doc shows.
func docNames() []string {
	var names []string
	var found bool
	for _, m := range modules() {
		names = append(names, writeMatching(io.Discard, m, "", &found)...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// paths are the folders and the files with one of the endings that begin as the word does. Hidden ones show once their dot is typed.
func paths(word string, endings ...string) []candidate {
	dir, base := filepath.Split(word)
	read := dir
	if read == "" {
		read = "."
	}
	entries, err := os.ReadDir(read)
	if err != nil {
		return nil
	}
	var out []candidate
	for _, e := range entries {
		name := e.Name()
		if !strings.HasPrefix(name, base) || strings.HasPrefix(name, ".") && !strings.HasPrefix(base, ".") {
			continue
		}
		info, err := os.Stat(filepath.Join(read, name))
		switch {
		case err != nil:
		case info.IsDir():
			out = append(out, candidate{text: dir + name + "/"})
		case slices.Contains(endings, filepath.Ext(name)):
			out = append(out, candidate{text: dir + name})
		}
	}
	return out
}
