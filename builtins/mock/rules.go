package mock

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/mock"
	"rig/runtime/script"
)

// The keys of rules, of answers and of results. None is written to.
var (
	resultKeys = []string{"rows", "columns", "affected", "last_insert_id"}
	answerKeys = append(slices.Clone(resultKeys), "results", "error", "delay", "drop")
	ruleKeys   = append([]string{"query", "prefix", "regexp", "handshake", "args", "answers", "times"}, answerKeys...)
)

// Compile reads a list of rules.
func Compile(v starlark.Value) ([]mock.Rule, error) {
	list, err := sequence(v)
	if err != nil {
		return nil, err
	}
	var out []mock.Rule
	for i, x := range list {
		r, err := compileOne(x)
		if err != nil {
			return nil, fmt.Errorf("rule %d: %w", i+1, err)
		}
		out = append(out, r)
	}
	return out, nil
}

func compileOne(v starlark.Value) (mock.Rule, error) {
	switch v := v.(type) {
	case *rule:
		return v.r, nil
	case starlark.IterableMapping:
		var b builder
		if err := b.fill(v, ruleKeys); err != nil {
			return mock.Rule{}, err
		}
		return b.finish()
	}
	return mock.Rule{}, fmt.Errorf("want a dict or mock.rule(...), got %s", v.Type())
}

// OfModule reads the rules that a file defines for --target mock:FILE.
func OfModule(m *script.Module) ([]mock.Rule, error) {
	v, ok := m.Globals["rules"]
	if !ok {
		e := &script.Error{Pos: event.Pos{File: m.Path}, Msg: "the file defines no rules", Hint: "a mock target's file defines rules = [...]"}
		var names []string
		for n := range m.Globals {
			names = append(names, n)
		}
		slices.Sort(names)
		if near := fault.Suggest("rules", names); near != "" {
			e.Hint += fmt.Sprintf("; is %s meant?", near)
		}
		return nil, e
	}
	rules, err := Compile(v)
	if err != nil {
		return nil, &script.Error{Pos: m.Where("rules"), Msg: err.Error()}
	}
	return rules, nil
}

// Wrong is a mistake in the rules of a file.
func Wrong(pos event.Pos, e *mock.RuleError) error {
	return &script.Error{Pos: pos, Msg: e.Error(), Hint: e.Hint}
}

// builder gathers a rule from its keys.
type builder struct {
	rule    mock.Rule
	answer  mock.Answer
	result  tableau
	has     map[string]bool
	ways    []string // query, prefix, regexp, handshake: those that were given
	answers bool
}

func (b *builder) fill(m starlark.IterableMapping, keys []string) error {
	for _, kv := range m.Items() {
		key, ok := starlark.AsString(kv[0])
		if !ok {
			return fmt.Errorf("a key is a str, got %s %s", kv[0].Type(), kv[0])
		}
		if !slices.Contains(keys, key) {
			return unknownKey(key, keys)
		}
		if kv[1] == starlark.None {
			continue
		}
		if err := b.set(key, kv[1]); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}

func unknownKey(key string, keys []string) error {
	if near := fault.Suggest(key, keys); near != "" {
		return fmt.Errorf("unknown key %q, did you mean %q?", key, near)
	}
	return fmt.Errorf("unknown key %q: there are %s", key, strings.Join(keys, ", "))
}

// set takes one key.
func (b *builder) set(key string, v starlark.Value) (err error) {
	if b.has == nil {
		b.has = map[string]bool{}
	}
	b.has[key] = true
	switch key {
	case "query", "prefix", "regexp":
		b.rule.How = mock.How(key)
		b.ways = append(b.ways, key)
		b.rule.Query, err = str(v)
	case "handshake":
		if on, ok := v.(starlark.Bool); !ok || !bool(on) {
			return fmt.Errorf("want True, got %s", v)
		}
		b.rule.How = mock.Handshake
		b.ways = append(b.ways, key)
	case "args":
		b.rule.Args, err = args(v)
	case "times":
		var n int64
		n, err = number(v, 0)
		b.rule.Times = int(n)
	case "answers":
		b.answers = true
		b.rule.Answers, err = answers(v)
	default:
		return b.setAnswer(key, v)
	}
	return err
}

func (b *builder) setAnswer(key string, v starlark.Value) (err error) {
	a := &b.answer
	switch key {
	case "rows":
		b.result.rows = v
		_, err = sequence(v)
	case "columns":
		b.result.columns, err = texts(v)
	case "affected":
		var n int64
		n, err = number(v, 0)
		b.result.result.Affected = uint64(n)
	case "last_insert_id":
		var n int64
		n, err = number(v, 0)
		b.result.result.LastInsertID = uint64(n)
	case "results":
		a.Results, err = results(v)
	case "error":
		a.Err, err = serverError(v)
	case "delay":
		a.Delay, err = spec.AsDuration(v)
	case "drop":
		var s string
		s, err = str(v)
		a.Drop = mock.Drop(s)
		if err == nil && s == "" {
			err = errors.New("it is empty")
		}
	}
	return err
}

// finish checks what only the whole rule tells.
func (b *builder) finish() (mock.Rule, error) {
	r := b.rule
	switch len(b.ways) {
	case 1:
	case 0:
		return r, errors.New("a rule says which statements it answers: query, prefix, regexp or handshake = True")
	default:
		return r, fmt.Errorf("%s: a rule has one of them", strings.Join(b.ways, " and "))
	}
	if !b.has["times"] {
		r.Times = mock.Any
	}
	single, err := b.finishAnswer()
	if err != nil {
		return r, err
	}
	if b.answers {
		for _, k := range answerKeys {
			if b.has[k] {
				return r, fmt.Errorf("answers and %s: put it into the answers", k)
			}
		}
		return r, nil
	}
	if r.How == mock.Handshake && (len(single.Results) > 0) {
		return r, errors.New("a rule about handshakes has an error, a delay or a drop")
	}
	r.Answers = []mock.Answer{single}
	return r, nil
}

func (b *builder) finishAnswer() (mock.Answer, error) {
	a := b.answer
	own := slices.ContainsFunc(resultKeys, func(k string) bool { return b.has[k] })
	if own && b.has["results"] {
		return a, errors.New("results and rows: put the rows into the results")
	}
	if own && b.has["error"] {
		return a, errors.New("an answer is rows or an error, not both")
	}
	if !own {
		return a, nil
	}
	r, err := b.result.finish(b.has)
	a.Results = []mock.Result{r}
	return a, err
}
