package script

import (
	"fmt"
	"sync/atomic"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"rig/runtime/cover"
	"rig/runtime/event"
)

// Probes says which files get probes: calls that no script can write, put into the syntax tree before each statement. A file
// without them has the tree that it would have had, and pays nothing.
type Probes int

// The kinds of probing.
const (
	NoProbes     Probes = iota
	MarkedProbes        // in files that call breakpoint()
	AllProbes
)

// The names under which probes are known to the files that have them.
const (
	helperProbe = "@" // a call: tells the watchers which statement begins
	helperCount = "#" // an index: counts it. No call, because a call costs a frame; an index adds 27 ns to a statement (BenchmarkCount)
)

// Site is a statement that has a probe.
type Site struct {
	Pos   event.Pos
	Last  int32  // its last line; of a block, that of the block's head
	Func  string // the function that it is in, "" at the top level, "lambda"
	First bool   // of its function
	Def   bool   // it defines a function
}

// marked reports whether a file calls breakpoint().
func marked(f *syntax.File) bool {
	found := false
	syntax.Walk(f, func(n syntax.Node) bool {
		if id, ok := n.(*syntax.Ident); ok && id.Name == "breakpoint" {
			found = true
		}
		return !found
	})
	return found
}

// probe puts the probes that the host wants into a file, before anything else changes its tree. names are what they call.
func (h *Host) probe(f *syntax.File, src string) (names starlark.StringDict, sites []Site) {
	p := &prober{count: h.opts.Count}
	p.tell = h.opts.Probes == AllProbes || h.opts.Probes == MarkedProbes && marked(f)
	if !p.tell && !p.count {
		return nil, nil
	}
	p.file(f)
	names = starlark.StringDict{}
	if p.tell {
		names[helperProbe] = &fileProbe{sites: p.sites}
		sites = p.sites
	}
	if p.count {
		c := &counts{path: f.Path, source: src, sites: p.sites, branches: p.branches, n: make([]atomic.Uint64, p.slots)}
		names[helperCount] = c
		h.mu.Lock()
		h.counts = append(h.counts, c)
		h.mu.Unlock()
	}
	return names, sites
}

// prober goes down one file.
type prober struct {
	tell, count bool
	sites       []Site
	branches    []branch
	slots       int
	fn          string
	fresh       bool // the next statement is its function's first
}

type branch struct {
	at   syntax.Position
	kind string
	slot int
}

func (p *prober) file(f *syntax.File) { f.Stmts = p.stmts(f.Stmts) }

func (p *prober) stmts(list []syntax.Stmt) []syntax.Stmt {
	out := make([]syntax.Stmt, 0, 2*len(list))
	for i, s := range list {
		if i > 0 || !isDoc(s) {
			for _, x := range p.site(s) {
				out = append(out, &syntax.ExprStmt{X: x})
			}
			p.stmt(s)
		}
		out = append(out, s)
	}
	return out
}

// isDoc: a text in the first place is the documentation, and must stay there.
func isDoc(s syntax.Stmt) bool {
	x, ok := s.(*syntax.ExprStmt)
	if !ok {
		return false
	}
	lit, ok := x.X.(*syntax.Literal)
	return ok && lit.Token == syntax.STRING
}

// site notes a statement and gives its probes.
func (p *prober) site(s syntax.Stmt) []syntax.Expr {
	start, end := s.Span()
	_, def := s.(*syntax.DefStmt)
	switch s := s.(type) { // of a block, the head
	case *syntax.DefStmt:
		end = s.Name.NamePos
	case *syntax.ForStmt:
		_, end = s.X.Span()
	case *syntax.WhileStmt:
		_, end = s.Cond.Span()
	case *syntax.IfStmt:
		_, end = s.Cond.Span()
	}
	return p.at(start, end, def)
}

func (p *prober) at(start, end syntax.Position, def bool) []syntax.Expr {
	n := len(p.sites)
	p.sites = append(p.sites, Site{Pos: posOf(start), Last: end.Line, Func: p.fn, First: p.fresh, Def: def})
	p.fresh = false
	var out []syntax.Expr
	if p.tell {
		out = append(out, call(start, helperProbe, whole(start, n)))
	}
	if p.count {
		out = append(out, p.counter(start, p.slots))
		p.slots += 2
	}
	return out
}

// counter counts a slot. Even slots are true and odd ones false, so that a pair of them can stand for a condition.
func (p *prober) counter(at syntax.Position, slot int) syntax.Expr {
	return &syntax.IndexExpr{X: &syntax.Ident{NamePos: at, Name: helperCount}, Lbrack: at, Y: whole(at, slot), Rbrack: at}
}

func whole(at syntax.Position, n int) *syntax.Literal {
	return &syntax.Literal{Token: syntax.INT, TokenPos: at, Raw: fmt.Sprint(n), Value: int64(n)}
}

func (p *prober) stmt(s syntax.Stmt) {
	switch s := s.(type) {
	case *syntax.AssignStmt:
		p.exprs(&s.LHS, &s.RHS)
	case *syntax.DefStmt:
		for _, x := range s.Params {
			p.exprs(&x)
		}
		outer := p.fn
		p.fn, p.fresh = s.Name.Name, true
		s.Body = p.stmts(s.Body)
		p.fn, p.fresh = outer, false
	case *syntax.ForStmt:
		p.exprs(&s.Vars, &s.X)
		s.Body = p.stmts(s.Body)
	case *syntax.WhileStmt:
		p.cond(&s.Cond, "while")
		s.Body = p.stmts(s.Body)
	case *syntax.IfStmt:
		p.cond(&s.Cond, "if")
		s.True, s.False = p.stmts(s.True), p.stmts(s.False)
	case *syntax.ExprStmt:
		p.exprs(&s.X)
	case *syntax.ReturnStmt:
		if s.Result != nil {
			p.exprs(&s.Result)
		}
	}
}

// cond counts how a condition comes out: c becomes (true if c else false), whose parts count.
func (p *prober) cond(c *syntax.Expr, kind string) {
	p.exprs(c)
	if !p.count {
		return
	}
	at, _ := (*c).Span()
	p.branches = append(p.branches, branch{at: at, kind: kind, slot: p.slots})
	*c = &syntax.CondExpr{If: at, Cond: *c, True: p.counter(at, p.slots), ElsePos: at, False: p.counter(at, p.slots+1)}
	p.slots += 2
}

// exprs goes into expressions, for the lambdas and the conditions in them.
func (p *prober) exprs(list ...*syntax.Expr) {
	for _, e := range list {
		syntax.Walk(*e, p.expr)
	}
}

func (p *prober) expr(n syntax.Node) bool {
	switch e := n.(type) {
	case *syntax.LambdaExpr:
		for _, x := range e.Params {
			p.exprs(&x)
		}
		p.lambda(e)
		return false
	case *syntax.CondExpr:
		p.cond(&e.Cond, "x if c")
		p.exprs(&e.True, &e.False)
		return false
	case *syntax.Comprehension:
		p.comprehension(e)
		return false
	}
	return true
}

func (p *prober) comprehension(e *syntax.Comprehension) {
	for _, c := range e.Clauses {
		switch c := c.(type) {
		case *syntax.ForClause:
			p.exprs(&c.X)
		case *syntax.IfClause:
			p.cond(&c.Cond, "for if")
		}
	}
	p.exprs(&e.Body)
}

// lambda puts the probes of a lambda's body before it: E becomes (probe and E).
func (p *prober) lambda(e *syntax.LambdaExpr) {
	outer, fresh := p.fn, p.fresh
	p.fn, p.fresh = "lambda", true
	start, end := e.Body.Span()
	probes := p.at(start, end, false)
	p.exprs(&e.Body)
	for i := len(probes) - 1; i >= 0; i-- {
		e.Body = &syntax.BinaryExpr{X: probes[i], OpPos: start, Op: syntax.AND, Y: e.Body}
	}
	p.fn, p.fresh = outer, fresh
}

// fileProbe is the callable of helperProbe in one file.
type fileProbe struct{ sites []Site }

var _ starlark.Callable = (*fileProbe)(nil)

func (p *fileProbe) String() string        { return "probe" }
func (p *fileProbe) Name() string          { return helperProbe }
func (p *fileProbe) Type() string          { return "probe" }
func (p *fileProbe) Freeze()               {}
func (p *fileProbe) Truth() starlark.Bool  { return true }
func (p *fileProbe) Hash() (uint32, error) { return 0, nil }

func (p *fileProbe) CallInternal(th *starlark.Thread, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	n, err := starlark.AsInt32(args[0])
	if err != nil {
		return nil, err
	}
	if t := From(th); t != nil {
		for _, w := range t.host.opts.Watch {
			w.Statement(t, th, &p.sites[n])
		}
	}
	return starlark.True, nil
}

// counts are the counters of one file.
type counts struct {
	path, source string
	sites        []Site
	branches     []branch
	n            []atomic.Uint64
}

var _ starlark.Indexable = (*counts)(nil)

func (c *counts) String() string        { return "counts" }
func (c *counts) Type() string          { return "counts" }
func (c *counts) Freeze()               {}
func (c *counts) Truth() starlark.Bool  { return true }
func (c *counts) Hash() (uint32, error) { return 0, nil }
func (c *counts) Len() int              { return len(c.n) }

// Index counts.
func (c *counts) Index(i int) starlark.Value {
	c.n[i].Add(1)
	return starlark.Bool(i&1 == 0)
}

// Coverage gives what was counted so far, a file once however often it was loaded.
func (h *Host) Coverage() []cover.File {
	h.mu.Lock()
	all := append([]*counts{}, h.counts...)
	h.mu.Unlock()
	var out []cover.File
	for _, c := range all {
		f := cover.File{Path: c.path, Source: c.source}
		for _, s := range c.sites {
			f.Statements = append(f.Statements, cover.Statement{Line: int(s.Pos.Line), Col: int(s.Pos.Col), Last: int(s.Last), Func: s.Func, First: s.First})
		}
		for _, b := range c.branches {
			f.Branches = append(f.Branches, cover.Branch{Line: int(b.at.Line), Col: int(b.at.Col), Kind: b.kind, True: c.n[b.slot].Load(), False: c.n[b.slot+1].Load()})
		}
		c.fill(f.Statements)
		out = append(out, f)
	}
	return out
}

// fill gives the statements their counts: their slots are those that no branch has, in order.
func (c *counts) fill(list []cover.Statement) {
	taken := map[int]bool{}
	for _, b := range c.branches {
		taken[b.slot] = true
	}
	i := 0
	for slot := 0; slot < len(c.n); slot += 2 {
		if !taken[slot] {
			list[i].Count = c.n[slot].Load()
			i++
		}
	}
}
