package scenario

import (
	"context"

	"rig/runtime/server"
	"rig/runtime/session"
)

// Target is a server that exists, with the hub that opens sessions on it.
type Target struct {
	Name   string
	Server *server.Server
	Hub    *session.Hub
}

// Targets makes servers exist. Target starts the named one at its first use ("" is the run's own); Own starts one that
// belongs to the caller alone.
type Targets interface {
	Target(ctx context.Context, name string) (*Target, error)
	Own(ctx context.Context) (*Target, func(), error)
	// Address is a server at another place, reached as the run's own target is but for what the options say.
	Address(ctx context.Context, o ConnectOptions) (*Target, error)
}
