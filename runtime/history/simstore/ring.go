package simstore

import "rig/runtime/history"

// Ring is a history that is one strongly connected component of n transactions: each appends to a list that the next one
// appends to, the first reads nothing of what the last wrote, and many anti-dependencies close no short cycle. Each list is
// read once, by one of n further transactions.
func Ring(n int) (*history.History, error) {
	var b history.Builder
	list := func(v ...history.Value) history.Value { return history.Value{Kind: history.List, Items: v} }
	num := func(n int) history.Value { return history.Value{Kind: history.Int, Int: int64(n)} }
	add := func(process int, mops ...history.Value) error {
		return b.Add(&history.Event{Process: int64(process), Type: history.OK, F: "txn", Time: -1, Value: list(mops...)})
	}
	for i := range n {
		mops := []history.Value{list(words[1], num(i), num(1)), list(words[1], num((i+1)%n), num(2))}
		for k := range 3 {
			mops = append(mops, list(words[0], num(n+(i+1+(i*6+k*13)%(n-1))%n), list()), list(words[1], num(n+i), num(k)))
		}
		if err := add(i, mops...); err != nil {
			return nil, err
		}
	}
	for i := range n {
		first, second := num(1), num(2)
		if i == 0 {
			first, second = second, first
		}
		if err := add(n+i, list(words[0], num(i), list(first, second))); err != nil {
			return nil, err
		}
	}
	return b.History()
}
