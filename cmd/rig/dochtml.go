package main

import (
	"html/template"
	"io"

	"rig/runtime/catalog"
)

// page is the reference as one file that needs nothing else: a list of names with a filter at the side, the entries beside it.
var page = template.Must(template.New("page").Funcs(template.FuncMap{"signature": (*catalog.Func).Signature, "qualified": (*catalog.Func).Qualified}).Parse(`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>The script language of rig</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fff; }
nav { position: fixed; inset: 0 auto 0 0; width: 15rem; overflow: auto; padding: 1rem; background: #f4f4f6; font-size: 14px; }
nav a { display: block; color: inherit; text-decoration: none; overflow-wrap: anywhere; }
nav input { width: 100%; box-sizing: border-box; }
nav h4 { margin: .8rem 0 .2rem; }
main { margin-left: 18rem; max-width: 50rem; padding: 1rem; }
code, pre { font: 14px/1.45 ui-monospace, monospace; }
pre { background: #f4f4f6; padding: .7rem; overflow: auto; }
dt { margin-top: .4rem; } dd { margin-left: 1.5rem; }
h3 code { font-size: 16px; }
@media (max-width: 45rem) { nav { position: static; width: auto; max-height: 12rem; } main { margin-left: 0; } }
@media (prefers-color-scheme: dark) { body { background: #16161a; color: #ddd; } nav, pre { background: #222228; } }
</style></head><body>
<nav><input type="search" placeholder="filter" aria-label="filter" oninput="for (const a of document.querySelectorAll('nav a')) a.hidden = !a.textContent.includes(this.value)">
{{range .Modules}}<h4>{{if .Name}}{{.Name}}{{else if .Language}}Starlark{{else}}functions{{end}}</h4>{{range .Funcs}}<a href="#{{qualified .}}">{{qualified .}}</a>{{end}}{{end}}
{{range .Types}}<h4><a href="#type-{{.Name}}">{{.Name}}</a></h4>{{range .Methods}}<a href="#{{qualified .}}">{{qualified .}}</a>{{end}}{{end}}</nav>
<main><h1>The script language of rig</h1>
{{range $m := .Modules}}<h2>{{if .Name}}Module <code>{{.Name}}</code>{{else if .Language}}Starlark's own functions{{else}}Without a module name{{end}}</h2><p>{{.Doc}}</p>
{{if .Values}}<dl>{{range .Values}}<dt><code>{{if $m.Name}}{{$m.Name}}.{{end}}{{.Name}}</code> ({{.Type}})</dt><dd>{{.Doc}}</dd>{{end}}</dl>{{end}}
{{range .Funcs}}{{template "func" .}}{{end}}{{end}}
{{range $t := .Types}}<h2 id="type-{{.Name}}">Type <code>{{.Name}}</code></h2><p>{{.Doc}}</p>
{{if .Attrs}}<dl>{{range .Attrs}}<dt><code>{{$t.Var}}.{{.Name}}</code> ({{.Type}})</dt><dd>{{.Doc}}</dd>{{end}}</dl>{{end}}
{{if .Example}}<pre>{{.Example}}</pre>{{end}}{{range .Methods}}{{template "func" .}}{{end}}{{end}}
</main></body></html>
{{define "func"}}<h3 id="{{qualified .}}"><code>{{signature .}}</code></h3><p>Returns {{.Returns}}{{if .Elem}} of {{.Elem}}{{end}}. {{.Doc}}</p>
{{if .Params}}<dl>{{range .Params}}<dt><code>{{.Name}}</code>{{if .Type}} ({{.Type}}){{end}}</dt><dd>{{.Doc}}</dd>{{end}}</dl>{{end}}{{if .Example}}<pre>{{.Example}}</pre>{{end}}
{{end}}`))

func writeHTML(w io.Writer, c *catalog.Catalog) error { return page.Execute(w, c) }
