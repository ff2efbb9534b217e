package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
)

// jsonReader builds the tree of a JSON file. The text is known to be valid, so that only places and limits matter.
type jsonReader struct {
	f   *file
	dec *json.Decoder
}

// readJSON fills f.root where the file is valid JSON.
func (f *file) readJSON() {
	f.root = &node{shape: shapeTable}
	var raw json.RawMessage
	err := json.Unmarshal(f.data, &raw)
	var bad *json.SyntaxError
	if errors.As(err, &bad) {
		at := max(int(bad.Offset)-1, 0)
		f.syntax(span{at, at + 1}, bad.Error())
		return
	}
	r := jsonReader{f: f, dec: json.NewDecoder(bytes.NewReader(f.data))}
	r.dec.UseNumber()
	root := r.value(0)
	if root == nil {
		return
	}
	if root.shape != shapeTable {
		f.problem(root.at, "the file holds "+root.shape.String()+" and not an object", "write { \"target\": \"mariadb\" }")
		return
	}
	f.root = root
}

// next reads a token with its place; nil at the end.
func (r *jsonReader) next() (json.Token, span) {
	start := int(r.dec.InputOffset())
	for start < len(r.f.data) && strings.IndexByte(" \t\r\n,:", r.f.data[start]) >= 0 {
		start++
	}
	tok, err := r.dec.Token()
	if err != nil {
		return nil, span{start, start}
	}
	return tok, span{start, int(r.dec.InputOffset())}
}

// value reads a value; nil when it is nested too deep, which ends the reading.
func (r *jsonReader) value(depth int) *node {
	tok, at := r.next()
	n := &node{at: at}
	if depth > maxNesting {
		r.f.problem(at, "the value is nested too deep", "")
		return nil
	}
	switch v := tok.(type) {
	case string:
		n.text = v
	case json.Number:
		n.shape, n.text = shapeInteger, v.String()
		if _, err := v.Int64(); err != nil {
			n.shape = shapeFloat
		}
	case bool:
		n.shape, n.text = shapeBool, "false"
		if v {
			n.text = "true"
		}
	case json.Delim:
		if v == '{' {
			return r.table(n, depth)
		}
		return r.list(n, depth)
	default:
		n.shape = shapeNull
	}
	return n
}

func (r *jsonReader) table(n *node, depth int) *node {
	n.shape = shapeTable
	for r.dec.More() {
		tok, at := r.next()
		key, _ := tok.(string)
		r.f.keys++
		if r.f.tooMany() {
			return nil
		}
		v := r.value(depth + 1)
		if v == nil {
			return nil
		}
		if old := n.find(key); old != nil {
			r.f.duplicate(at, key, old.at)
			continue
		}
		n.add(&entry{key: key, at: at, value: v})
	}
	r.next()
	return n
}

func (r *jsonReader) list(n *node, depth int) *node {
	n.shape = shapeList
	for r.dec.More() {
		v := r.value(depth + 1)
		if v == nil {
			return nil
		}
		n.items = append(n.items, v)
	}
	r.next()
	return n
}
