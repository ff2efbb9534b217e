package config

// shape is what a value in a file is.
type shape int

const (
	shapeText shape = iota
	shapeInteger
	shapeFloat
	shapeBool
	shapeTime
	shapeNull
	shapeList
	shapeTable
)

// String names the shape as a sentence about a value does.
func (s shape) String() string {
	return [...]string{"a text", "an integer", "a number", "true or false", "a date or time", "null", "a list", "a table"}[s]
}

// span is a part of a file, in bytes.
type span struct{ start, end int }

// node is a value in a file. text is set for what is no list and no table; numbers have no underscores and base ten.
type node struct {
	shape   shape
	text    string
	items   []*node
	entries []*entry
	index   map[string]*entry // of entries
	at      span

	header bool // a table that has a [header] of its own
	broken bool // noted already
	inline bool // a table in braces, which nothing may add to
}

// entry is a key with its value, in the order of the file.
type entry struct {
	key   string
	at    span // of the key
	value *node
}

func (n *node) find(key string) *entry { return n.index[key] }

func (n *node) add(e *entry) {
	if n.index == nil {
		n.index = map[string]*entry{}
	}
	n.index[e.key] = e
	n.entries = append(n.entries, e)
}

// scalar reports whether the value has a text.
func (n *node) scalar() bool {
	return n.shape != shapeList && n.shape != shapeTable && n.shape != shapeNull
}

// texts gives the texts of a list of scalars, or of one scalar.
func (n *node) texts() ([]string, bool) {
	if n.scalar() {
		return []string{n.text}, true
	}
	if n.shape != shapeList {
		return nil, false
	}
	list := make([]string, 0, len(n.items))
	for _, i := range n.items {
		if !i.scalar() {
			return nil, false
		}
		list = append(list, i.text)
	}
	return list, true
}
