// Package scenario conducts a run: it finds the tests of script files, gives each its database, calls it within its bounds.
//
// [Discover] loads files and lists their tests as a plain [Plan]; listing, sharding and selection work on that list.
// [Run] executes a plan and emits what happens on the bus; the verdict is a fold of the stream, so Run returns none.
// A [Test] is the Go side of the script's t. It owns what the test opened and gives it back in the reverse order.
package scenario
