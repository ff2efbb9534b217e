package config

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
)

// The layers, strongest first.
const (
	layerFlag    = "flag"
	layerEnv     = "env"
	layerProfile = "profile"
	layerFile    = "file"
	layerDefault = "default"
)

// Origin tells where a value came from. Layer is flag, env, profile, file or default; Where is "--target", "RIG_TARGET"
// or "rig.toml:3:5".
type Origin struct {
	Layer string
	Where string
}

// String is Where, or the layer's name where there is no place.
func (o Origin) String() string {
	if o.Where == "" {
		return o.Layer
	}
	return o.Where
}

// Value is one setting or parameter. Text is the whole as text; List has the parts of a list, also of a list of one.
// A Secret one prints without what is secret in every format; the fields have it.
type Value struct {
	Name   string
	Text   string
	List   []string
	Origin Origin
	Secret bool
}

// shown is the text that may be printed.
func (v Value) shown() string {
	if !v.Secret {
		return v.Text
	}
	// Of a target the rest may be told; other secrets may only look like an address.
	if t, err := parseAddress(v.Text); err == nil && v.Name == "target" {
		return t.Safe()
	}
	return mask
}

// String gives "name = text (origin)".
func (v Value) String() string {
	return fmt.Sprintf("%s = %s (%s)", v.Name, v.shown(), v.Origin)
}

// GoString is String.
func (v Value) GoString() string { return v.String() }

// Format writes String whatever the verb.
func (v Value) Format(f fmt.State, _ rune) { fmt.Fprint(f, v.String()) }

// LogValue gives the text that may be printed.
func (v Value) LogValue() slog.Value { return slog.StringValue(v.shown()) }

// MarshalJSON writes name, text and origin, the list where there is one.
func (v Value) MarshalJSON() ([]byte, error) {
	out := struct {
		Name   string   `json:"name"`
		Text   string   `json:"text"`
		List   []string `json:"list,omitempty"`
		Layer  string   `json:"layer"`
		Where  string   `json:"where,omitempty"`
		Secret bool     `json:"secret,omitempty"`
	}{Name: v.Name, Text: v.shown(), List: v.List, Layer: v.Origin.Layer, Where: v.Origin.Where, Secret: v.Secret}
	if v.Secret {
		out.List = nil
	}
	return json.Marshal(out)
}

// listValue makes a value of parts. A part may hold a comma, so Text is for showing only.
func listValue(name string, parts []string, o Origin) Value {
	return Value{Name: name, Text: strings.Join(parts, ", "), List: parts, Origin: o}
}
