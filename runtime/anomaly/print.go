package anomaly

import (
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
)

// Formats are the forms in which a table is written.
func Formats() []string { return []string{"text", "markdown", "json", "html"} }

// Write writes the table in a form.
func (t *Table) Write(w io.Writer, format string) error {
	switch format {
	case "text":
		return t.text(w)
	case "markdown":
		return t.markdown(w)
	case "json":
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(t)
	case "html":
		return page.Execute(w, t)
	}
	return fmt.Errorf("there is no format %q: %s", format, strings.Join(Formats(), ", "))
}

// Cell is how a cell is printed: the verdict as a word, with ! where the definition of the level forbids what is allowed.
func (t *Table) Cell(r Row, column string) string {
	c, ok := r.Cells[column]
	if !ok {
		return "-"
	}
	switch c.Verdict {
	case Waits:
		return "by waiting"
	case Error:
		code, _, _ := strings.Cut(c.Detail, " ")
		return strings.TrimSpace("by error " + code)
	case Allowed:
		if Forbids(column, r.Forbidden) {
			return "ALLOWED !"
		}
	}
	return string(c.Verdict)
}

// Heads are the columns' names as they are printed.
func (t *Table) heads() []string {
	return append([]string{"case"}, t.Columns...)
}

func (t *Table) lines() [][]string {
	out := [][]string{t.heads()}
	for _, r := range t.Rows {
		line := []string{r.Case}
		for _, c := range t.Columns {
			line = append(line, t.Cell(r, c))
		}
		out = append(out, line)
	}
	return out
}

// Breaks reports whether a level allows what its definition forbids.
func (t *Table) Breaks() bool {
	return slices.ContainsFunc(t.Rows, func(r Row) bool {
		return slices.ContainsFunc(t.Columns, func(c string) bool {
			return r.Cells[c].Verdict == Allowed && Forbids(c, r.Forbidden)
		})
	})
}

const legend = "ALLOWED !  the definition of the level forbids it (Adya, and Berenson and others)"

func (t *Table) text(w io.Writer) error {
	lines := t.lines()
	width := make([]int, len(lines[0]))
	for _, l := range lines {
		for i, c := range l {
			width[i] = max(width[i], len(c))
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n\n", t.Server, t.Version)
	for i, l := range lines {
		for k, c := range l {
			l[k] = fmt.Sprintf("%-*s", width[k], c)
		}
		b.WriteString(strings.TrimRight(strings.Join(l, "  "), " ") + "\n")
		if i == 0 {
			for k := range l {
				l[k] = strings.Repeat("-", width[k])
			}
			b.WriteString(strings.Join(l, "  ") + "\n")
		}
	}
	if t.Breaks() {
		b.WriteString("\n" + legend + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (t *Table) markdown(w io.Writer) error {
	var b strings.Builder
	for i, l := range t.lines() {
		for k := range l {
			l[k] = strings.ReplaceAll(l[k], "|", `\|`)
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(l, " | "))
		if i == 0 {
			b.WriteString(strings.Repeat("|---", len(l)) + "|\n")
		}
	}
	_, err := fmt.Fprintf(w, "%s %s\n\n%s", t.Server, t.Version, b.String())
	return err
}

// page is the table as a page of its own: it loads nothing.
var page = template.Must(template.New("matrix").Parse(`<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><title>Isolation of {{.Server}} {{.Version}}</title>
<style>
body { font: 15px/1.4 system-ui, sans-serif; margin: 2em }
table { border-collapse: collapse }
th, td { border: 1px solid #bbb; padding: .3em .7em; text-align: left; vertical-align: top }
small { display: block; color: #555 }
.allowed { background: #fbd9d3 } .prevented, .held { background: #d8f0d8 } .waits { background: #dcebfa } .error { background: #fbf0cf }
</style>
<h1>Isolation of {{.Server}} {{.Version}}</h1>
<table>
<tr><th>case</th>{{range .Columns}}<th>{{.}}</th>{{end}}</tr>
{{range $r := .Rows}}<tr><th>{{$r.Case}}<small>{{$r.Title}}</small></th>{{range $c := $.Columns}}{{$x := index $r.Cells $c}}<td class="{{$x.Verdict}}">{{$.Cell $r $c}}<small>{{$x.Detail}}</small></td>{{end}}</tr>
{{end}}</table>
{{if .Breaks}}<p>ALLOWED ! &nbsp; the definition of the level forbids it</p>
{{end}}</html>
`))
