package cover

import (
	"html/template"
	"io"
	"strconv"
	"strings"
)

// page is one file without anything from elsewhere: it opens where there is no network.
var page = template.Must(template.New("cover").Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>rig: coverage</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { font: 14px/1.5 system-ui, sans-serif; margin: 1.5em; color: #1b1f24; background: #fff }
table.sum td, table.sum th { padding: .15em .8em; text-align: right } table.sum td:first-child, table.sum th:first-child { text-align: left }
pre { font: 13px/1.45 ui-monospace, monospace; border: 1px solid #d0d7de; overflow-x: auto; padding: .4em 0 }
pre span { display: block; padding: 0 .8em } .n { display: inline-block; width: 4em; color: #57606a; text-align: right; padding-right: 1em; user-select: none }
.c { display: inline-block; width: 6em; color: #57606a; text-align: right; padding-right: 1em; user-select: none }
.ran { background: #e6ffec } .not { background: #ffebe9 } .half { background: #fff8c5 }
@media (prefers-color-scheme: dark) { body { color: #e6edf3; background: #0d1117 } pre { border-color: #30363d } .ran { background: #12261e } .not { background: #301b1f } .half { background: #2e2a1f } .n, .c { color: #8b949e } a { color: #79c0ff } }
</style></head><body>
<h1>Coverage</h1>
<table class="sum"><tr><th>file</th><th>statements</th><th>ran</th><th></th><th>branches</th><th>taken</th><th></th></tr>
{{range .}}<tr><td><a href="#{{.Path}}">{{.Path}}</a></td><td>{{.Totals.Statements}}</td><td>{{.Totals.Ran}}</td><td>{{.Statements}}</td><td>{{.Totals.Branches}}</td><td>{{.Totals.Taken}}</td><td>{{.Branches}}</td></tr>
{{end}}</table>
{{range .}}<h2 id="{{.Path}}">{{.Path}}</h2>
<pre>{{range .Lines}}<span{{if .Class}} class="{{.Class}}"{{end}}{{if .Note}} title="{{.Note}}"{{end}}><span class="n" style="display:inline-block">{{.Number}}</span><span class="c" style="display:inline-block">{{.Count}}</span>{{.Text}}</span>{{end}}</pre>
{{end}}</body></html>
`))

type htmlFile struct {
	Path                 string
	Totals               Totals
	Statements, Branches string
	Lines                []htmlLine
}

type htmlLine struct {
	Number int
	Count  string
	Text   string
	Class  string // ran, not or half; "" for lines without a statement
	Note   string
}

func writeHTML(w io.Writer, files []File) error {
	var pages []htmlFile
	for i := range files {
		f := &files[i]
		t := f.Totals()
		pages = append(pages, htmlFile{f.Path, t, percent(t.Ran, t.Statements), percent(t.Taken, t.Branches), f.lines()})
	}
	return page.Execute(w, pages)
}

func (f *File) lines() []htmlLine {
	var out []htmlLine
	for i, text := range strings.Split(strings.TrimSuffix(f.Source, "\n"), "\n") {
		out = append(out, htmlLine{Number: i + 1, Text: strings.TrimRight(text, "\r")})
	}
	for _, s := range f.Statements {
		for l := s.Line; l <= min(s.Last, len(out)); l++ {
			x := &out[l-1]
			if x.Class == "" || s.Count == 0 {
				x.Class = class(s.Count)
			}
		}
		if s.Line <= len(out) {
			out[s.Line-1].Count = count(s.Count)
		}
	}
	for _, b := range f.Branches {
		if b.Line > len(out) || (b.True == 0) == (b.False == 0) {
			continue
		}
		x := &out[b.Line-1]
		x.Class, x.Note = "half", "the condition was never true"
		if b.False == 0 {
			x.Note = "the condition was never false"
		}
	}
	return out
}

func class(n uint64) string {
	if n == 0 {
		return "not"
	}
	return "ran"
}

func count(n uint64) string { return strconv.FormatUint(n, 10) + "×" }
