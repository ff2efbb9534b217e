package main

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"rig/runtime/config"
	"rig/runtime/report"
	"rig/runtime/scenario"
)

func (c *execCmd) seedOf(cfg *config.Config) (int64, error) {
	if text := cfg.String("seed"); text != "" {
		return strconv.ParseInt(text, 10, 64)
	}
	return rand.Int64N(1_000_000), nil
}

// selection reads what narrows the plan.
func (c *execCmd) selection(cfg *config.Config) (scenario.Selection, error) {
	sel := scenario.Selection{Tags: cfg.List("tags")}
	if c.Match != "" {
		re, err := regexp.Compile(c.Match)
		if err != nil {
			return sel, usage("--run: %v", err)
		}
		sel.Match = re
	}
	if c.Shard != "" {
		i, n, ok := strings.Cut(c.Shard, "/")
		index, err1 := strconv.Atoi(i)
		count, err2 := strconv.Atoi(n)
		if !ok || err1 != nil || err2 != nil || index < 1 || count < index {
			return sel, usage("--shard: want I/N with 1 <= I <= N, such as 2/4, got %q", c.Shard)
		}
		sel.ShardIndex, sel.ShardCount = index, count
	}
	if c.LastFailed {
		ids, err := report.LastFailed(runsDir(cfg))
		if err != nil {
			return sel, usage("--last-failed: no finished run in %s", runsDir(cfg))
		}
		sel.IDs = append([]string{}, ids...)
	}
	if c.JSON && !c.List {
		return sel, usage("--json belongs to --list")
	}
	if c.Repeat < 0 {
		return sel, usage("--repeat: want at least 1, got %d", c.Repeat)
	}
	return sel, nil
}

// takeIDs lets a test be named as reports do: file.star::test_x.
func (c *execCmd) takeIDs(sel *scenario.Selection) error {
	var ids, files []string
	for _, p := range c.Paths {
		file, _, isID := strings.Cut(p, "::")
		if isID {
			ids = append(ids, filepath.ToSlash(filepath.Clean(file))+p[len(file):])
		}
		files = append(files, file)
	}
	if ids == nil {
		return nil
	}
	if len(ids) != len(c.Paths) || sel.IDs != nil {
		return usage("name either tests (file.star::test_x) or files, and no tests with --last-failed; --run selects by a pattern")
	}
	sel.IDs, c.Paths = ids, files
	return nil
}

// distinct refuses two reports in one place.
func distinct(specs []string) error {
	seen := map[string]string{}
	for _, spec := range specs {
		_, path, _ := strings.Cut(spec, "=")
		if path == "" || path == "-" {
			path = "stdout"
		} else {
			path = filepath.Clean(path)
		}
		if other := seen[path]; other != "" {
			return usage("--report: %s and %s both write to %s", other, spec, path)
		}
		seen[path] = spec
	}
	return nil
}

// nothing says why no test runs.
func nothing(files []string, plan *scenario.Plan, sel scenario.Selection) string {
	switch n := len(plan.Items); {
	case len(files) == 0:
		return "no .star file was found"
	case n == 0:
		return "the files have no test: a function named test_..., with one argument"
	case sel.IDs != nil && len(sel.IDs) == 0:
		return "no test failed in the last run"
	case n == 1:
		return "the one test is not selected; --list shows it"
	default:
		return fmt.Sprintf("none of the %d tests is selected; --list shows them", n)
	}
}
