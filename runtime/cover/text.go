package cover

import (
	"bufio"
	"fmt"
	"io"
	"text/tabwriter"
)

func writeText(w io.Writer, files []File) error {
	b := bufio.NewWriter(w)
	tab := tabwriter.NewWriter(b, 0, 4, 2, ' ', 0)
	fmt.Fprintln(tab, "file\tstatements\tran\t\tbranches\ttaken\t")
	var all Totals
	row := func(name string, t Totals) {
		fmt.Fprintf(tab, "%s\t%d\t%d\t%s\t%d\t%d\t%s\n", name, t.Statements, t.Ran, percent(t.Ran, t.Statements), t.Branches, t.Taken, percent(t.Taken, t.Branches))
	}
	for i := range files {
		t := files[i].Totals()
		all = all.add(t)
		row(files[i].Path, t)
	}
	if len(files) != 1 {
		row("total", all)
	}
	if err := tab.Flush(); err != nil {
		return err
	}
	for i := range files {
		f := &files[i]
		if lines := f.missing(); lines != "" {
			fmt.Fprintf(b, "%s: lines that did not run: %s\n", f.Path, lines)
		}
		if half := f.half(); half != "" {
			fmt.Fprintf(b, "%s: conditions that came out one way: %s\n", f.Path, half)
		}
	}
	return b.Flush()
}

// writeLCOV follows the geninfo(1) manual of LCOV 2: TN, SF, FN, FNDA, BRDA, DA, each file to end_of_record.
func writeLCOV(w io.Writer, files []File) error {
	b := bufio.NewWriter(w)
	for i := range files {
		f := &files[i]
		fmt.Fprintf(b, "TN:\nSF:%s\n", f.Path)
		lcovFunctions(b, f)
		t := f.Totals()
		for n, x := range f.Branches {
			for way, count := range []uint64{x.True, x.False} {
				text := fmt.Sprint(count)
				if x.True+x.False == 0 {
					text = "-" // the condition was never reached
				}
				fmt.Fprintf(b, "BRDA:%d,0,%d,%s\n", x.Line, 2*n+way, text)
			}
		}
		fmt.Fprintf(b, "BRF:%d\nBRH:%d\n", t.Branches, t.Taken)
		lcovLines(b, f)
		fmt.Fprintln(b, "end_of_record")
	}
	return b.Flush()
}

func lcovFunctions(b io.Writer, f *File) {
	found, hit := 0, 0
	names := map[string]bool{}
	for _, s := range f.Statements {
		if s.Func == "" || !s.First {
			continue
		}
		found++
		if s.Count > 0 {
			hit++
		}
		name := s.Func
		if name == "lambda" || names[name] { // readers take two functions of one name for one
			name = fmt.Sprintf("%s:%d:%d", name, s.Line, s.Col)
		}
		names[name] = true
		fmt.Fprintf(b, "FN:%d,%s\nFNDA:%d,%s\n", s.Line, name, s.Count, name)
	}
	fmt.Fprintf(b, "FNF:%d\nFNH:%d\n", found, hit)
}

// lcovLines counts lines: of two statements on one, the one that ran more often tells.
func lcovLines(b io.Writer, f *File) {
	counts := map[int]uint64{}
	var lines []int
	for _, s := range f.Statements {
		if _, seen := counts[s.Line]; !seen {
			lines = append(lines, s.Line)
		}
		counts[s.Line] = max(counts[s.Line], s.Count)
	}
	hit := 0
	for _, l := range lines {
		fmt.Fprintf(b, "DA:%d,%d\n", l, counts[l])
		if counts[l] > 0 {
			hit++
		}
	}
	fmt.Fprintf(b, "LF:%d\nLH:%d\n", len(lines), hit)
}
