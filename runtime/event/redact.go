package event

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// mask stands in place of a secret.
const mask = "***"

// minPlain is the length in bytes from which a secret is replaced wherever it occurs; shorter ones would mangle every
// text, so they are replaced as whole words only.
const minPlain = 4

// redactor replaces secrets in texts. It is immutable; with makes a larger one.
type redactor struct {
	secrets []string
	plain   *strings.Replacer
	finds   []string
	words   []*regexp.Regexp
}

func (r *redactor) active() bool { return len(r.secrets) > 0 }

func (r *redactor) with(s string) *redactor {
	if slices.Contains(r.secrets, s) {
		return r
	}
	n := &redactor{secrets: append(slices.Clone(r.secrets), s)}
	var pairs []string
	for _, secret := range n.secrets {
		for _, v := range spellings(secret) {
			if len(v) < minPlain {
				n.words = append(n.words, wholeWord(v))
				continue
			}
			n.finds = append(n.finds, v)
		}
	}
	// The longest first: a secret that contains another must go as a whole.
	slices.SortFunc(n.finds, func(a, b string) int { return len(b) - len(a) })
	for _, v := range n.finds {
		pairs = append(pairs, v, mask)
	}
	n.plain = strings.NewReplacer(pairs...)
	return n
}

func wholeWord(v string) *regexp.Regexp {
	return regexp.MustCompile(`(^|[^\pL\pN_])` + regexp.QuoteMeta(v) + `($|[^\pL\pN_])`)
}

// spellings gives the forms in which SQL literals, Go's %q and URLs write a secret.
func spellings(s string) []string {
	quoted := strconv.Quote(s)
	all := []string{
		s,
		quoted[1 : len(quoted)-1],
		url.QueryEscape(s),
		url.PathEscape(s),
		url.UserPassword("", s).String()[1:],
		strings.ReplaceAll(s, "'", "''"),
		strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), "'", `\'`),
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (r *redactor) text(s string) string {
	if s == "" || !r.active() {
		return s
	}
	for _, f := range r.finds {
		if strings.Contains(s, f) {
			s = r.plain.Replace(s)
			break
		}
	}
	for _, w := range r.words {
		if w.MatchString(s) {
			// Twice: neighbours share the character between them.
			s = w.ReplaceAllString(w.ReplaceAllString(s, "${1}"+mask+"${2}"), "${1}"+mask+"${2}")
		}
	}
	return s
}
