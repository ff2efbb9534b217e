package test

import (
	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/runtime/scenario"
)

// target is t.target.
type target struct{ info scenario.TargetInfo }

func (t *target) String() string        { return "<target " + t.info.Name + " " + t.info.Version + ">" }
func (t *target) Type() string          { return "target" }
func (t *target) Freeze()               {}
func (t *target) Truth() starlark.Bool  { return true }
func (t *target) Hash() (uint32, error) { return starlark.String(t.info.Name).Hash() }
func (t *target) AttrNames() []string   { return targetType.AttrNames() }

func (t *target) Attr(name string) (starlark.Value, error) {
	return targetType.Attr(t, name)
}

func info(v starlark.Value) scenario.TargetInfo { return v.(*target).info }

var targetType = (&spec.Type{
	Name: "target",
	Doc:  "The server that a test runs on.",
	Example: `
print(t.target.kind, t.target.version)
`,
	Attrs: []spec.Attr{
		{Name: "name", Type: "str", Doc: "The target as it was named: \"mariadb\", a name from rig.toml, a URL without its password.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.String(info(v).Name), nil
		}},
		{Name: "kind", Type: "str", Doc: "embedded, mariadb, mysql, tidb or dolt.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.String(info(v).Type), nil
		}},
		{Name: "version", Type: "str", Doc: "The server's version, \"10.11.14\".", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.String(info(v).Version), nil
		}},
		{Name: "throw_away", Type: "bool", Doc: "True for a server that rig started for this run alone.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.Bool(info(v).ThrowAway), nil
		}},
	},
	Methods: []*spec.Func{{
		Name: "has", Returns: "bool",
		Doc: "Reports whether the server has an ability; a name that rig does not know is an error.",
		Params: []spec.Param{
			{Name: "ability", Type: "str", Form: "capability", Doc: "A capability (\"row_locks\") or a version (\"mariadb>=10.6\")."},
		},
		Impl: func(c *spec.Call) (starlark.Value, error) {
			ok, _, err := info(c.Recv).Check(c.Str("ability"))
			return starlark.Bool(ok), err
		},
	}},
}).Seal()
