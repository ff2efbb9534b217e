package lsp

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.starlark.net/syntax"

	"rig/runtime/schema"
	"rig/runtime/source"
)

// served is what the server of a project told.
type served struct {
	columns []schema.Column
	asked   time.Time // the last time; zero is never
	asking  bool
	told    string // why it did not answer, as the editor was told
}

const (
	askBound = 5 * time.Second  // of asking a server; no request waits for it
	askAgain = 30 * time.Second // after which an answer, or that there was none, is asked for again
)

// targetColumns gives what the server of a project has told by now, and asks it beside the conversation when that is old. The
// caller holds mu.
func (s *server) targetColumns(root string) (known []schema.Column, asking bool) {
	if s.opts.Columns == nil {
		return nil, false
	}
	x := s.servers[root]
	if x == nil {
		x = &served{}
		s.servers[root] = x
	}
	if !x.asking && (x.asked.IsZero() || time.Since(x.asked) > askAgain) {
		x.asking, x.asked = true, time.Now()
		s.runs.Go(func() { s.ask(root, x) }) // it ends with the conversation: Columns gets its context
	}
	return x.columns, x.asking
}

// ask waits for the answer. Why there is none is told once.
func (s *server) ask(root string, x *served) {
	ctx, cancel := context.WithTimeout(s.ctx, askBound)
	defer cancel()
	columns, err := s.opts.Columns(ctx, root)
	s.mu.Lock()
	defer s.mu.Unlock()
	x.asking = false
	if err == nil {
		x.columns, x.told = columns, ""
		return
	}
	if text := "no tables and columns of the target: " + err.Error(); text != x.told && s.ctx.Err() == nil {
		x.told = text
		_ = s.rpc.Notify(s.ctx, "window/logMessage", messageParams{2, text}) // the editor may be gone
	}
}

// columns lists what SQL of the file can speak of: what the file and those that it loads create, then what the target has.
func (v *view) columns() []schema.Column {
	out := v.created()
	var target []schema.Column
	target, v.waiting = v.server.targetColumns(v.space.Root)
	return append(out, target...)
}

// created reads the CREATE TABLE literals of the file and of those that it loads.
func (v *view) created() []schema.Column {
	var out []schema.Column
	files := []*source.File{v.file}
	for i := 0; i < len(files) && i < maxLoads; i++ {
		f := files[i]
		syntax.Walk(f.Tree, func(n syntax.Node) bool {
			switch n := n.(type) {
			case *syntax.Literal:
				if sql, ok := n.Value.(string); ok && n.Token == syntax.STRING {
					out = append(out, schema.Created(sql)...)
				}
			case *syntax.LoadStmt:
				if other := f.Loaded(n.ModuleName()); other != nil && !slices.Contains(files, other) {
					files = append(files, other)
				}
			}
			return true
		})
	}
	return out
}

// results names the columns of the rows of a statement; of one that is not known, all that the files' own tables have.
func (v *view) results(sql string) []schema.Column {
	if sql == "" {
		return v.created()
	}
	return schema.Results(sql, v.columns())
}

// columnItems offers columns behind the dot of a row: those that can stand there.
func (v *view) columnItems(list []schema.Column) []completionItem {
	var items []completionItem
	seen := map[string]bool{}
	for _, c := range list {
		if !isWord(c.Name) || seen[c.Name] {
			continue
		}
		seen[c.Name] = true
		detail := strings.Trim(c.Table+": "+c.Type, ": ")
		items = append(items, completionItem{Label: c.Name, Kind: itemField, Detail: detail, SortText: "0" + order(len(items))})
	}
	return items
}

// order sorts as the list stands.
func order(n int) string { return fmt.Sprintf("%04d", n) }

// sqlItems lists what may stand at the place of a string that is SQL, or that names tables or columns; false where it is
// neither.
func (v *view) sqlItems(in within) ([]completionItem, bool) {
	text := v.text[in.begin:in.end]
	switch param, call := v.paramAt(); {
	case param == "sql" || schema.Begins(v.text[in.begin:v.at]):
		return wordItems(schema.Complete(text, v.at-in.begin, v.columns())), true
	case param == "table":
		const sql = "TABLE "
		list := schema.Complete(sql+text, len(sql)+v.at-in.begin, v.columns())
		return wordItems(without(list, schema.Keyword)), true
	case param == "columns" && call.first != "":
		sql := "SELECT  FROM " + call.first
		list := schema.Complete(sql, len("SELECT "), v.columns())
		return wordItems(without(list, schema.Keyword, schema.Tables)), true
	}
	return nil, false
}

func without(list []schema.Word, groups ...string) []schema.Word {
	return slices.DeleteFunc(list, func(w schema.Word) bool { return slices.Contains(groups, w.Group) })
}

// paramAt names the parameter that the place is an argument for, "" when there is none.
func (v *view) paramAt() (string, callSite) {
	c, ok := v.callAt()
	if !ok {
		return "", c
	}
	f := v.function(c.fn)
	switch {
	case f == nil:
		return "", c
	case c.keyword != "":
		return c.keyword, c
	case c.positional < len(f.Params) && !f.Params[c.positional].KwOnly:
		return f.Params[c.positional].Name, c
	}
	return "", c
}

func wordItems(list []schema.Word) []completionItem {
	items := []completionItem{}
	for _, w := range list {
		item := completionItem{Label: w.Text, Kind: itemField, Detail: w.Doc, SortText: order(len(items))}
		switch w.Group {
		case schema.Tables:
			item.Kind = itemStruct
		case schema.Keyword:
			item.Kind = itemKeyword
		}
		if !isWord(w.Text) {
			item.InsertText = "`" + strings.ReplaceAll(w.Text, "`", "``") + "`"
		}
		items = append(items, item)
	}
	return items
}

// unquoted is the text of a literal without an escape; "" for what is none.
func unquoted(text string) string {
	s, err := strconv.Unquote(strings.TrimSpace(text))
	if err != nil {
		return ""
	}
	return s
}
