package server

import (
	"fmt"
	"strings"
	"time"

	"github.com/dolthub/go-mysql-server/memory"
	"github.com/dolthub/go-mysql-server/sql"
	"github.com/dolthub/go-mysql-server/sql/expression"
	"github.com/dolthub/go-mysql-server/sql/expression/function"
	"github.com/dolthub/go-mysql-server/sql/types"
)

// databases are the embedded engine's, with functions in place of those of its own that wait: they leave their turn
// meanwhile, and KILL QUERY ends GET_LOCK too.
type databases struct {
	*memory.DbProvider
	locks *sql.LockSubsystem
}

// Function implements sql.FunctionProvider.
func (d *databases) Function(_ *sql.Context, name string) (sql.Function, bool) {
	switch strings.ToLower(name) {
	case "get_lock":
		return sql.Function2{Name: "get_lock", Fn: func(name, wait sql.Expression) sql.Expression {
			return &getLock{expression.BinaryExpressionStub{LeftChild: name, RightChild: wait}, d.locks}
		}}, true
	case "sleep":
		return sql.Function1{Name: "sleep", Fn: newSleep}, true
	}
	return nil, false
}

// sleep is SLEEP(seconds) outside the statement's turn.
type sleep struct{ *function.Sleep }

func newSleep(e sql.Expression) sql.Expression {
	return &sleep{function.NewSleep(e).(*function.Sleep)}
}

func (s *sleep) Eval(ctx *sql.Context, row sql.Row) (any, error) {
	t := turnOf(ctx)
	t.leave()
	defer t.back()
	return s.Sleep.Eval(ctx, row)
}

func (s *sleep) WithChildren(children ...sql.Expression) (sql.Expression, error) {
	if len(children) != 1 {
		return nil, sql.ErrInvalidChildrenNumber.New(s, len(children), 1)
	}
	return newSleep(children[0]), nil
}

// getLock is GET_LOCK(name, seconds): 1 when the lock was had, 0 when the time passed. Negative seconds wait for ever.
type getLock struct {
	expression.BinaryExpressionStub
	locks *sql.LockSubsystem
}

var (
	_ sql.FunctionExpression = (*getLock)(nil)
	_ sql.CollationCoercible = (*getLock)(nil)
)

// lockPoll is the pause between two looks at a lock that is taken.
const lockPoll = time.Millisecond

func (g *getLock) Eval(ctx *sql.Context, row sql.Row) (any, error) {
	name, seconds, err := g.arguments(ctx, row)
	if err != nil || name == "" {
		return nil, err
	}
	t := turnOf(ctx)
	t.leave()
	defer t.back()
	deadline := time.Now().Add(time.Duration(seconds * float64(time.Second)))
	tick := time.NewTicker(lockPoll)
	defer tick.Stop()
	for {
		err := g.locks.Lock(ctx, name, 0) // a wait of 0 still tries once
		switch {
		case err == nil:
			return int8(1), nil
		case !sql.ErrLockTimeout.Is(err):
			return nil, err
		case seconds >= 0 && !time.Now().Before(deadline):
			return int8(0), nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}

// arguments gives "" when one is NULL or the name is empty: the lock is then NULL.
func (g *getLock) arguments(ctx *sql.Context, row sql.Row) (string, float64, error) {
	name, err := g.LeftChild.Eval(ctx, row)
	if err != nil || name == nil {
		return "", 0, err
	}
	wait, err := g.RightChild.Eval(ctx, row)
	if err != nil || wait == nil {
		return "", 0, err
	}
	text, _, err := types.LongText.Convert(ctx, name)
	if err != nil {
		return "", 0, err
	}
	seconds, _, err := types.Float64.Convert(ctx, wait)
	if err != nil {
		return "", 0, err
	}
	return text.(string), seconds.(float64), nil
}

func (g *getLock) FunctionName() string { return "get_lock" }
func (g *getLock) Description() string  { return "gets a named lock." }
func (g *getLock) Type() sql.Type       { return types.Int8 }
func (g *getLock) IsNullable() bool     { return true }
func (g *getLock) String() string       { return fmt.Sprintf("get_lock(%s, %s)", g.LeftChild, g.RightChild) }

func (g *getLock) WithChildren(children ...sql.Expression) (sql.Expression, error) {
	if len(children) != 2 {
		return nil, sql.ErrInvalidChildrenNumber.New(g, len(children), 2)
	}
	return &getLock{expression.BinaryExpressionStub{LeftChild: children[0], RightChild: children[1]}, g.locks}, nil
}

func (*getLock) CollationCoercibility(*sql.Context) (sql.CollationID, byte) {
	return sql.Collation_binary, 5
}
