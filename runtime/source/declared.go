package source

import (
	"go.starlark.net/syntax"

	"rig/runtime/catalog"
	"rig/runtime/script"
)

// Declared gives a function of a file the form that the built-ins have.
func Declared(f *File, d *syntax.DefStmt) *catalog.Func {
	out := &catalog.Func{Name: d.Name.Name, Doc: script.DocOf(d.Body), Returns: "any"}
	if t := f.returns(d, 0); t.Name != "" {
		out.Returns = t.Name
	}
	star := false
	for _, p := range d.Params {
		x := catalog.Param{KwOnly: star}
		switch p := p.(type) {
		case *syntax.Ident:
			x.Name = p.Name
		case *syntax.BinaryExpr:
			x.Name, x.Default = p.X.(*syntax.Ident).Name, script.SourceText(f.Text, p.Y)
		case *syntax.UnaryExpr:
			star = star || p.Op == syntax.STAR
			id, ok := p.X.(*syntax.Ident)
			if !ok {
				continue // a bare *
			}
			x = catalog.Param{Name: id.Name, Variadic: p.Op == syntax.STAR, Keywords: p.Op == syntax.STARSTAR}
		}
		if v := f.vars[paramIdent(p)]; v != nil {
			x.Type = f.TypeOf(v).Name
		}
		out.Params = append(out.Params, x)
	}
	return out
}

func paramIdent(p syntax.Expr) *syntax.Ident {
	ids, _ := Params([]syntax.Expr{p})
	if len(ids) == 0 {
		return nil
	}
	return ids[0]
}
