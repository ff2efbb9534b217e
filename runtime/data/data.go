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

// Batches gives the rows as they must be deleted: a row that points to another was made after it, so the youngest go first.
// Neighbours of one place go together, at most size of them.
func (l *Ledger[P]) Batches(size int) []Batch[P] {
	var out []Batch[P]
	for _, r := range slices.Backward(l.rows) {
		if n := len(out); n > 0 && out[n-1].Place == r.Place && len(out[n-1].IDs) < size {
			out[n-1].IDs = append(out[n-1].IDs, r.ID)
			continue
		}
		out = append(out, Batch[P]{r.Place, []any{r.ID}})
	}
	return out
}
