// Package value holds the script faces of sessions, rows, errors: what built-ins of several modules give to scripts.
//
// [NewSession] wraps a session, [FromCell] and [ToArg] convert values in both directions, [NewOutcome] tells how a call ended.
// Values keep their meaning: NULL is None, a DECIMAL is exact, dates may be zero, text is text and binary is bytes. What was
// read can be written.
package value
