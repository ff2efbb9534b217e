package catalog

import (
	"fmt"
	"time"
)

// Duration reads what scripts write where the type of a parameter is duration: "200ms", "1m30s".
func Duration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%q is no duration: write it like \"200ms\", \"5s\" or \"1m30s\"", text)
	}
	return NotNegative(d)
}

// NotNegative refuses a duration below zero.
func NotNegative(d time.Duration) (time.Duration, error) {
	if d < 0 {
		return 0, fmt.Errorf("a duration cannot be negative, got %s", d)
	}
	return d, nil
}
