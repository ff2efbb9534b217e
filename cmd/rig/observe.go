package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/lmittmann/tint"

	"rig/runtime/config"
	"rig/runtime/event"
	"rig/runtime/report"
	"rig/runtime/telemetry"
)

// logLevels reads which log lines are shown.
func logLevels(cfg *config.Config) (report.Levels, error) {
	l, err := report.ParseLevels(cfg.String("log-level"))
	if err != nil {
		return l, usage("%v (%s; rig help logs has the modules)", err, cfg.Get("log-level").Origin)
	}
	return l, nil
}

// logs decides on the form of log lines: on a terminal tinted among the console's, as JSON on stderr, which then has nothing
// else of the run, or plain.
func logs(format string, color, tty bool, errs io.Writer) (handler func(io.Writer) slog.Handler, to io.Writer) {
	switch {
	case format == "json":
		return func(w io.Writer) slog.Handler {
			return slog.NewJSONHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug})
		}, errs
	case format == "text" || !tty:
		return nil, nil
	}
	return func(w io.Writer) slog.Handler {
		return tint.NewTextHandler(w, &tint.Options{Level: slog.LevelDebug, TimeFormat: "15:04:05.000", NoColor: !color})
	}, nil
}

// telemetry opens the exporters. One that cannot be opened does not stop the run, but the run is incomplete.
func (x *execution) telemetry() ([]event.Sink, error) {
	var sinks []event.Sink
	for _, spec := range x.cfg.List("metrics") {
		sink, err := telemetry.Open(spec)
		var wrong *telemetry.SpecError
		switch {
		case errors.As(err, &wrong):
			for _, s := range sinks {
				_ = s.Close() // nothing was written yet
			}
			return nil, &exitError{exitUsage, err}
		case err != nil:
			x.incomplete("metrics "+spec, err)
		default:
			sinks = append(sinks, sink)
		}
	}
	sink, err := telemetry.FromEnv(os.Getenv)
	if err != nil {
		x.incomplete("OpenTelemetry", err)
	} else if sink != nil {
		sinks = append(sinks, sink)
	}
	return sinks, nil
}

// own puts a line of rig's own log on the stream.
func (x *execution) own(message string, fields ...event.Field) {
	x.bus.Emit(event.Event{Data: &event.Log{Level: "debug", Module: "rig", Message: message, Fields: fields}})
}

func helpLogs(w io.Writer) {
	fmt.Fprintf(w, "--log-level LEVEL,MODULE=LEVEL,... shows lines of a level and above: %s.\n", strings.Join(report.LevelNames(), ", "))
	fmt.Fprintln(w, "Without it: info; -q is warn, -v debug, -vv trace. The journal has every line. The modules:")
	for _, m := range report.Modules() {
		fmt.Fprintf(w, "%12s  %s\n", m.Name, m.Doc)
	}
	fmt.Fprintln(w, "\n--log-format json writes the lines to stderr, one JSON object each; auto tints them on a terminal, text never does.")
}
