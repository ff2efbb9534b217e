// Command summary prints what a `go test -json` run found: failures with their output, skips with their reasons, counts.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

type record struct {
	Action, Package, Test, Output string
	Elapsed                       float64
}

type key struct{ pkg, test string }

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "summary:", err)
		os.Exit(1)
	}
}

func run(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	output := map[key]*strings.Builder{}
	var passed, failed, skipped int
	in := bufio.NewScanner(f)
	in.Buffer(nil, 64<<20)
	for in.Scan() {
		var r record
		if json.Unmarshal(in.Bytes(), &r) != nil {
			fmt.Println(in.Text()) // a build error is plain text
			continue
		}
		k := key{r.Package, r.Test}
		if output[k] == nil {
			output[k] = &strings.Builder{}
		}
		switch r.Action {
		case "output", "build-output":
			output[k].WriteString(r.Output)
			if r.Action == "build-output" {
				fmt.Print(r.Output)
			}
			continue
		case "pass":
			if r.Test != "" {
				passed++
			} else {
				fmt.Printf("ok    %s  %.1fs\n", r.Package, r.Elapsed)
			}
		case "fail":
			fmt.Printf("FAIL  %s %s\n%s", r.Package, r.Test, output[k])
			failed++
		case "skip":
			if r.Test != "" {
				skipped++
				fmt.Printf("SKIP  %s %s\n%s", r.Package, r.Test, output[k])
			}
		}
		if r.Action != "run" && r.Action != "start" {
			delete(output, k)
		}
	}
	if err := in.Err(); err != nil {
		return err
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped)
	if passed == 0 {
		return fmt.Errorf("no test ran")
	}
	return nil
}
