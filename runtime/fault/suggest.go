package fault

import "strings"

// Suggest gives the candidate that word was probably meant to be, "" when none is near. Distance is Damerau-Levenshtein
// (insert, delete, replace, swap neighbours) without regard to case and to - or _; near means at most a third of the
// word's length, or that one is the other with something at its end, or with words in front. Of equally near candidates the first wins.
func Suggest(word string, candidates []string) string {
	w := fold(word)
	if w == "" {
		return ""
	}
	best, bestAt := "", 1+max(1, len(w)/3)
	for _, c := range candidates {
		f := fold(c)
		if c == word || f == "" {
			continue
		}
		if d := distance(w, f, bestAt); d < bestAt && d < max(len(w), len(f)) {
			best, bestAt = c, d
		}
	}
	if best == "" {
		best = extended(w, candidates)
	}
	return best
}

// extended finds the one candidate that w begins or is the last words of, or the other way round; two such are no help.
func extended(w string, candidates []string) string {
	if len(w) < 3 {
		return ""
	}
	found := ""
	for _, c := range candidates {
		f := fold(c)
		if f == w || len(f) < 3 || !within(f, w) && !within(w, f) {
			continue
		}
		if found != "" {
			return ""
		}
		found = c
	}
	return found
}

func within(long, short string) bool {
	return strings.HasPrefix(long, short) || strings.HasSuffix(long, "_"+short)
}

func fold(s string) string { return strings.ReplaceAll(strings.ToLower(s), "-", "_") }

// distance is the optimal string alignment distance; it may stop with any value of at least limit once that is certain.
func distance(a, b string, limit int) int {
	if d := len(a) - len(b); d >= limit || -d >= limit {
		return limit
	}
	before, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		least := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
			least = min(least, row[j])
		}
		if least >= limit {
			return limit
		}
		before, prev, row = prev, row, before
	}
	return prev[len(b)]
}
