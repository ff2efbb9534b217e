package mock

import (
	"fmt"
	"strings"

	"rig/runtime/fault"
)

// find gives the answer to a statement, and remembers that it was asked.
func (s *Server) find(c *conn, tokens []token) Answer {
	sql := text(tokens)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.rules {
		args, ok := r.fits(tokens, sql)
		if !ok || r.spent() {
			continue
		}
		s.remember(Asked{SQL: sql, Args: args, Rule: r.number, Conn: c.id})
		return r.next()
	}
	s.remember(Asked{SQL: sql, Conn: c.id})
	if a, ok := usual(tokens); ok {
		return a
	}
	if len(s.unknown) < maxUnknown {
		s.unknown = append(s.unknown, sql)
	}
	return s.unmatched(tokens, sql)
}

// handshake gives the answer to a new connection; the zero Answer where no rule is about it.
func (s *Server) handshake() Answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.rules {
		if r.How == Handshake && !r.spent() {
			return r.next()
		}
	}
	return Answer{}
}

// remember must hold mu.
func (s *Server) remember(a Asked) {
	if len(s.asked) == maxAsked || s.kept+len(a.SQL) > maxBytes {
		s.kept = maxBytes // the first ones are told, not those that happen to be short
		return
	}
	s.asked, s.kept = append(s.asked, a), s.kept+len(a.SQL)
}

func (r *rule) spent() bool { return r.Times != Any && r.used >= r.Times }

func (r *rule) next() Answer {
	a := r.Answers[min(r.used, len(r.Answers)-1)]
	r.used++
	return a
}

// fits compares a statement, and gives what stood in place of the rule's ?.
func (r *rule) fits(tokens []token, sql string) ([]Value, bool) {
	switch r.How {
	case Handshake:
		return nil, false
	case Regexp:
		return nil, r.pattern.MatchString(sql)
	}
	args, rest, ok := follow(r.tokens, tokens)
	if !ok || r.How == Exact && len(rest) > 0 {
		return nil, false
	}
	for i, want := range r.Args {
		if !want.Any && !want.Value.equal(args[i]) {
			return nil, false
		}
	}
	return args, true
}

// follow walks along a pattern; a ? takes one literal with its sign. rest is what comes after.
func follow(pattern, tokens []token) (args []Value, rest []token, ok bool) {
	for _, p := range pattern {
		if len(tokens) == 0 {
			return nil, nil, false
		}
		if p.kind != tokPlace {
			if !same(p, tokens[0]) {
				return nil, nil, false
			}
			tokens = tokens[1:]
			continue
		}
		v, n := operand(tokens)
		if n == 0 {
			return nil, nil, false
		}
		args, tokens = append(args, v), tokens[n:]
	}
	return args, tokens, true
}

// operand reads a literal with an optional sign; n is the tokens it has.
func operand(tokens []token) (v Value, n int) {
	switch {
	case tokens[0].kind == tokLiteral:
		return tokens[0].value, 1
	case len(tokens) > 1 && tokens[1].kind == tokLiteral && tokens[1].value.numeric() && tokens[0].text == "-":
		v = tokens[1].value
		v.Text = "-" + v.Text
		return v, 2
	}
	return Value{}, 0
}

// same compares two tokens; a quoted name is the name.
func same(a, b token) bool {
	name := func(t token) bool { return t.kind == tokWord || t.kind == tokName }
	if name(a) && name(b) {
		return strings.EqualFold(a.text, b.text)
	}
	if a.kind != b.kind {
		return false
	}
	if a.kind == tokLiteral {
		return a.value.equal(b.value)
	}
	return a.text == b.text
}

// unmatched is the error for a statement that no rule answers. SQLSTATE 45000 is that of errors which an application makes.
// It must hold mu.
func (s *Server) unmatched(tokens []token, sql string) Answer {
	message := fmt.Sprintf("no mock rule answers %q", clip(sql))
	if near, why := s.nearest(tokens, sql); near != nil {
		message += fmt.Sprintf("; the nearest is %s, which %s", near, why)
	}
	return Answer{Err: &Error{Code: errSignal, SQLState: "45000", Message: message}}
}

// errSignal is ER_SIGNAL_EXCEPTION, an error that is the application's own.
const errSignal = 1644

// String names the rule for errors.
func (r *rule) String() string {
	s := fmt.Sprintf("rule %d", r.number)
	if r.Where != "" {
		s += " (" + r.Where + ")"
	}
	return fmt.Sprintf("%s: %s %q", s, r.How, clip(r.Query))
}

// nearest finds the rule that was probably meant, with the reason why it did not answer.
func (s *Server) nearest(tokens []token, sql string) (*rule, string) {
	var best *rule
	shared := 0
	for _, r := range s.rules {
		if r.How == Handshake {
			continue
		}
		if _, ok := r.fits(tokens, sql); ok {
			return r, fmt.Sprintf("has answered %s, as often as its times says", count(r.Times, "statement"))
		}
		if n := likeness(r, tokens); n > shared {
			best, shared = r, n
		}
	}
	if best == nil {
		return nil, ""
	}
	if args, rest, ok := follow(best.tokens, tokens); ok && best.Args != nil && (best.How == Prefix || len(rest) == 0) {
		return best, "wants other arguments than " + list(args)
	}
	return best, difference(best, tokens)
}

// likeness counts what a rule's words have in common with a statement, those at the beginning twice.
func likeness(r *rule, tokens []token) int {
	have := map[string]bool{}
	for _, t := range tokens {
		if t.kind == tokWord || t.kind == tokName {
			have[strings.ToLower(t.text)] = true
		}
	}
	n := 0
	pattern := r.tokens
	if r.How == Regexp {
		pattern = lex(r.Query)
	}
	for i, t := range pattern {
		switch {
		case i < len(tokens) && same(t, tokens[i]):
			n += 2
		case t.kind == tokWord && have[t.text]:
			n++
		case t.kind == tokWord && fault.Suggest(t.text, words(tokens)) != "":
			n++
		}
	}
	return n
}

func words(tokens []token) []string {
	var out []string
	for _, t := range tokens {
		if t.kind == tokWord {
			out = append(out, t.text)
		}
	}
	return out
}

// difference tells where a rule and a statement part.
func difference(r *rule, tokens []token) string {
	if r.How == Regexp {
		return "does not match"
	}
	i := 0
	for len(tokens) > 0 && i < len(r.tokens) {
		if r.tokens[i].kind == tokPlace {
			_, n := operand(tokens)
			if n == 0 {
				return fmt.Sprintf("wants a value where %q stands", tokens[0].raw)
			}
			tokens = tokens[n:]
		} else if same(r.tokens[i], tokens[0]) {
			tokens = tokens[1:]
		} else {
			return fmt.Sprintf("wants %q where %q stands", r.tokens[i].raw, tokens[0].raw)
		}
		i++
	}
	if i < len(r.tokens) {
		return fmt.Sprintf("goes on with %q", r.tokens[i].raw)
	}
	return fmt.Sprintf("ends before %q", tokens[0].raw)
}

func list(args []Value) string {
	out := make([]string, len(args))
	for i, a := range args {
		out[i] = a.literal()
	}
	return strings.Join(out, ", ")
}

// Verify tells whether what was asked is what the rules wanted: each statement was answered by a rule, and each rule with
// Times as often as it says. With all, the others at least once.
func (s *Server) Verify(all bool) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, r := range s.rules {
		switch {
		case r.Times != Any && r.used != r.Times:
			out = append(out, fmt.Sprintf("%s answered %d of %s", r, r.used, count(r.Times, "time")))
		case all && r.used == 0 && r.Times == Any:
			out = append(out, fmt.Sprintf("%s was never asked", r))
		}
	}
	for _, sql := range s.unknown {
		out = append(out, fmt.Sprintf("no rule answered %q", clip(sql)))
	}
	return out
}
