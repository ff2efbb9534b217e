package elle

import (
	"slices"
	"testing"
)

// Every level that a verdict can rule out may be asked for, and is judged so.
func TestRuledOutLevelsCanBeAskedFor(t *testing.T) {
	not, also := RuledOut([]string{"G1a"})
	for _, name := range append(not, also...) {
		if level, err := Level(name); err != nil || !Violates(level, "G1a") {
			t.Errorf("%s: %q, %v", name, level, err)
		}
	}
	if !slices.Contains(also, "monotonic-atomic-view") {
		t.Errorf("%v", also)
	}
}
