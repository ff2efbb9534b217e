package machine_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"rig/runtime/event"
	"rig/runtime/machine"
)

func TestDefinitions(t *testing.T) {
	dynamic := machine.State{Name: "any", Dynamic: true, Handler: machine.Handler{Execute: to("completed")}}
	for _, c := range []struct {
		name     string
		d        machine.Definition
		problems []string // "message | hint", of errors or else of warnings
		warns    bool
	}{
		{"unknown state, near a known one", machine.Definition{States: []machine.State{state("load", "verfy"), state("verify", "completed")}}, []string{
			`state "load" names "verfy", which is no state of this machine | did you mean "verify"?`,
		}, false},
		{"unknown state, like none", machine.Definition{States: []machine.State{state("load", "qqqqqq")}}, []string{
			`state "load" names "qqqqqq", which is no state of this machine | the states are load, completed, failed`,
		}, false},
		{"a common state that has no handler", machine.Definition{States: []machine.State{state("load", "connecting")}}, []string{
			`state "load" names "connecting", which is no state of this machine | the states are load, completed, failed`,
		}, false},
		{"unknown start and after_common", machine.Definition{Start: "lod", AfterCommon: "complete", States: []machine.State{state("load", "completed")}}, []string{
			`the machine starts with "lod", which is no state of this machine | did you mean "load"?`,
			`after the common states comes "complete", which is no state of this machine | did you mean "completed"?`,
		}, false},
		{"defined twice", machine.Definition{States: []machine.State{
			{Name: "load", Pos: event.Pos{File: "x.star", Line: 3}, To: []string{"completed"}}, state("load", "completed"),
		}}, []string{`state "load" is defined twice, first at x.star:3 | `}, false},
		{"no name", machine.Definition{States: []machine.State{state("", "completed")}}, []string{"a state has no name | "}, false},
		{"not common", machine.Definition{Common: map[string]machine.Handler{"conecting": {}}}, []string{`"conecting" is no common state | did you mean "connecting"?`}, false},
		{"dead end", machine.Definition{States: []machine.State{state("load", "stop"), {Name: "stop"}}}, []string{
			`state "stop" is a dead end: it names no next state | return the name of the next state from its execute, "completed" at the end`,
		}, false},
		{"unreachable", machine.Definition{States: []machine.State{state("load", "completed"), state("lost", "completed")}}, []string{
			`state "lost" is never reached | name it in another state's execute, or remove it`,
		}, false},
		{"replaced common state that start leaves out", machine.Definition{Common: common(), Start: "load", States: []machine.State{state("load", "completed"), state("connecting", "load")}}, []string{
			`state "connecting" is never reached | name it in another state's execute, or remove it`,
		}, false},
		{"unreachable beside computed names", machine.Definition{States: []machine.State{dynamic, state("lost", "completed")}}, []string{
			`state "lost" is never reached | name it in another state's execute, or remove it`,
		}, true},
		{"no way to completed, with a computed name that nobody reaches", machine.Definition{States: []machine.State{state("a", "failed"), dynamic}}, []string{
			`no path leads from "a" to "completed" | `,
		}, false},
		{"no way to completed", machine.Definition{States: []machine.State{state("a", "failed")}}, []string{`no path leads from "a" to "completed" | `}, false},
		{"going round", machine.Definition{States: []machine.State{
			{Name: "a", To: []string{"b", "completed"}}, state("b", "c"), state("c", "b"),
		}}, []string{`no path leads from "b" to "completed" or "failed" | `, `no path leads from "c" to "completed" or "failed" | `}, false},
		{"a terminal state names a next one", machine.Definition{States: []machine.State{state("a", "completed"), state("failed", "a")}}, []string{
			`state "failed" ends the machine; the next state that it names (a) is ignored | `,
		}, true},
		{"terminal states are not dynamic", machine.Definition{States: []machine.State{state("a", "completed"), state("lost", "completed"), {Name: "failed", Dynamic: true}}}, []string{
			`state "lost" is never reached | name it in another state's execute, or remove it`,
		}, false},
		{"nothing wrong", machine.Definition{Common: common(), States: []machine.State{
			{Name: "a", To: []string{"connecting", "b"}}, {Name: "b", To: []string{"a", "failed", "completed"}}, {Name: "connecting", To: []string{"", "failed"}},
		}}, nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.d.Name = "flow"
			m, err := machine.New(c.d)
			var got []machine.Problem
			var bad *machine.DefinitionError
			switch {
			case errors.As(err, &bad):
				got = bad.Problems
			case err != nil:
				t.Fatalf("error is a %T", err)
			default:
				got = m.Warnings()
			}
			var lines []string
			for _, p := range got {
				lines = append(lines, p.Message+" | "+p.Hint)
			}
			if !slices.Equal(lines, c.problems) || c.warns != (err == nil) {
				t.Errorf("error: %v\n got %s\nwant %s", err != nil, strings.Join(lines, "\n     "), strings.Join(c.problems, "\n     "))
			}
		})
	}
}

func TestDefinitionErrorReport(t *testing.T) {
	_, err := machine.New(machine.Definition{Name: "flow", States: []machine.State{
		{Name: "a", To: []string{"bb"}, Pos: event.Pos{File: "x.star", Line: 3}},
		{Name: "b", Pos: event.Pos{File: "x.star", Line: 7}},
	}})
	var bad *machine.DefinitionError
	if !errors.As(err, &bad) {
		t.Fatal(err)
	}
	r := bad.Report()
	if r.Message != `machine "flow": state "a" names "bb", which is no state of this machine` || r.Hint != `did you mean "b"?` || r.Pos.Line != 3 {
		t.Errorf("report %+v", r)
	}
	if r.Detail != `x.star:7: state "b" is a dead end: it names no next state` || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("detail %q, error %q", r.Detail, err)
	}
	if p := bad.Problems[0]; p.Error() != p.Message+` (did you mean "b"?)` || bad.Problems[1].State != "b" {
		t.Errorf("problems %+v", bad.Problems)
	}
}

func drawing(t *testing.T) machine.Graph {
	return build(t, machine.Definition{
		Name: `say "hi"`, Common: map[string]machine.Handler{"connecting": {}},
		States: []machine.State{
			{Name: "load", To: []string{"load", "check"}},
			{Name: "check", To: []string{"completed"}, Dynamic: true},
		},
	}).Graph()
}

func TestGraph(t *testing.T) {
	g := drawing(t)
	if want := []string{"connecting", "load", "check", "completed"}; !slices.Equal(g.States, want) || g.Start != "connecting" {
		t.Errorf("states %v, start %q", g.States, g.Start)
	}
	if want := []machine.Edge{
		{From: "connecting", To: "load"},
		{From: "load", To: "load"},
		{From: "load", To: "check"},
		{From: "check", To: "completed"},
		{From: "check", Dynamic: true},
	}; !slices.Equal(g.Edges, want) {
		t.Errorf("edges %v", g.Edges)
	}
	if want := []machine.Node{{Name: "connecting", Common: true}, {Name: "load"}, {Name: "check"}, {Name: "completed", Terminal: true}}; !slices.Equal(g.Nodes, want) {
		t.Errorf("nodes %v", g.Nodes)
	}
	named := build(t, machine.Definition{Common: common(), Start: "a", States: []machine.State{{Name: "a", To: []string{"failed", "completed"}}}}).Graph()
	if want := []string{"a", "completed", "failed"}; !slices.Equal(named.States, want) {
		t.Errorf("states %v, want %v: failed is drawn where it is named, common states where they are reached", named.States, want)
	}
}

func TestDrawings(t *testing.T) {
	g := drawing(t)
	mermaid := `stateDiagram-v2
    classDef common fill:#eee,stroke:#999
    state "connecting" as s0
    class s0 common
    state "load" as s1
    state "check" as s2
    state "completed" as s3
    [*] --> s0
    s0 --> s1
    s1 --> s1
    s1 --> s2
    s2 --> s3
    state "computed" as s2x
    s2 --> s2x
    s3 --> [*]
`
	if got := g.Mermaid(); got != mermaid {
		t.Errorf("mermaid\n%s", got)
	}
	dot := `digraph "say \"hi\"" {
    node [shape=box, style=rounded]
    start [shape=point]
    "s:connecting" [label="connecting", color=gray, fontcolor=gray]
    "s:load" [label="load"]
    "s:check" [label="check"]
    "s:completed" [label="completed", peripheries=2]
    start -> "s:connecting"
    "s:connecting" -> "s:load"
    "s:load" -> "s:load"
    "s:load" -> "s:check"
    "s:check" -> "s:completed"
    computed4 [shape=point]
    "s:check" -> computed4 [style=dashed]
}
`
	if got := g.DOT(); got != dot {
		t.Errorf("dot\n%s", got)
	}
	text := `say "hi"
> connecting  -> load
  load        -> load, check
  check       -> completed, (computed)
  completed   (end)
`
	if got := g.Text(); got != text {
		t.Errorf("text\n%s", got)
	}
}
