// Package data makes the content of test tables.
//
// [NewFaker] gives values that look real, the same for the same seed; [ReadCSV] reads rows that a person wrote; [Name] gives names
// that nobody else has; a [Ledger] remembers rows so that they can be deleted again, the youngest first.
package data

import (
	"fmt"
	"slices"
	"unicode/utf8"
)

// MaxName is the length of the longest name of a table, database or user lock, in characters.
const MaxName = 64

// Name makes a name of prefix, the run, and a number that the run gives once.
func Name(prefix, run string, n uint64) (string, error) {
	tail := fmt.Sprintf("_%s_%d", run, n)
	if room := MaxName - len(tail); utf8.RuneCountInString(prefix) > room {
		return "", fmt.Errorf("want at most %d characters, got %d: a name has %d at most, and %q follows", room, utf8.RuneCountInString(prefix), MaxName, tail)
	}
	return prefix + tail, nil
}

// Row is one row that was made: at a place, which is whatever tells apart where rows are deleted.
type Row[P comparable] struct {
	Place P
	ID    any
}

// Ledger remembers rows in the order in which they were made.
type Ledger[P comparable] struct{ rows []Row[P] }

// Add notes a row.
func (l *Ledger[P]) Add(place P, id any) { l.rows = append(l.rows, Row[P]{place, id}) }

// Len is the number of rows.
func (l *Ledger[P]) Len() int { return len(l.rows) }

// Batch is rows of one place.
type Batch[P comparable] struct {
	Place P
	IDs   []any
}

// Groups gives the rows by their places, at most size of them together: the place whose first row is the youngest goes first. Where
// rows point only from younger places to older ones, they can be deleted so.
func (l *Ledger[P]) Groups(size int) []Batch[P] {
	var order []P
	ids := map[P][]any{}
	for _, r := range l.rows {
		if _, ok := ids[r.Place]; !ok {
			order = append(order, r.Place)
		}
		ids[r.Place] = append(ids[r.Place], r.ID)
	}
	var out []Batch[P]
	for _, p := range slices.Backward(order) {
		for part := range slices.Chunk(ids[p], size) {
			out = append(out, Batch[P]{p, part})
		}
	}
	return out
}

// Singly gives the rows one by one, the youngest first. A row that points to another was made after it, so this order is good
// however tables point to each other and to themselves.
func (l *Ledger[P]) Singly() []Batch[P] {
	out := make([]Batch[P], 0, len(l.rows))
	for _, r := range slices.Backward(l.rows) {
		out = append(out, Batch[P]{r.Place, []any{r.ID}})
	}
	return out
}
