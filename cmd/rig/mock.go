package main

import (
	"context"
	"errors"

	rules "rig/builtins/mock"
	"rig/runtime/config"
	"rig/runtime/mock"
	"rig/runtime/server"
)

// sparedByRules is how many connections of a mock target meet no rule about handshakes: the look at the server, the one that
// kills statements, and the one that makes databases.
const sparedByRules = 3

// mock makes the server of --target mock:FILE from the file's rules.
func (t *targets) mock(ctx context.Context, c config.Target, spec *server.Spec) error {
	if t.host == nil {
		return usage("target %s: this command runs no scripts", c.Name)
	}
	m, err := t.host.Load(ctx, c.Address)
	if err != nil {
		return &exitError{exitLoad, err}
	}
	list, err := rules.OfModule(m)
	if err != nil {
		return &exitError{exitLoad, err}
	}
	srv, err := mock.New(list)
	if err != nil {
		var e *mock.RuleError
		if errors.As(err, &e) {
			err = rules.Wrong(m.Where("rules"), e)
		}
		return &exitError{exitLoad, err}
	}
	spec.Kind, spec.End = server.Mock, srv.Close
	spec.Address = server.Address{Network: "unix", Addr: c.Name, User: "rig", Dial: srv.Dialer(sparedByRules)}
	return nil
}
