package lint

import (
	"slices"
	"strings"

	"go.starlark.net/syntax"

	"rig/runtime/source"
)

// uses are what a function does with its sessions, which are known by their source texts.
type uses struct {
	c       *checker
	def     *syntax.DefStmt
	ended   map[string]bool            // it ends their transactions somewhere
	given   map[string]bool            // it got them or gives them away: their transactions may be others' business
	aliased map[string]bool            // they have another name, too, or the test's clean-up ends them
	over    map[string][]string        // by loop variable: what the loop goes over
	inner   map[string]*syntax.DefStmt // the functions within it
	asked   map[*syntax.DefStmt]bool   // functions that are being looked at
	parts   map[syntax.Node][]string   // what a function within it ends
}

func (c *checker) sessionsOf(d *syntax.DefStmt) *tracer {
	return &tracer{uses: c.usesOf(d, map[*syntax.DefStmt]bool{})}
}

// usesOf looks at a function once. Functions that are being looked at, of which this one is a part, are not looked into again.
func (c *checker) usesOf(d *syntax.DefStmt, asked map[*syntax.DefStmt]bool) *uses {
	if u := c.uses[d]; u != nil {
		return u
	}
	asked[d] = true
	defer delete(asked, d)
	u := &uses{c: c, def: d, ended: map[string]bool{}, given: map[string]bool{}, aliased: map[string]bool{}, over: map[string][]string{}, inner: map[string]*syntax.DefStmt{}, asked: asked, parts: map[syntax.Node][]string{}}
	ids, _ := source.Params(d.Params)
	for _, id := range ids {
		u.given[id.Name] = true
	}
	syntax.Walk(d, func(n syntax.Node) bool { // names first
		switch n := n.(type) {
		case *syntax.ForStmt:
			if id, ok := n.Vars.(*syntax.Ident); ok {
				u.over[id.Name] = u.elements(n.X)
			}
		case *syntax.DefStmt:
			if n != d {
				u.inner[n.Name.Name] = n
			}
		}
		return true
	})
	syntax.Walk(d, u.note)
	c.uses[d] = u
	return u
}

func (u *uses) note(n syntax.Node) bool {
	switch n := n.(type) {
	case *syntax.CallExpr:
		cleans := false
		if dot, ok := n.Fn.(*syntax.DotExpr); ok {
			cleans = dot.Name.Name == "cleanup" // it ends what begins later, too
		}
		for _, key := range u.ends(n) {
			u.ended[key] = true
			u.aliased[key] = u.aliased[key] || cleans
		}
	case *syntax.AssignStmt:
		for _, key := range u.handed(n.RHS) {
			u.aliased[key] = true
		}
	case *syntax.ReturnStmt:
		if n.Result != nil {
			u.escape(n.Result)
		}
	}
	return true
}

// elements names what a loop goes over: each element of a list that is written out, else all of them under one name.
func (u *uses) elements(e syntax.Expr) []string {
	var list []syntax.Expr
	switch x := e.(type) {
	case *syntax.ListExpr:
		list = x.List
	case *syntax.TupleExpr:
		list = x.List
	case *syntax.ParenExpr:
		return u.elements(x.X)
	default:
		return []string{"each of " + u.c.Slice(e)}
	}
	var out []string
	for _, x := range list {
		out = append(out, u.c.Slice(x))
	}
	return out
}

// escape notes the sessions that leave the function in a value.
func (u *uses) escape(e syntax.Expr) {
	syntax.Walk(e, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.CallExpr:
			return false
		case *syntax.Ident:
			u.given[n.Name] = true
		}
		return true
	})
}

// keys names the sessions that an expression stands for.
func (u *uses) keys(e syntax.Expr) []string {
	if id, ok := e.(*syntax.Ident); ok {
		if keys := u.over[id.Name]; keys != nil {
			return keys
		}
	}
	return []string{u.c.Slice(e)}
}

// method gives the session and the member of a call such as conn.begin(), also where it is handed on: try_(conn.commit).
func (u *uses) method(e syntax.Expr) (keys []string, name string) {
	dot, ok := e.(*syntax.DotExpr)
	if !ok {
		return nil, ""
	}
	if typ := u.c.Infer(dot.X).Name; typ != "" && typ != "session" && typ != "mock_connection" {
		return nil, ""
	}
	return u.keys(dot.X), dot.Name.Name
}

var (
	enders = map[string]bool{"commit": true, "rollback": true, "close": true, "reset": true, "kill": true}
	// harmless are built-ins that get values to look at.
	harmless = []string{"print", "str", "repr", "len", "type", "bool"}
)

// ends lists the sessions whose transactions a call ends, or may end: those that it gets as arguments, too.
func (u *uses) ends(call *syntax.CallExpr) []string {
	var out []string
	if keys, name := u.method(call.Fn); enders[name] {
		out = append(out, keys...)
	}
	for _, s := range sentBy(call) {
		if keys, _ := u.method(s.method); endsBySQL(text(s.sql)) {
			out = append(out, keys...)
		}
		if begins(shape(s.sql), "KILL", "KILL CONNECTION") {
			out = append(out, u.killed(call)...)
		}
	}
	fn, named := call.Fn.(*syntax.Ident)
	if named && slices.Contains(harmless, fn.Name) && u.c.VarOf(fn) == nil {
		return out
	}
	if named && u.inner[fn.Name] != nil {
		out = append(out, u.within(u.inner[fn.Name])...)
	}
	callee := u.callee(fn)
	for i, a := range call.Args {
		param := ""
		if b, ok := a.(*syntax.BinaryExpr); ok && b.Op == syntax.EQ {
			if id, ok := b.X.(*syntax.Ident); ok {
				param = id.Name
			}
			a = b.Y
		}
		if keys, name := u.method(a); enders[name] {
			out = append(out, keys...)
		}
		if _, name := u.method(call.Fn); !takesSQL[name] && callee.mayEnd(i, param) {
			out = append(out, u.handed(a)...)
		}
	}
	return out
}

// killed lists the sessions whose ids are among the arguments of a call.
func (u *uses) killed(call *syntax.CallExpr) []string {
	var out []string
	for _, a := range call.Args {
		syntax.Walk(a, func(n syntax.Node) bool {
			if dot, ok := n.(*syntax.DotExpr); ok && dot.Name.Name == "id" {
				out = append(out, u.keys(dot.X)...)
			}
			return true
		})
	}
	return out
}

// within lists the sessions that a function within this one ends.
func (u *uses) within(n syntax.Node) []string {
	if out, known := u.parts[n]; known {
		return out
	}
	var out []string
	if d, ok := n.(*syntax.DefStmt); ok {
		if u.asked[d] {
			return nil
		}
		u.asked[d] = true
		defer delete(u.asked, d)
	}
	syntax.Walk(n, func(x syntax.Node) bool {
		if call, ok := x.(*syntax.CallExpr); ok {
			out = append(out, u.ends(call)...)
			slices.Sort(out)
			out = slices.Compact(out) // functions that call each other twice would double it each time
		}
		return true
	})
	u.parts[n] = out
	return out
}

// callee is the file's own function that is called; nil is one that nobody can look into.
type callee struct {
	*uses
	params []string
}

func (u *uses) callee(fn *syntax.Ident) *callee {
	if fn == nil {
		return nil
	}
	v := u.c.VarOf(fn)
	if v == nil || v.Kind != source.Function || len(v.Defs) != 1 {
		return nil
	}
	d, ok := v.Defs[0].Stmt.(*syntax.DefStmt)
	if !ok || u.asked[d] {
		return nil
	}
	c := &callee{uses: u.c.usesOf(d, u.asked)}
	for _, p := range d.Params {
		switch p := p.(type) {
		case *syntax.Ident:
			c.params = append(c.params, p.Name)
		case *syntax.BinaryExpr:
			c.params = append(c.params, p.X.(*syntax.Ident).Name)
		default:
			return nil // *args
		}
	}
	return c
}

// mayEnd reports whether the function ends what is given as its i-th argument, or as the named one, or keeps it.
func (c *callee) mayEnd(i int, name string) bool {
	if c == nil {
		return true
	}
	if name == "" {
		if i >= len(c.params) {
			return true
		}
		name = c.params[i]
	}
	return c.ended[name] || c.aliased[name] || c.ended["each of "+name]
}

// handed lists what an argument gives away: the session itself, a list of them, a function that may use them.
func (u *uses) handed(e syntax.Expr) []string {
	var out []string
	syntax.Walk(e, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.DotExpr:
			out = append(out, u.c.Slice(n)) // t.db
			return false
		case *syntax.CallExpr:
			return false
		case *syntax.LambdaExpr:
			out = append(out, u.within(n.Body)...)
			return false
		case *syntax.Ident:
			out = append(out, u.keys(n)...)
			out = append(out, "each of "+n.Name)
			if d := u.inner[n.Name]; d != nil {
				out = append(out, u.within(d)...)
			}
		}
		return true
	})
	return out
}

// begins reports SQL that begins with one of the words.
func begins(sql string, words ...string) bool {
	line := strings.Join(strings.Fields(strings.ToUpper(sql)), " ") + " "
	return slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(line, w+" ") || strings.HasPrefix(line, w+";") })
}

// endsBySQL reports statements that end a transaction: those that say so, and those that commit it without saying.
func endsBySQL(sql string) bool {
	if begins(sql, "ROLLBACK TO", "ROLLBACK WORK TO", "CREATE TEMPORARY", "DROP TEMPORARY") {
		return false
	}
	return begins(sql, "COMMIT", "ROLLBACK", "CREATE", "ALTER", "DROP", "TRUNCATE", "RENAME", "LOCK TABLES")
}
