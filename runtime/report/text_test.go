package report

import (
	"strings"
	"testing"
	"time"

	"rig/runtime/event"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"":                 "",
		"plain\n\tGrüße 日": "plain\n\tGrüße 日",
		"a\x1b[31mb":       `a\x1b[31mb`,
		"\x00\r\x7f":       `\x00\x0d\x7f`,
		"\u009b2J":         `\x9b2J`,
		"\xff\x9b":         `\xff\x9b`,
		"a\u202eb\u2028":   `a\u202eb\u2028`,
		"\ufeffx":          `\ufeffx`,
		"\ufffd":           "\ufffd",
	} {
		if got := clean(in); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestTexts(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{oneLine(" a\n\t b  c "), "a b c"},
		{clip("abcdef", 3), "abc..."},
		{clip("aé", 2), "a..."},
		{clip("abc", 3), "abc"},
		{indent("a\n\nb\n", "  "), "  a\n\n  b\n"},
		{span(-1), "0ms"},
		{span(40 * time.Microsecond), "0.04ms"},
		{span(1500 * time.Microsecond), "1.5ms"},
		{span(12 * time.Millisecond), "12ms"},
		{span(1234 * time.Millisecond), "1.2s"},
		{span(83 * time.Second), "1m23s"},
		{fit("abc", 2), "ab"},
		{fit("日本", 3), "日"},
		{quote("a \"b\"\n"), `"a \"b\"\n"`},
		{baseID("a::b#2"), "a::b"},
		{baseID("a::b#"), "a::b#"},
		{baseID("a::b[#1]"), "a::b[#1]"},
		{headline(&event.Error{Message: "a.star:1:2: x", Pos: event.Pos{File: "a.star", Line: 1, Col: 2}}), "a.star:1:2: x"},
		{headline(&event.Error{Message: "db.query: x", Op: "db.query"}), "db.query: x"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestTrails(t *testing.T) {
	tr := newTrails()
	say := func(test, session, sql string) { tr.note(test, session, &event.Statement{SQL: sql}) }
	for i := range 100 {
		say("f::t", "s"+strings.Repeat("x", i), "q")
	}
	if n := len(tr.of("f::t", "")); n != maxTrails {
		t.Errorf("%d sessions kept", n)
	}
	for i := range 7 {
		say("f::u", "a", string(rune('0'+i)))
	}
	var got string
	for _, s := range tr.of("f::u", "a")[0].statements() {
		got += s.sql
	}
	if got != "23456" {
		t.Errorf("kept %q", got)
	}
	say("f::setup_all", "shared", "of setup")
	if got := tr.of("f::u", "shared"); len(got) != 1 || got[0].session != "shared" {
		t.Errorf("setup_all's session: %v", got)
	}
	if got := tr.of("f::u", "nobody"); len(got) != 1 || got[0].session != "a" {
		t.Errorf("a session that said nothing: %v", got)
	}
	tr.forget("f::u")
	if got := tr.of("f::u", ""); got != nil {
		t.Errorf("after forget: %v", got)
	}
}
