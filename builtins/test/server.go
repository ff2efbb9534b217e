package test

import (
	"context"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/runtime/server"
)

// ownServer is t.server.
type ownServer struct{ s *server.Server }

func (s *ownServer) String() string        { return "<server " + s.s.Type() + " " + s.s.Version() + ">" }
func (s *ownServer) Type() string          { return "server" }
func (s *ownServer) Freeze()               {}
func (s *ownServer) Truth() starlark.Bool  { return true }
func (s *ownServer) Hash() (uint32, error) { return starlark.String(s.s.Name()).Hash() }
func (s *ownServer) AttrNames() []string   { return serverType.AttrNames() }

// Attr finds a member.
func (s *ownServer) Attr(name string) (starlark.Value, error) {
	return serverType.Attr(s, name)
}

func control(name, doc string, f func(ctx context.Context, s *server.Server) error) *spec.Func {
	return &spec.Func{Name: name, Doc: doc, Impl: func(c *spec.Call) (starlark.Value, error) {
		return starlark.None, f(c.Script().Context(), c.Recv.(*ownServer).s)
	}}
}

var serverType = (&spec.Type{
	Name: "server",
	Doc:  "The throw-away server of a test that has one of its own. Sessions that it loses are closed; conn.reset() connects again.",
	Example: `
# At the top level:  test(test_crash, server = "own")
# In the test:       t.server.kill(); t.server.restart(); t.db.reset()
`,
	Methods: []*spec.Func{
		control("kill", "Ends the server at once, as a crash does.", func(_ context.Context, s *server.Server) error { return s.Kill() }),
		control("pause", "Stops the server's process without ending it.", func(_ context.Context, s *server.Server) error { return s.Pause() }),
		control("resume", "Lets a paused server go on.", func(_ context.Context, s *server.Server) error { return s.Resume() }),
		control("restart", "Ends the server and starts it again with its data, at the same address.", func(ctx context.Context, s *server.Server) error { return s.Restart(ctx) }),
	},
}).Seal()
