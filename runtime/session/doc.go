// Package session holds the conversations with one server: each session is one connection with a name.
//
// [NewHub] makes the place of all sessions on a server; [Hub.Open] opens one. The driver's connections are used directly,
// without a pool that might switch them: a session pins its connection, so that transactions, locks and variables are where the
// scenario put them. Every statement has a bound. One that passes it, or that is cancelled, is killed on the server over a
// side connection (KILL QUERY, then KILL), because closing our end leaves it running there with its locks held. The
// driver gets no context and no deadline per statement: one goroutine of the hub watches the clock for all sessions, which keeps the
// hot path at the cost of the bare driver.
package session
