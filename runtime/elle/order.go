package elle

import "rig/runtime/history"

// txns are the transactions that may have happened: the nodes of the graph.
type txns struct {
	h    *history.History
	ops  []int32 // by node: the operation
	node []int32 // by operation: the node, or -1
}

func newTxns(h *history.History) *txns {
	t := &txns{h: h, node: make([]int32, len(h.Ops))}
	for i := range h.Ops {
		t.node[i] = -1
		o := &h.Ops[i]
		if (o.Type == history.OK || o.Type == history.Info) && len(h.Mops(o)) > 0 {
			t.node[i] = int32(len(t.ops))
			t.ops = append(t.ops, int32(i))
		}
	}
	return t
}

func (t *txns) op(n int32) *history.Op     { return &t.h.Ops[t.ops[n]] }
func (t *txns) mops(n int32) []history.Mop { return t.h.Mops(t.op(n)) }
func (t *txns) name(n int32) string        { return history.Name(int(t.ops[n])) }
func (t *txns) ok(n int32) bool            { return t.op(n).Type == history.OK }

// event is a completion of a node, or an invocation.
type event struct {
	node   int32
	invoke bool
}

// inTime gives the events of nodes in the order in which they happened; completions of unknown operations are none.
func (t *txns) inTime(nodes []int32, used []event) []event {
	if cap(used) < t.h.Events {
		used = make([]event, t.h.Events)
	}
	used = used[:t.h.Events]
	for i := range used {
		used[i].node = -1
	}
	for _, n := range nodes {
		o := t.op(n)
		if o.Invoked >= 0 {
			used[o.Invoked] = event{n, true}
		}
		if o.Type == history.OK {
			used[o.Completed] = event{n, false}
		}
	}
	return used
}

// follow links the transactions of each process. What ended unknown is the last of its process.
func (t *txns) follow(nodes []int32, add func(a, b int32)) {
	last := map[int64]int32{}
	for _, n := range nodes {
		o := t.op(n)
		if before, ok := last[o.Process]; ok {
			add(before, n)
			delete(last, o.Process)
		}
		if o.Type == history.OK {
			last[o.Process] = n
		}
	}
}

// maxFrontier bounds what is remembered of operations without invocation, of which each may be concurrent with all the others.
const maxFrontier = 10_000

// precede links each transaction with those that had ended when it began, but for those that others imply: the
// transitive reduction, with at most as many edges for a transaction as there are processes. Elle does it so.
func (t *txns) precede(events []event, add func(a, b int32)) {
	var frontier []int32 // ended, and nothing that began afterwards has ended
	for _, e := range events {
		switch {
		case e.node < 0:
		case e.invoke:
			for _, a := range frontier {
				add(a, e.node)
			}
		default:
			begun := t.op(e.node).Invoked
			kept := frontier[:0]
			for _, a := range frontier {
				if t.op(a).Completed > begun {
					kept = append(kept, a)
				}
			}
			if len(kept) == maxFrontier {
				kept = append(kept[:0], kept[1:]...)
			}
			frontier = append(kept, e.node)
		}
	}
}

// all are the nodes.
func (t *txns) all() []int32 {
	nodes := make([]int32, len(t.ops))
	for i := range nodes {
		nodes[i] = int32(i)
	}
	return nodes
}

// orders adds the edges of processes and of real time.
func (t *txns) orders(l *links) {
	nodes := t.all()
	t.follow(nodes, func(a, b int32) { l.add(a, b, process) })
	if t.h.Invocations {
		t.precede(t.inTime(nodes, nil), func(a, b int32) { l.add(a, b, realtime) })
	}
}
