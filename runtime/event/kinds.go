package event

import "time"

// Kind names the payload of an event.
type Kind string

// The closed set of kinds, each with its payload type below.
const (
	KindRunStart         Kind = "run.start"
	KindPlan             Kind = "plan"
	KindRunEnd           Kind = "run.end"
	KindTarget           Kind = "target"
	KindFileLoad         Kind = "file.load"
	KindTestStart        Kind = "test.start"
	KindTestEnd          Kind = "test.end"
	KindSessionOpen      Kind = "session.open"
	KindSessionClose     Kind = "session.close"
	KindStatement        Kind = "statement"
	KindStatementRunning Kind = "statement.running"
	KindKill             Kind = "kill"
	KindDatabase         Kind = "database"
	KindTransition       Kind = "machine.transition"
	KindTask             Kind = "task"
	KindRetry            Kind = "retry"
	KindExpect           Kind = "expect"
	KindLog              Kind = "log"
	KindLeak             Kind = "leak"
	KindSignal           Kind = "signal"
	KindSinkDetached     Kind = "sink.detached"
	KindBreaker          Kind = "breaker"
	KindProgress         Kind = "progress"
	KindSpan             Kind = "span"
	KindMetric           Kind = "metric"
	KindMember           Kind = "member"
	KindTrace            Kind = "trace"
	KindHistory          Kind = "history"
	KindOperation        Kind = "history.op"
	KindVerdict          Kind = "history.verdict"
)

// RunStart opens the stream. StartedAt is wall-clock time; all later times count from it.
type RunStart struct {
	Run       string    `json:"run"`
	Rig       string    `json:"rig"`
	StartedAt time.Time `json:"started_at"`
	Target    string    `json:"target"`
	Seed      int64     `json:"seed"`
	Dir       string    `json:"dir"`
	Args      []string  `json:"args,omitempty"`
	Params    []Field   `json:"params,omitempty"`
}

// Plan lists the ids of the tests selected to run, in order.
type Plan struct {
	Tests []string `json:"tests"`
}

// RunEnd closes the stream. Exit is the process exit code.
type RunEnd struct {
	Exit        int           `json:"exit"`
	Duration    time.Duration `json:"duration"`
	Passed      int           `json:"passed"`
	Failed      int           `json:"failed"`
	Skipped     int           `json:"skipped"`
	Unknown     int           `json:"unknown"`
	Flaky       int           `json:"flaky"`
	Leaked      int           `json:"leaked"`
	NotRun      int           `json:"not_run"`
	Interrupted bool          `json:"interrupted,omitempty"`
	Error       *Error        `json:"error,omitempty"` // why the run itself could not go on
}

// Target tells a server's life. State is starting, ready, failed or stopped.
type Target struct {
	Name         string        `json:"name"`
	Type         string        `json:"type"` // embedded, mariadb, mysql, tidb, dolt, ...
	Version      string        `json:"version,omitempty"`
	Address      string        `json:"address,omitempty"`
	State        string        `json:"state"`
	Duration     time.Duration `json:"duration,omitempty"`
	Capabilities []string      `json:"capabilities,omitempty"`
	ThrowAway    bool          `json:"throw_away,omitempty"`
	Error        *Error        `json:"error,omitempty"`
}

// FileLoad tells that a script was loaded, or why it was not.
type FileLoad struct {
	File     string        `json:"file"`
	Tests    int           `json:"tests"`
	Duration time.Duration `json:"duration"`
	Error    *Error        `json:"error,omitempty"`
}

// TestStart begins a test or a subtest. Event.ID is its own id, which its other events have as their parent; Event.Parent is
// the enclosing test's id, or that of the span in which the subtest runs. Attempt counts from 1.
type TestStart struct {
	Attempt int   `json:"attempt"`
	Seed    int64 `json:"seed"`
}

// TestEnd gives the verdict of one attempt. Expectations counts those evaluated. Flaky: passed after a failed attempt.
// Final is false when another attempt follows.
type TestEnd struct {
	Outcome      Outcome       `json:"outcome"`
	Duration     time.Duration `json:"duration"`
	Attempt      int           `json:"attempt"`
	Final        bool          `json:"final"`
	Flaky        bool          `json:"flaky,omitempty"`
	Expectations int           `json:"expectations"`
	Statements   int           `json:"statements"`
	Reason       string        `json:"reason,omitempty"` // why skipped
	Errors       []*Error      `json:"errors,omitempty"` // the first is the cause; later ones come from teardown and cleanup
	Leaks        int           `json:"leaks,omitempty"`
	Subtests     int           `json:"subtests,omitempty"`
}

// SessionOpen tells a session's identity on the server. Event.Session has the name.
type SessionOpen struct {
	Thread    uint64        `json:"thread"`
	Target    string        `json:"target"`
	Database  string        `json:"database,omitempty"`
	Isolation string        `json:"isolation,omitempty"`
	Duration  time.Duration `json:"duration"`
	Error     *Error        `json:"error,omitempty"`
}

// SessionClose ends a session. Cause is closed, killed, lost or dropped.
type SessionClose struct {
	Thread uint64 `json:"thread"`
	Cause  string `json:"cause"`
}

// Statement is one finished statement. SQL over 8 KiB is cut: Length then tells the whole length in bytes and Digest
// (hex SHA-256 of the whole) its identity. Rows counts rows read; Affected rows written.
type Statement struct {
	SQL      string        `json:"sql"`
	Length   int           `json:"length,omitempty"`
	Digest   string        `json:"digest,omitempty"`
	Args     int           `json:"args,omitempty"`
	Prepared bool          `json:"prepared,omitempty"`
	Rows     int64         `json:"rows,omitempty"`
	Affected int64         `json:"affected,omitempty"`
	Duration time.Duration `json:"duration"`
	Outcome  Outcome       `json:"outcome"`
	Error    *Error        `json:"error,omitempty"`
}

// StatementRunning tells that a statement has not finished for a while; it is emitted again as its age grows.
type StatementRunning struct {
	SQL string        `json:"sql"`
	Age time.Duration `json:"age"`
}

// Kill tells that a statement or a session was killed on the server and whether that was verified.
type Kill struct {
	Thread     uint64        `json:"thread"`
	Connection bool          `json:"connection,omitempty"` // the whole connection, not only its statement
	Cause      string        `json:"cause"`
	Verified   bool          `json:"verified"`
	Duration   time.Duration `json:"duration"`
	Error      *Error        `json:"error,omitempty"`
}

// Database tells that a database or another named object was made (Action "create") or removed ("drop"); the clean-up
// ledger is the fold of these. What is "database" or "user".
type Database struct {
	Target string `json:"target"`
	What   string `json:"what"`
	Name   string `json:"name"`
	Action string `json:"action"`
	Error  *Error `json:"error,omitempty"`
}

// Transition is one step of a state machine: State ran for Duration and named Next.
type Transition struct {
	Machine  string        `json:"machine"`
	Member   string        `json:"member,omitempty"`
	State    string        `json:"state"`
	Next     string        `json:"next,omitempty"`
	Visit    int           `json:"visit"`
	Duration time.Duration `json:"duration"`
	Error    *Error        `json:"error,omitempty"`
}

// Task tells that a spawned task ended.
type Task struct {
	Name     string        `json:"name"`
	Outcome  Outcome       `json:"outcome"`
	Duration time.Duration `json:"duration"`
	Error    *Error        `json:"error,omitempty"`
}

// Retry is one failed attempt and the delay before the next; Delay 0 with Final set means that it was the last.
type Retry struct {
	Name    string        `json:"name"`
	Attempt int           `json:"attempt"`
	Delay   time.Duration `json:"delay"`
	Final   bool          `json:"final,omitempty"`
	Error   *Error        `json:"error,omitempty"`
}

// Breaker is a change of state of a circuit breaker: closed, open or half_open.
type Breaker struct {
	Name string `json:"name"`
	From string `json:"from"`
	To   string `json:"to"`
}

// Progress tells how far a watch is: the last value that it saw, at most a few times a second. Over: it looks no more.
// Looks is 0 for what tells by itself how far it is.
type Progress struct {
	Name    string        `json:"name"`
	Value   string        `json:"value"`
	Looks   int           `json:"looks"`
	Elapsed time.Duration `json:"elapsed"`
	Over    bool          `json:"over,omitempty"`
}

// Member is a step of a coordinator's member that the others can see. Action is barrier, emit, wait_for, send, receive or
// end; What names the barrier, the event, or for send and receive the other member, and on end the state. Duration is how
// long it waited, on end how long it ran.
type Member struct {
	Coordinator string        `json:"coordinator"`
	Member      string        `json:"member"`
	Action      string        `json:"action"`
	What        string        `json:"what,omitempty"`
	Duration    time.Duration `json:"duration"`
	Error       *Error        `json:"error,omitempty"`
}

// Expect is one expectation that did not hold.
type Expect struct {
	Error *Error `json:"error"`
}

// Log is a line from a script or from rig. Level is debug, info, warn, error, or print for the script's print(). Asked
// is a line that a person asked for while the run went on: it is shown at every level.
type Log struct {
	Level   string  `json:"level"`
	Module  string  `json:"module,omitempty"`
	Message string  `json:"message"`
	Fields  []Field `json:"fields,omitempty"`
	Asked   bool    `json:"asked,omitempty"`
}

// Span is a piece of work that has ended, named by the script. Event.ID is its own id, which what happened inside has as
// its parent; Event.Parent is the enclosing span's or the test's. It began Duration before Event.At.
type Span struct {
	Name     string        `json:"name"`
	Duration time.Duration `json:"duration"`
	Outcome  Outcome       `json:"outcome"`
	Error    *Error        `json:"error,omitempty"`
}

// The types of metrics.
const (
	MetricCounter = "counter" // only grows
	MetricGauge   = "gauge"   // goes up and down; the last value counts
	MetricTimer   = "timer"   // a distribution of durations in seconds
	MetricTrend   = "trend"   // a distribution of numbers
)

// Metric is one measurement of a script. Value is what was added to a counter, what a gauge was set to, or with Delta
// changed by, and what was observed. Labels are sorted by key. Outcome is that of a call that was timed.
type Metric struct {
	Name    string  `json:"name"`
	Type    string  `json:"type"`
	Value   float64 `json:"value"`
	Delta   bool    `json:"delta,omitempty"`
	Labels  []Field `json:"labels,omitempty"`
	Outcome Outcome `json:"outcome"`
}

// Leak is something a test left behind; Event.Pos is the line that opened it. What is transaction, lock, session, task,
// table or connection (of a pool, not released).
type Leak struct {
	What   string `json:"what"`
	Detail string `json:"detail"`
}

// Signal tells that the process was asked to stop; Count is 1 for the first.
type Signal struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// SinkDetached tells that a report could not be written any further.
type SinkDetached struct {
	Sink  string `json:"sink"`
	Cause string `json:"cause"`
}

// Trace is a statement of a script that is about to run, with the variables that changed since the statement before it in the
// same function. Thread is the script's thread: a test or a task.
type Trace struct {
	Thread  string  `json:"thread"`
	Func    string  `json:"func,omitempty"`
	Source  string  `json:"source"`
	Depth   int     `json:"depth,omitempty"` // of the calls of the script
	Changes []Field `json:"changes,omitempty"`
}

// Kind implementations, one per payload.
func (*RunStart) Kind() Kind         { return KindRunStart }
func (*Plan) Kind() Kind             { return KindPlan }
func (*RunEnd) Kind() Kind           { return KindRunEnd }
func (*Target) Kind() Kind           { return KindTarget }
func (*FileLoad) Kind() Kind         { return KindFileLoad }
func (*TestStart) Kind() Kind        { return KindTestStart }
func (*TestEnd) Kind() Kind          { return KindTestEnd }
func (*SessionOpen) Kind() Kind      { return KindSessionOpen }
func (*SessionClose) Kind() Kind     { return KindSessionClose }
func (*Statement) Kind() Kind        { return KindStatement }
func (*StatementRunning) Kind() Kind { return KindStatementRunning }
func (*Kill) Kind() Kind             { return KindKill }
func (*Database) Kind() Kind         { return KindDatabase }
func (*Transition) Kind() Kind       { return KindTransition }
func (*Task) Kind() Kind             { return KindTask }
func (*Retry) Kind() Kind            { return KindRetry }
func (*Breaker) Kind() Kind          { return KindBreaker }
func (*Progress) Kind() Kind         { return KindProgress }
func (*Span) Kind() Kind             { return KindSpan }
func (*Metric) Kind() Kind           { return KindMetric }
func (*Member) Kind() Kind           { return KindMember }
func (*Trace) Kind() Kind            { return KindTrace }
func (*History) Kind() Kind          { return KindHistory }
func (*Operation) Kind() Kind        { return KindOperation }
func (*Verdict) Kind() Kind          { return KindVerdict }
func (*Expect) Kind() Kind           { return KindExpect }
func (*Log) Kind() Kind              { return KindLog }
func (*Leak) Kind() Kind             { return KindLeak }
func (*Signal) Kind() Kind           { return KindSignal }
func (*SinkDetached) Kind() Kind     { return KindSinkDetached }

// blank makes an empty payload of a kind, for decoding; nil when the kind is not known.
func blank(k Kind) Data {
	for _, d := range []Data{
		&RunStart{}, &Plan{}, &RunEnd{}, &Target{}, &FileLoad{}, &TestStart{}, &TestEnd{}, &SessionOpen{}, &SessionClose{},
		&Statement{}, &StatementRunning{}, &Kill{}, &Database{}, &Transition{}, &Task{}, &Retry{}, &Breaker{}, &Progress{}, &Expect{},
		&Log{}, &Leak{}, &Signal{}, &SinkDetached{}, &Span{}, &Metric{}, &Member{}, &Trace{}, &Schedule{}, &Step{}, &Deadlock{}, &Anomaly{},
		&History{}, &Operation{}, &Verdict{},
	} {
		if d.Kind() == k {
			return d
		}
	}
	return nil
}
