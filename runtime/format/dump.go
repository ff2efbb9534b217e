package format

import (
	"fmt"
	"strings"

	"go.starlark.net/syntax"
)

// dump writes a tree without its positions: two sources of one dump do the same.
func dump(f *syntax.File) string {
	var b strings.Builder
	syntax.Walk(f, func(n syntax.Node) bool {
		if n == nil {
			b.WriteString(")")
			return false
		}
		fmt.Fprintf(&b, "(%s", strings.TrimPrefix(fmt.Sprintf("%T", n), "*syntax."))
		switch n := n.(type) {
		case *syntax.Ident:
			b.WriteString(" " + n.Name)
		case *syntax.Literal:
			fmt.Fprintf(&b, " %s %T %#v", n.Token, n.Value, n.Value)
			if n.Token == syntax.INT || n.Token == syntax.FLOAT {
				b.WriteString(" " + n.Raw) // big numbers are pointers
			}
		case *syntax.BinaryExpr:
			b.WriteString(" " + n.Op.String())
		case *syntax.UnaryExpr:
			b.WriteString(" " + n.Op.String())
		case *syntax.AssignStmt:
			b.WriteString(" " + n.Op.String())
		case *syntax.BranchStmt:
			b.WriteString(" " + n.Token.String())
		case *syntax.IfStmt:
			fmt.Fprintf(&b, " then %d else %d", len(n.True), len(n.False))
		case *syntax.Comprehension:
			fmt.Fprintf(&b, " curly %t", n.Curly)
		case *syntax.SliceExpr:
			fmt.Fprintf(&b, " %t %t %t", n.Lo != nil, n.Hi != nil, n.Step != nil)
		case *syntax.DefStmt:
			fmt.Fprintf(&b, " %d", len(n.Params))
		}
		return true
	})
	return b.String()
}
