// Package telemetry sends what a run measures to the systems that watch it.
//
// [Open] makes the sink of --metrics: a page that Prometheus reads while the run goes on, or a file in its text format.
// [FromEnv] makes the sink that sends traces and metrics by OTLP where the OTEL_* variables ask for it. Both are folds of the
// stream like every report: without them nothing here runs. A sink that cannot send says so once, and never holds the run up.
package telemetry

import (
	"fmt"
	"net"
	"strings"

	"rig/runtime/event"
	"rig/runtime/fault"
)

// SpecError tells that --metrics was given something that it cannot mean.
type SpecError struct{ Problem string }

func (e *SpecError) Error() string { return "metrics: " + e.Problem }

func specf(format string, args ...any) error { return &SpecError{fmt.Sprintf(format, args...)} }

// Open makes the sink for "prometheus=:PORT", "prometheus=HOST:PORT" or "prometheus=FILE". A port without a host is served on
// 127.0.0.1 only. A SpecError means that the text is wrong; other errors that the port or the file cannot be had.
func Open(spec string) (event.Sink, error) {
	name, to, has := strings.Cut(spec, "=")
	if name != "prometheus" {
		hint := ""
		if fault.Suggest(name, []string{"prometheus"}) != "" {
			hint = `, did you mean "prometheus"?`
		}
		return nil, specf("there is no exporter %q%s (prometheus=:PORT or prometheus=FILE; OpenTelemetry is asked for by OTEL_* variables)", name, hint)
	}
	if !has || to == "" {
		return nil, specf("prometheus needs a port or a file: prometheus=:9100 or prometheus=metrics.prom")
	}
	if strings.Trim(to, "0123456789") == "" {
		return nil, specf("prometheus=%s: a port is written prometheus=:%s", to, to)
	}
	if addr, ok := address(to); ok {
		return serve(addr)
	}
	return toFile(to)
}

// address tells a host and port from a file's name.
func address(to string) (string, bool) {
	host, port, err := net.SplitHostPort(to)
	if err != nil || strings.ContainsAny(to, `/\`) || port == "" || strings.Trim(port, "0123456789") != "" {
		return "", false
	}
	if host == "" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), true
}
