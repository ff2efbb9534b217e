package prompt

import "testing"

// TestChosen: of several sessions with one name the first that lives is meant.
func TestChosen(t *testing.T) {
	list := []Session{{Name: "b", State: "closed"}, {Name: "b", State: "idle"}, {Name: "b", State: "runs"}, {Name: "c", State: "closed"}, {Name: "c", State: "closed"}}
	for name, want := range map[string]int{"b": 1, "c": 4, "d": -1, "": -1} {
		if got := Chosen(list, name); got != want {
			t.Errorf("%q: %d, want %d", name, got, want)
		}
	}
}
