package config

import (
	"errors"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// maxNesting bounds tables in tables and lists in lists; settings need four.
const maxNesting = 16

// tomlReader builds the tree of a TOML file, because go-toml's decoder does not tell where a value stands.
type tomlReader struct {
	f      *file
	parser unstable.Parser
}

// readTOML fills f.root, up to the first syntax error.
func (f *file) readTOML() {
	r := tomlReader{f: f}
	r.parser.Reset(f.data)
	f.root = &node{shape: shapeTable}
	table := f.root
	for r.parser.NextExpression() {
		x := r.parser.Expression()
		switch x.Kind {
		case unstable.Table:
			table = r.open(x)
		case unstable.ArrayTable:
			at := r.keySpan(x.Key())
			f.problem(at, "no setting is a list of tables", "write the name in single brackets")
			table = &node{shape: shapeTable}
		case unstable.KeyValue:
			r.assign(table, x, 0)
		}
		if f.tooMany() {
			return
		}
	}
	var bad *unstable.ParserError
	if errors.As(r.parser.Error(), &bad) {
		rng := r.parser.Range(bad.Highlight)
		f.cut = true
		f.syntax(span{int(rng.Offset), int(rng.Offset + rng.Length)}, tomlMessage(bad.Message))
		return
	}
	if len(f.problems) == 0 {
		f.conform()
	}
}

// tomlMessage says in place of the parser which values there are; the most common cause is a text without quotes.
func tomlMessage(message string) string {
	if strings.HasPrefix(message, "expected keyword") || strings.HasSuffix(message, "at start of value") {
		return "expected a value: a text in quotes, a number, true or false, a list or a table"
	}
	return message
}

// conform leaves to go-toml what this tree does not see, such as dates that are none or tables defined in two ways.
func (f *file) conform() {
	var all map[string]any
	err := toml.Unmarshal(f.data, &all)
	var bad *toml.DecodeError
	if !errors.As(err, &bad) {
		return
	}
	line, column := bad.Position()
	at := f.offset(line, column)
	message := strings.TrimPrefix(bad.Error(), "toml: ")
	for _, s := range secretSpans(f.root) {
		if s.start <= at && at < s.end {
			message = "TOML does not allow this value" // go-toml's message may quote it
		}
	}
	f.syntax(span{at, at + 1}, message)
}

func (r *tomlReader) span(n *unstable.Node) span {
	return span{int(n.Raw.Offset), int(n.Raw.Offset + n.Raw.Length)}
}

func (r *tomlReader) keySpan(it unstable.Iterator) span {
	var s span
	for first := true; it.Next(); first = false {
		at := r.span(it.Node())
		if first {
			s = at
		}
		s.end = at.end
	}
	return s
}

// open gives the table that a [header] names.
func (r *tomlReader) open(x *unstable.Node) *node {
	table := r.f.root
	at := r.keySpan(x.Key())
	for it := x.Key(); it.Next() && table != nil; {
		table = r.descend(table, it.Node())
	}
	if table == nil {
		return &node{shape: shapeTable}
	}
	if table.header {
		r.f.problem(at, "the table is opened twice", "move its keys together")
	}
	table.header = true
	return table
}

// descend goes to the table under a key and makes it where there is none; nil when the key is no table.
func (r *tomlReader) descend(table *node, key *unstable.Node) *node {
	name := string(key.Data)
	e := table.find(name)
	if e == nil {
		e = &entry{key: name, at: r.span(key), value: &node{shape: shapeTable, at: r.span(key)}}
		table.add(e)
		r.f.keys++
	}
	if e.value.shape != shapeTable || e.value.inline {
		r.f.duplicate(r.span(key), name, e.at)
		return nil
	}
	return e.value
}

// assign adds key = value to table; the key may be dotted.
func (r *tomlReader) assign(table *node, x *unstable.Node, depth int) {
	it := x.Key()
	for it.Next() {
		if it.IsLast() {
			break
		}
		if table = r.descend(table, it.Node()); table == nil {
			return
		}
	}
	key := it.Node()
	name, at := string(key.Data), r.span(key)
	if old := table.find(name); old != nil {
		r.f.duplicate(at, name, old.at)
		return
	}
	e := &entry{key: name, at: at}
	r.f.keys++
	e.value = r.value(x.Value(), at, depth)
	table.add(e)
}

// value converts a value. Lists have no place of their own: theirs is near, the place of what holds them.
func (r *tomlReader) value(x *unstable.Node, near span, depth int) *node {
	n := &node{at: r.span(x), text: string(x.Data)}
	if n.at.end == n.at.start {
		n.at = near
	}
	if depth > maxNesting {
		n.broken = true
		r.f.problem(n.at, "the value is nested too deep", "")
		return n
	}
	switch x.Kind {
	case unstable.Array:
		n.shape = shapeList
		for it := x.Children(); it.Next(); {
			n.items = append(n.items, r.value(it.Node(), near, depth+1))
		}
	case unstable.InlineTable:
		n.shape, n.inline = shapeTable, true
		for it := x.Children(); it.Next(); {
			r.assign(n, it.Node(), depth+1)
		}
	case unstable.String:
		n.shape = shapeText
	case unstable.Bool:
		n.shape = shapeBool
	case unstable.Integer:
		n.shape = shapeInteger
		r.integer(n)
	case unstable.Float:
		n.shape = shapeFloat
		n.text = strings.ReplaceAll(n.text, "_", "")
	default:
		n.shape = shapeTime
	}
	return n
}

// integer writes a hexadecimal, octal or binary number, or one with underscores, in plain base ten.
func (r *tomlReader) integer(n *node) {
	i, err := strconv.ParseInt(strings.ReplaceAll(n.text, "_", ""), 0, 64)
	if err != nil {
		n.broken = true
		r.f.problem(n.at, "the integer has more than 64 bits", "")
		return
	}
	n.text = strconv.FormatInt(i, 10)
}
