package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"rig/runtime/server"
)

// pointSQL is the query of both sides.
const pointSQL = "SELECT id, balance, name FROM account WHERE id = ?"

const pointScript = `
sessions = param("sessions", default = 1)
statements = param("statements", default = 0)  # of each session

def work(conn):
    total = 0
    for i in range(statements):
        total += conn.query("SELECT id, balance, name FROM account WHERE id = ?", i % 1000).one().balance
    return total

def test_point_query(t):
    expect.all_ok(task.map(work, [t.connect(database = "bench") for _ in range(sessions)]))
`

const (
	accounts   = 1000
	pointLimit = 1.3
)

// host starts the throw-away MariaDB of the comparisons, with the table of accounts.
func (b *bench) host(ctx context.Context) (*server.Server, error) {
	s, err := server.Start(ctx, server.Spec{Kind: server.MariaDB}, nil)
	if err != nil {
		return nil, err
	}
	if err := fill(ctx, s.Address().Addr); err != nil {
		_ = s.Stop() // the first error is the one to tell
		return nil, fmt.Errorf("fill the table of accounts: %w", err)
	}
	return s, nil
}

// write puts a script into the run's folder.
func (b *bench) write(name, text string) (string, error) {
	path := filepath.Join(b.dir, name)
	return path, os.WriteFile(path, []byte(text), 0o600)
}

// point compares a point query through a script with the same through the bare driver: CPU of the client process and rate.
func (b *bench) point(ctx context.Context) error {
	s, err := b.host(ctx)
	if err != nil {
		return err
	}
	defer s.Stop()
	script, err := b.write("point.star", pointScript)
	if err != nil {
		return err
	}
	for _, sessions := range []int{1, 8, 32} {
		if err := b.pointAt(ctx, sessions, s.Address().Addr, script); err != nil {
			return err
		}
	}
	return nil
}

// pointAt runs the rounds of one number of sessions. What starting and connecting costs is taken away, by the same without
// statements.
func (b *bench) pointAt(ctx context.Context, sessions int, socket, script string) error {
	sides := []func(int) (cost, error){
		func(n int) (cost, error) {
			return b.child(ctx, "point", "-socket", socket, "-sessions", strconv.Itoa(sessions), "-each", strconv.Itoa(n))
		},
		func(n int) (cost, error) {
			return b.exec(ctx, script, "--target", "mysql://root@/bench?socket="+socket, "--allow-database", "bench",
				"--sessions", strconv.Itoa(sessions), "--statements", strconv.Itoa(n))
		},
	}
	each := b.statements / sessions
	var taken [2][]cost
	for range b.rounds {
		for i, side := range sides {
			c, err := netCost(side, each)
			if err != nil {
				return err
			}
			taken[i] = append(taken[i], c)
		}
	}
	b.pointLines(sessions, each*sessions, taken[0], taken[1])
	return nil
}

func netCost(side func(int) (cost, error), each int) (cost, error) {
	idle, err := side(0)
	if err != nil {
		return cost{}, err
	}
	busy, err := side(each)
	return busy.minus(idle), err
}

func (b *bench) pointLines(sessions, n int, bare, rig []cost) {
	var ratios []float64
	for i := range bare {
		ratios = append(ratios, float64(rig[i].cpu)/float64(bare[i].cpu))
	}
	cpu := func(c cost) time.Duration { return c.cpu }
	wall := func(c cost) time.Duration { return c.wall }
	b.judge(fmt.Sprintf("point query, %d sessions: CPU of a statement (rounds: %.2f to %.2f)", sessions, slices.Min(ratios), slices.Max(ratios)),
		fmt.Sprintf("%.1f us", micros(medianOf(bare, cpu), n)), fmt.Sprintf("%.1f us", micros(medianOf(rig, cpu), n)), median(ratios), pointLimit)
	fast, slow := rate(n, medianOf(bare, wall)), rate(n, medianOf(rig, wall))
	b.note(fmt.Sprintf("point query, %d sessions: statements per second", sessions), fmt.Sprintf("%.0f", fast), fmt.Sprintf("%.0f", slow), slow/fast)
}

func medianOf(list []cost, f func(cost) time.Duration) time.Duration {
	var out []time.Duration
	for _, c := range list {
		out = append(out, f(c))
	}
	return median(out)
}
