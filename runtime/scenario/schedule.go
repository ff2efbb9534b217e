package scenario

import (
	"context"
	"fmt"

	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/script"
	"rig/runtime/session"
	"rig/runtime/wait"
)

// Waits tells which sessions of a target wait for locks; "" is the test's own target.
func (t *Test) Waits(target string) (*wait.Watcher, error) {
	to, err := t.outermost().targetFor(t.Context(), ConnectOptions{Target: target})
	if err != nil {
		return nil, err
	}
	return to.Hub.Waits()
}

// OneDatabase reports whether the run stays inside one database, so that Scratch is refused.
func (t *Test) OneDatabase() bool { return t.run.OneDatabase != "" }

// Scratch makes a further database for the test on a target ("" is the test's own). drop removes it; it must be called.
func (t *Test) Scratch(target string) (name string, drop func() error, err error) {
	o := t.outermost()
	r := o.run
	if r.OneDatabase != "" {
		return "", nil, fault.New(fault.Refused, "", "this run stays inside the database "+r.OneDatabase)
	}
	to, err := o.targetFor(t.Context(), ConnectOptions{Target: target})
	if err != nil {
		return "", nil, err
	}
	name = fmt.Sprintf("%s%s_%d", databasePrefix, r.ID, r.nextDatabase.Add(1))
	r.emitScratch(o, to, name, "create", nil)
	err = r.admins.with(t.Context(), to, func(s *session.Session) error {
		_, err := s.Exec(adminCall("create database"), "CREATE DATABASE `"+name+"`", nil)
		return err
	})
	if err != nil {
		r.emitScratch(o, to, name, "drop", nil)
		return "", nil, databaseError(name, err)
	}
	return name, func() error { return r.dropScratch(o, to, name) }, nil
}

// dropScratch also works when the test was stopped: what stays is in the ledger.
func (r *run) dropScratch(o *Test, to *Target, name string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(o.Context()), r.CleanupTimeout)
	defer cancel()
	err := r.admins.with(ctx, to, func(s *session.Session) error {
		_, err := s.Exec(adminCall("drop database"), "DROP DATABASE IF EXISTS `"+name+"`", nil)
		return err
	})
	r.emitScratch(o, to, name, "drop", err)
	if err != nil {
		return fmt.Errorf("drop database %s: %w", name, err)
	}
	return nil
}

func (r *run) emitScratch(o *Test, to *Target, name, action string, err error) {
	d := &event.Database{Target: to.Name, What: "database", Name: name, Action: action}
	if err != nil {
		d.Error = script.Describe(err)
	}
	o.Emit(event.Pos{}, d)
}
