package importer

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// checks writes what must have been seen, and counts it with the markers that rig checks.
func (w *writer) checks(r run) int {
	if len(r.orders) != 1 {
		return 0
	}
	n := 0
	for _, u := range r.orders[0].uses {
		if u.seen == nil {
			continue
		}
		n++
		got := fmt.Sprintf("r.step(%s).rows", quote(u.step))
		switch {
		case u.seen.error != 0:
		case u.seen.unaffected:
			w.line("expect.eq(r.step(%s).rows_affected, 0)", quote(u.step))
		case u.seen.none:
			w.line("expect.eq(len(%s), 0)", got)
		default:
			w.rowsAre(u, got)
		}
	}
	return n
}

var ordersBy = regexp.MustCompile(`(?i)\border\s+by\b`)

// rowsAre compares rows, in any order where the statement names none.
func (w *writer) rowsAre(u use, got string) {
	want := u.seen.rows
	typed := !u.seen.text && !hasNull(want) // None has no place in an order
	if u.seen.text {
		got = "shown(" + got + ")"
	}
	text := typedRows
	if u.seen.text {
		text = textRows
	}
	if (typed || u.seen.text) && !ordersBy.MatchString(u.sql) {
		got, want = "sorted("+got+")", sortedRows(want, typed)
	}
	w.line("expect.eq(%s, %s)", got, text(want))
}

func hasNull(rows [][]string) bool {
	for _, r := range rows {
		for _, cell := range r {
			if strings.EqualFold(cell, "NULL") {
				return true
			}
		}
	}
	return false
}

// sortedRows puts rows in the order of Starlark's sorted.
func sortedRows(rows [][]string, typed bool) [][]string {
	out := slices.Clone(rows)
	slices.SortStableFunc(out, func(a, b []string) int {
		for i := range min(len(a), len(b)) {
			if typed && integer.MatchString(a[i]) && integer.MatchString(b[i]) {
				x, _ := strconv.ParseInt(a[i], 10, 64)
				y, _ := strconv.ParseInt(b[i], 10, 64)
				if c := cmp.Compare(x, y); c != 0 {
					return c
				}
				continue
			}
			if c := cmp.Compare(a[i], b[i]); c != 0 {
				return c
			}
		}
		return cmp.Compare(len(a), len(b))
	})
	return out
}

func (w *writer) needsShown(tests []test) bool {
	for _, t := range tests {
		for _, o := range t.orders {
			for _, u := range o.uses {
				if u.seen != nil && u.seen.text {
					return true
				}
			}
		}
	}
	return false
}

func (w *writer) helperShown() {
	w.line("\n\ndef shown(rows):")
	w.depth++
	w.doc("The rows as a client prints them.")
	w.line(`return [tuple(["NULL" if v == None else str(v).strip() for v in row]) for row in rows]`)
	w.depth--
}

func textRows(rows [][]string) string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = tuple(r, quote)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

var integer = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,17})$`)

// typedRows are rows of numbers, NULL and strings.
func typedRows(rows [][]string) string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = tuple(r, func(s string) string {
			switch {
			case integer.MatchString(s):
				return s
			case strings.EqualFold(s, "NULL"):
				return "None"
			}
			return quote(s)
		})
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func tuple(cells []string, f func(string) string) string {
	out := make([]string, len(cells))
	for i, c := range cells {
		out[i] = f(c)
	}
	if len(out) == 1 {
		return "(" + out[0] + ",)"
	}
	return "(" + strings.Join(out, ", ") + ")"
}
