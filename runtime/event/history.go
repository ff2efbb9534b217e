package event

import (
	"encoding/json"
	"strconv"
)

// History begins a history of operations. Event.ID is its own id, which its operations have as their parent. Model and Level
// are those it is to be checked by; Assume, Total and Overdrawn are what the checkers cannot know of a history.
type History struct {
	Name      string   `json:"name"`
	Model     string   `json:"model"`
	Level     string   `json:"level,omitempty"`
	Assume    []string `json:"assume,omitempty"`
	Total     *int64   `json:"total,omitempty"`
	Overdrawn bool     `json:"overdrawn,omitempty"`
}

// Operation is an event of a history: Type is invoke, ok, fail or info (of unknown outcome). Value is what the operation is
// asked to do, or what it did and saw, in the form of Jepsen. Error tells why it failed or is unknown.
type Operation struct {
	Process int64           `json:"process"`
	Type    string          `json:"type"`
	F       string          `json:"f"`
	Value   json.RawMessage `json:"value,omitempty"`
	Error   string          `json:"error,omitempty"`
}

// Verdict is what a check of a history found; Event.Parent is the history. Valid is valid, invalid or unknown.
type Verdict struct {
	Name       string   `json:"name"`
	Model      string   `json:"model"`
	Level      string   `json:"level,omitempty"`
	Valid      string   `json:"valid"`
	Operations int      `json:"operations"`
	Anomalies  []string `json:"anomalies,omitempty"`
	Story      string   `json:"story,omitempty"` // several lines
}

func (d *History) redact(f func(string) string) Data {
	c := *d
	c.Name = f(c.Name)
	return &c
}

func (d *Operation) redact(f func(string) string) Data {
	c := *d
	c.F, c.Error = f(c.F), f(c.Error)
	if text := string(c.Value); f(text) != text {
		c.Value = redactJSON(c.Value, f)
	}
	return &c
}

// redactJSON passes the strings of a JSON text through f. Numbers stay: they are keys and counters of rig's or the script's
// own, and a masked one would be no JSON.
func redactJSON(text []byte, f func(string) string) []byte {
	var out []byte
	for i := 0; i < len(text); i++ {
		if text[i] != '"' {
			out = append(out, text[i])
			continue
		}
		end := i + 1
		for end < len(text) && text[end] != '"' {
			if text[end] == '\\' {
				end++
			}
			end++
		}
		var s string
		if end >= len(text) || json.Unmarshal(text[i:end+1], &s) != nil {
			return []byte(`"***"`)
		}
		out = append(appendEscaped(append(out, '"'), f(s)), '"')
		i = end
	}
	return out
}

func (d *Verdict) redact(f func(string) string) Data {
	c := *d
	c.Name, c.Story = f(c.Name), f(c.Story)
	return &c
}

// appendJSON writes it as encoding/json would, but takes the value as it is: a run under load has many operations.
func (d *Operation) appendJSON(b []byte) []byte {
	b = append(b, `{"process":`...)
	b = strconv.AppendInt(b, d.Process, 10)
	b = appendText(b, "type", d.Type)
	b = appendText(b, "f", d.F)
	if len(d.Value) > 0 {
		b = append(b, `,"value":`...)
		b = append(b, d.Value...)
	}
	if d.Error != "" {
		b = appendText(b, "error", d.Error)
	}
	return append(b, '}')
}
