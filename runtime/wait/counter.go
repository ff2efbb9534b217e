package wait

import "strconv"

// counter is InnoDB's count of threads that wait for a row just now, which needs no privilege and tells of the whole server.
type counter struct{ ask Asker }

const counterSQL = "SHOW GLOBAL STATUS LIKE 'Innodb_row_lock_current_waits'"

func (c *counter) waiting() (int, error) {
	rows, err := c.ask.Ask(counterSQL)
	if err != nil {
		return 0, err
	}
	if len(rows) != 1 || len(rows[0]) != 2 {
		return 0, errNotTold
	}
	n, err := strconv.Atoi(rows[0][1])
	if err != nil {
		return 0, errNotTold
	}
	return n, nil
}

func (c *counter) suspects() (bool, error) {
	n, err := c.waiting()
	return n > 0, err
}

// look takes it that all wait when as many wait on the server: nobody else's sessions may be there.
func (c *counter) look(threads []uint64) (map[uint64]State, error) {
	n, err := c.waiting()
	if err != nil || n < len(threads) {
		return nil, err
	}
	out := map[uint64]State{}
	for _, t := range threads {
		out[t] = State{Waits: true, Lock: Lock{Kind: "record"}, Slow: true} // a thread is counted until it gets a processor
	}
	return out, nil
}
