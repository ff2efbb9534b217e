package telemetry

import (
	"fmt"
	"net/url"
	"strings"

	"rig/runtime/event"
)

// The signals of OpenTelemetry, as the names of variables spell them.
const (
	traces  = "TRACES"
	metrics = "METRICS"
)

// FromEnv makes the sink that the OTEL_* variables ask for, nil where they ask for none: OTEL_EXPORTER_OTLP_ENDPOINT, or that
// of one signal, or OTEL_TRACES_EXPORTER=otlp. OTEL_SDK_DISABLED=true turns it off. The SDK reads its other variables itself
// from the process's environment (headers, time-outs, resource attributes, sampler).
func FromEnv(getenv func(string) string) (event.Sink, error) {
	if strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") {
		return nil, nil
	}
	var asked []string
	for _, signal := range []string{traces, metrics} {
		on, err := asks(getenv, signal)
		if err != nil {
			return nil, err
		}
		if on {
			asked = append(asked, signal)
		}
	}
	if len(asked) == 0 {
		return nil, nil
	}
	return newOTLP(asked, endpoint(getenv, asked[0]))
}

// asks reports whether a signal is to be exported; an error where it is to go a way that rig does not have.
func asks(getenv func(string) string, signal string) (bool, error) {
	own := getenv("OTEL_EXPORTER_OTLP_" + signal + "_ENDPOINT")
	shared := getenv("OTEL_EXPORTER_OTLP_ENDPOINT")
	switch name := "OTEL_" + signal + "_EXPORTER"; getenv(name) {
	case "none":
		return false, nil
	case "otlp":
	case "":
		if own == "" && shared == "" {
			return false, nil
		}
	default:
		return false, fmt.Errorf("%s=%s: rig exports by otlp; none turns it off", name, getenv(name))
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_" + signal + "_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"} {
		if p := getenv(name); p != "" {
			if p != "http/protobuf" {
				return false, fmt.Errorf("%s=%s: rig speaks http/protobuf", name, p)
			}
			break
		}
	}
	for _, v := range []struct{ name, text string }{{"OTEL_EXPORTER_OTLP_" + signal + "_ENDPOINT", own}, {"OTEL_EXPORTER_OTLP_ENDPOINT", shared}} {
		if v.text == "" {
			continue
		}
		if u, err := url.Parse(v.text); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return false, fmt.Errorf("%s is no http or https URL", v.name) // it may hold a password
		}
	}
	return true, nil
}

// endpoint names the receiver for messages, without what a URL may hold of secrets.
func endpoint(getenv func(string) string, signal string) string {
	for _, name := range []string{"OTEL_EXPORTER_OTLP_" + signal + "_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"} {
		if u, err := url.Parse(getenv(name)); err == nil && u.Host != "" {
			return u.Scheme + "://" + u.Host
		}
	}
	return "http://localhost:4318"
}
