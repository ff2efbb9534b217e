package session_test

import (
	"database/sql/driver"
	"fmt"
	"math"
	"reflect"
	"sync/atomic"
	"testing"
	"unicode/utf8"
)

// FuzzArguments lets the server say what it read, of the text and of the binary protocol, in every sql_mode that matters.
func FuzzArguments(f *testing.F) {
	for _, s := range []string{"", "a", hard, "\\", "'", "''", "\\'", `"`, "\x00", "%", "😀", "\xff\xfe", "?", "/*", "-- ", "\x1a"} {
		f.Add(s, int64(len(s)), uint64(len(s)), float64(len(s))/3)
	}
	f.Add("x", int64(math.MinInt64), uint64(math.MaxUint64), -math.MaxFloat64)
	f.Add("x", int64(math.MaxInt64), uint64(1<<63), math.SmallestNonzeroFloat64*(1<<52))
	f.Add("x", int64(-1), uint64(0), math.Copysign(0, -1))
	w := onMariadb(f)
	a := w.open()
	var n atomic.Int64
	f.Fuzz(func(t *testing.T, text string, i int64, u uint64, x float64) {
		w := &world{TB: t, hub: w.hub, log: w.log}
		for _, mode := range []string{"", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES"} {
			w.exec(a, "SET sql_mode = '"+mode+"'")
			sql := fmt.Sprintf("SELECT /* %d */ HEX(?), ? = ?, ?, ?", n.Add(1))
			args := []driver.Value{[]byte(text), i, i, u, x}
			if utf8.ValidString(text) {
				args[0] = text
			}
			if math.IsNaN(x) || math.IsInf(x, 0) {
				args[4] = nil
			}
			for use := range 2 {
				r := w.query(a, sql, args...)
				got := []any{r.Cell(0, 0), r.Cell(0, 1), r.Cell(0, 3)}
				if want := []any{fmt.Sprintf("%X", text), int64(1), args[4]}; !reflect.DeepEqual(got, want) && x != 0 {
					t.Errorf("%q %d %v in mode %q, use %d: got %v, want %v", text, i, x, mode, use, got, want)
				}
				if c := r.At(0, 2); c.Uint() != u {
					t.Errorf("%d came back as %d", u, c.Uint())
				}
			}
		}
	})
}
