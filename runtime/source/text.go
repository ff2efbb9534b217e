package source

import "go.starlark.net/syntax"

// text gives the str that an expression is, as far as the source says it: the format of "..." % x, the literal that a name
// stands for, the beginning of a sum.
func (f *File) text(e syntax.Expr, depth int) string {
	if depth > maxInfer {
		return ""
	}
	switch e := e.(type) {
	case *syntax.Literal:
		s, _ := e.Value.(string)
		return s
	case *syntax.ParenExpr:
		return f.text(e.X, depth+1)
	case *syntax.BinaryExpr:
		if e.Op == syntax.PERCENT {
			return f.text(e.X, depth+1)
		}
		if e.Op == syntax.PLUS {
			return f.text(e.X, depth+1) + f.text(e.Y, depth+1)
		}
	case *syntax.CallExpr:
		if dot, ok := e.Fn.(*syntax.DotExpr); ok && dot.Name.Name == "format" {
			return f.text(dot.X, depth+1)
		}
	case *syntax.Ident:
		if v := f.of[e]; v != nil && len(v.Defs) == 1 && v.Kind == Assigned && v.Defs[0].Value != nil && !v.Defs[0].Aug && len(v.Defs[0].Path) == 0 {
			return f.text(v.Defs[0].Value, depth+1)
		}
	}
	return ""
}
