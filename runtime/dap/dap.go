// Package dap speaks the Debug Adapter Protocol, by which editors debug scripts.
//
// [Serve] talks to one client over a connection until it leaves or the run has ended. What to run, and how to end it, the owner says
// in [Options]; what the client sees of threads, frames and values comes from package debug. The protocol's messages are those of
// google/go-dap, behind this door alone. A message that is malformed is answered with an error where it can be answered, and ends the
// conversation where the stream has lost its frame.
package dap

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/google/go-dap"

	"rig/runtime/debug"
)

// Launch is what a client asks to run.
type Launch struct {
	Program     string   `json:"program"` // a scenario file, or file.star::test_x
	Target      string   `json:"target"`
	Args        []string `json:"args"` // further flags of exec
	Cwd         string   `json:"cwd"`
	StopOnEntry bool     `json:"stopOnEntry"`
	NoDebug     bool     `json:"noDebug"`
}

// Hooks are how a run tells the client of itself.
type Hooks struct {
	Notify func(debug.Event)
	Output func(category, text string) // category is stdout, stderr or console
}

// Debuggee is a run that waits to begin.
type Debuggee struct {
	Debugger *debug.Debugger
	Start    func()                           // lets it run
	Stop     func()                           // ends it cleanly: statements are killed, cleanups run
	Ended    <-chan int                       // gives the exit code, once
	Source   func(name string) (string, bool) // the text of files that are not on disk
	Redact   func(text string) string         // takes secrets out of values and errors; nil where there are none
}

// Options of a conversation.
type Options struct {
	// Launch makes the run that a client asks for; nil where there is only the one to attach to.
	Launch func(Launch, Hooks) (*Debuggee, error)
	// Attach gives the run that waits for a client; nil where there is none.
	Attach func(Hooks) (*Debuggee, error)
	// StopWithin bounds the end of a run that the client leaves; default 15s.
	StopWithin time.Duration
}

// server is one conversation.
type server struct {
	o   Options
	in  *bufio.Reader
	out *writer

	lineBase int // what clients count lines from, less 1

	mu       sync.Mutex
	run      *Debuggee // guarded by mu: nil until launch or attach
	attached bool      // guarded by mu: the run was there before the client
	entry    bool      // guarded by mu
	begun    bool      // guarded by mu
	ended    chan struct{}
	told     sync.Once // about the clocks
	bye      bool
	asides   sync.WaitGroup // requests that are answered later
	sources  []string       // the names of sources without a file, by reference less 1; guarded by mu
}

// Serve talks to a client. It returns when the client has left, and the run with it, or nil after disconnect.
func Serve(conn io.ReadWriter, o Options) error {
	if o.StopWithin == 0 {
		o.StopWithin = 15 * time.Second
	}
	s := &server{o: o, in: bufio.NewReader(conn), out: newWriter(conn), ended: make(chan struct{})}
	defer s.out.close()
	err := s.converse()
	s.leave(err != nil || !s.bye)
	s.asides.Wait()
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe) {
		return nil // it has left without a word, which editors do
	}
	return err
}

// converse answers requests until the client is done.
func (s *server) converse() error {
	for !s.bye {
		raw, err := dap.ReadBaseMessage(s.in)
		if err != nil {
			return err
		}
		m, err := dap.DecodeProtocolMessage(raw)
		if err != nil {
			s.refuse(raw, err)
			continue
		}
		r, ok := m.(dap.RequestMessage)
		if !ok {
			continue // responses and events are not for us
		}
		s.answer(r, raw)
	}
	return nil
}

// refuse answers what could not be read, where it has a number.
func (s *server) refuse(raw []byte, err error) {
	var head struct {
		Seq     int    `json:"seq"`
		Type    string `json:"type"`
		Command string `json:"command"`
	}
	if json.Unmarshal(raw, &head) != nil || head.Type != "request" {
		return
	}
	s.fail(&dap.Request{ProtocolMessage: dap.ProtocolMessage{Seq: head.Seq, Type: head.Type}, Command: head.Command}, err)
}

// answer runs a request's handler. A panic in it is an error of the request.
func (s *server) answer(r dap.RequestMessage, raw []byte) {
	req := r.GetRequest()
	defer func() {
		if p := recover(); p != nil {
			s.fail(req, fmt.Errorf("internal error: %v", p))
		}
	}()
	body, err := s.handle(r, raw)
	switch {
	case err == errLater:
	case err != nil:
		s.fail(req, err)
	case body != nil:
		s.ok(req, body)
	}
	if _, isInit := r.(*dap.InitializeRequest); err == nil && isInit {
		return
	}
	switch r.(type) {
	case *dap.LaunchRequest, *dap.AttachRequest:
		if err == nil { // breakpoints can be taken now that there is a debugger
			s.out.send(&dap.InitializedEvent{Event: event("initialized")})
		}
	case *dap.ConfigurationDoneRequest:
		if err == nil {
			s.start()
		}
	}
}

// errLater is the result of handlers that answer by themselves.
var errLater = errors.New("later")

func event(name string) dap.Event {
	return dap.Event{ProtocolMessage: dap.ProtocolMessage{Type: "event"}, Event: name}
}

func response(r *dap.Request, ok bool) dap.Response {
	return dap.Response{ProtocolMessage: dap.ProtocolMessage{Type: "response"}, RequestSeq: r.Seq, Success: ok, Command: r.Command}
}

// reply is a response with the body of its request.
type reply struct {
	dap.Response
	Body any `json:"body,omitempty"`
}

// done is the body of responses that have none.
type done struct{}

func (s *server) ok(r *dap.Request, body any) {
	m := &reply{Response: response(r, true), Body: body}
	switch b := body.(type) {
	case done:
		m.Body = nil
	case dap.VariablesResponseBody:
		for i := range b.Variables {
			b.Variables[i].Name, b.Variables[i].Value = s.redact(b.Variables[i].Name), s.redact(b.Variables[i].Value)
		}
	case dap.EvaluateResponseBody:
		b.Result = s.redact(b.Result)
		m.Body = b
	case dap.ExceptionInfoResponseBody:
		b.Description, b.Details.Message = s.redact(b.Description), s.redact(b.Details.Message)
		m.Body = b
	}
	s.out.send(m)
}

func (s *server) fail(r *dap.Request, err error) {
	m := &dap.ErrorResponse{Response: response(r, false)}
	m.Message = s.redact(err.Error())
	m.Body.Error = &dap.ErrorMessage{Id: 1, Format: "{text}", Variables: map[string]string{"text": m.Message}, ShowUser: true}
	s.out.send(m)
}

// redact takes the run's secrets out of a text.
func (s *server) redact(text string) string {
	s.mu.Lock()
	run := s.run
	s.mu.Unlock()
	if run == nil || run.Redact == nil {
		return text
	}
	return run.Redact(text)
}

// hooks let the run speak to the client.
func (s *server) hooks() Hooks {
	return Hooks{Notify: s.notify, Output: func(category, text string) {
		s.out.send(&dap.OutputEvent{Event: event("output"), Body: dap.OutputEventBody{Category: category, Output: text}})
	}}
}

// notify is called by the threads of the run.
func (s *server) notify(e debug.Event) {
	switch e.What {
	case debug.Started:
		s.out.send(&dap.ThreadEvent{Event: event("thread"), Body: dap.ThreadEventBody{Reason: "started", ThreadId: e.Thread.ID}})
	case debug.Ended:
		s.out.send(&dap.ThreadEvent{Event: event("thread"), Body: dap.ThreadEventBody{Reason: "exited", ThreadId: e.Thread.ID}})
	case debug.Stopped:
		s.told.Do(func() {
			s.hooks().Output("console", "rig's own time-outs stand still while a thread does; the server's go on\n")
		})
		m := stopped(e)
		m.Body.Text, m.Body.Description = s.redact(m.Body.Text), s.redact(m.Body.Description)
		s.out.send(m)
	}
}

func stopped(e debug.Event) *dap.StoppedEvent {
	m := &dap.StoppedEvent{Event: event("stopped"), Body: dap.StoppedEventBody{
		ThreadId: e.Thread.ID, Text: e.Stop.Text, Description: e.Stop.Text, HitBreakpointIds: e.Stop.Points, Reason: e.Stop.Reason,
	}}
	switch e.Stop.Reason { // the protocol's own words, so that editors know them
	case debug.ReasonFailed:
		m.Body.Reason = "exception"
	case debug.ReasonCall, debug.ReasonSQL, debug.ReasonState:
		m.Body.Reason = "breakpoint"
	}
	if e.Stop.Error != nil {
		m.Body.Text = e.Stop.Error.Message
	}
	return m
}

// start lets the run begin, and tells the client of its end.
func (s *server) start() {
	s.mu.Lock()
	run, again := s.run, s.begun
	s.begun = true
	entry := s.entry
	s.mu.Unlock()
	if run == nil || again {
		return
	}
	run.Debugger.StopOnEntry(entry)
	run.Start()
	go func() { // ends with the run
		code := <-run.Ended
		s.out.send(&dap.ExitedEvent{Event: event("exited"), Body: dap.ExitedEventBody{ExitCode: code}})
		s.out.send(&dap.TerminatedEvent{Event: event("terminated")})
		close(s.ended)
	}()
}

// leave ends what the client leaves behind. A run that was there before goes on when the client has said so.
func (s *server) leave(stop bool) {
	s.mu.Lock()
	run, begun := s.run, s.begun
	s.mu.Unlock()
	if run == nil {
		return
	}
	if stop {
		run.Stop()
	}
	run.Debugger.Close()
	if !begun { // it waits to begin, and learns that it is over
		s.mu.Lock()
		s.begun = true
		s.mu.Unlock()
		run.Start()
		go func() { <-run.Ended; close(s.ended) }()
	}
	if !stop {
		return
	}
	timer := time.NewTimer(s.o.StopWithin)
	defer timer.Stop()
	select {
	case <-s.ended:
	case <-timer.C:
	}
}

// writer numbers and sends messages from a goroutine of its own, so that a client that does not read holds up no thread.
type writer struct {
	w io.Writer

	mu     sync.Mutex
	more   sync.Cond
	queue  []any // guarded by mu
	seq    int   // guarded by mu
	closed bool  // guarded by mu
	done   chan struct{}
}

func newWriter(w io.Writer) *writer {
	x := &writer{w: w, done: make(chan struct{})}
	x.more.L = &x.mu
	go x.run() // close stops it
	return x
}

func (x *writer) send(m any) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return
	}
	x.queue = append(x.queue, m)
	x.more.Signal()
}

func (x *writer) run() {
	defer close(x.done)
	for {
		x.mu.Lock()
		for len(x.queue) == 0 && !x.closed {
			x.more.Wait()
		}
		if len(x.queue) == 0 {
			x.mu.Unlock()
			return
		}
		m := x.queue[0]
		x.queue = x.queue[1:]
		x.seq++
		number(m, x.seq)
		x.mu.Unlock()
		b, err := json.Marshal(m)
		if err == nil {
			err = dap.WriteBaseMessage(x.w, b)
		}
		if err != nil {
			x.mu.Lock()
			x.closed, x.queue = true, nil // nobody reads any more
			x.mu.Unlock()
		}
	}
}

// number gives a message its place.
func number(m any, seq int) {
	switch m := m.(type) {
	case *reply:
		m.Seq = seq
	case dap.ResponseMessage:
		m.GetResponse().Seq = seq
	case dap.EventMessage:
		m.GetEvent().Seq = seq
	}
}

// close sends what waits, for a second at most: a client that is gone takes nothing.
func (x *writer) close() {
	x.mu.Lock()
	x.closed = true
	x.more.Signal()
	x.mu.Unlock()
	timer := time.NewTimer(time.Second)
	defer timer.Stop()
	select {
	case <-x.done:
	case <-timer.C:
	}
}
