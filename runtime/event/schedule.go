package event

import "time"

// The kinds of events of schedules.
const (
	KindSchedule Kind = "schedule"
	KindStep     Kind = "schedule.step"
	KindDeadlock Kind = "schedule.deadlock"
	KindAnomaly  Kind = "anomaly"
)

// Schedule tells that one order of a schedule was run. Order has the steps as they were sent.
type Schedule struct {
	Name     string        `json:"name"`
	Run      int           `json:"run"` // counts the schedule's runs from 1
	Order    string        `json:"order"`
	Outcome  string        `json:"outcome,omitempty"` // "ok", or the kinds of errors
	Duration time.Duration `json:"duration"`
	Error    *Error        `json:"error,omitempty"`
}

// Step is what happened to a step of a schedule. Action is sent, waits, proceeds (it had waited, and returned) or returns.
// Blockers are the sessions that a waiting step waits for, Lock what it waits for, After the step that let it proceed. Weak: the server
// could not be asked, it was only quiet.
type Step struct {
	Schedule string   `json:"schedule"`
	Step     string   `json:"step"`
	Action   string   `json:"action"`
	SQL      string   `json:"sql,omitempty"`
	Blockers []string `json:"blockers,omitempty"`
	Lock     string   `json:"lock,omitempty"`
	After    string   `json:"after,omitempty"`
	Weak     bool     `json:"weak,omitempty"`
	Rows     int      `json:"rows,omitempty"`
	Error    *Error   `json:"error,omitempty"`
}

// Deadlock tells that the server ended a step to resolve a deadlock. Cycle has a line for each wait, empty where the server
// does not tell.
type Deadlock struct {
	Schedule string   `json:"schedule"`
	Victim   string   `json:"victim"`
	Step     string   `json:"step"`
	Cycle    []string `json:"cycle,omitempty"`
}

// Anomaly tells what a server did with an anomaly. Column is the isolation level, with what the sessions set besides; Verdict is
// allowed, prevented, waits or error, Detail what shows it. Forbidden is the weakest level whose definition forbids the anomaly.
type Anomaly struct {
	Case      string `json:"case"`
	Title     string `json:"title,omitempty"`
	Server    string `json:"server"`
	Version   string `json:"version,omitempty"`
	Column    string `json:"column"`
	Verdict   string `json:"verdict"`
	Detail    string `json:"detail,omitempty"`
	Forbidden string `json:"forbidden_from,omitempty"`
}

// Kind implementations.
func (*Anomaly) Kind() Kind  { return KindAnomaly }
func (*Schedule) Kind() Kind { return KindSchedule }
func (*Step) Kind() Kind     { return KindStep }
func (*Deadlock) Kind() Kind { return KindDeadlock }

func (d *Schedule) redact(f func(string) string) Data {
	c := *d
	c.Name, c.Error = f(c.Name), c.Error.redact(f)
	return &c
}

func (d *Step) redact(f func(string) string) Data {
	c := *d
	c.SQL, c.Lock, c.Error = f(c.SQL), f(c.Lock), c.Error.redact(f)
	return &c
}

func (d *Deadlock) redact(f func(string) string) Data {
	c := *d
	c.Cycle = redactTexts(c.Cycle, f)
	return &c
}

func (d *Anomaly) redact(f func(string) string) Data {
	c := *d
	c.Title, c.Detail = f(c.Title), f(c.Detail)
	return &c
}
