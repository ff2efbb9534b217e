package repl

import (
	"fmt"
	"strings"

	pretty "github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Table prints rows as the mysql client does. Where the terminal is too narrow for that, it prints them vertically.
func Table(r *Rows, width int) string {
	if len(r.Cells) == 0 {
		return "no rows"
	}
	w := pretty.NewWriter()
	style := pretty.StyleDefault
	style.Format.Header = text.FormatDefault
	w.SetStyle(style)
	w.AppendHeader(cells(r.Head))
	for _, c := range r.Cells {
		w.AppendRow(cells(c))
	}
	s := w.Render()
	if line, _, _ := strings.Cut(s, "\n"); width > 0 && len([]rune(line)) > width {
		return vertical(r, false)
	}
	return s + "\n" + total(r)
}

func cells(list []string) pretty.Row {
	out := make(pretty.Row, len(list))
	for i, c := range list {
		out[i] = c
	}
	return out
}

// vertical prints a line for each column, or several where a value is shown whole and has them.
func vertical(r *Rows, whole bool) string {
	if len(r.Cells) == 0 {
		return "no rows"
	}
	wide := 0
	for _, h := range r.Head {
		wide = max(wide, text.StringWidth(h))
	}
	var b strings.Builder
	for i, row := range r.Cells {
		fmt.Fprintf(&b, "*** row %d ***\n", i+1)
		for j, c := range row {
			if whole && r.Whole != nil {
				c = r.Whole(i, j)
			}
			fmt.Fprintf(&b, "%s%s: %s\n", strings.Repeat(" ", wide-text.StringWidth(r.Head[j])), r.Head[j], c)
		}
	}
	return b.String() + total(r)
}

func total(r *Rows) string {
	s := count(int64(r.Total), "row", "")
	if r.Total > len(r.Cells) {
		s += fmt.Sprintf(", the first %d shown", len(r.Cells))
	}
	return "(" + s + ")"
}

func count(n int64, what, done string) string {
	if n != 1 {
		what += "s"
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s %s", n, what, done))
}
