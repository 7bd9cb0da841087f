// Package faulty makes a database fail now and then, for tests of what stands on it: before a
// statement was run, or after it, so that what was done is said to have failed. It decides by
// chance, from a seed; which database, and what must still hold, is left to the tests.
package faulty

import (
	"context"
	"database/sql/driver"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
)

// Errors that a test meets: one says what happened, the other does not.
var (
	ErrNotDone = errors.New("injected: the database did not answer in time")
	ErrDone    = errors.New("injected: the database did it, and its answer was lost")
)

// Faults are shared by all connections that they wrap. The same seed fails the same calls of the
// same sequence.
type Faults struct {
	rate    float64
	off     atomic.Bool
	notDone atomic.Int64
	done    atomic.Int64

	mu     sync.Mutex
	chance *rand.Rand
}

// New makes faults that hit a share of all statements and commits, from 0 to 1.
func New(seed uint64, rate float64) *Faults {
	return &Faults{rate: rate, chance: rand.New(rand.NewPCG(seed, seed))} //nolint:gosec // to be repeated, not kept secret
}

// Stop lets everything succeed from now on; Go on with Start.
func (f *Faults) Stop() { f.off.Store(true) }

// Start lets calls fail again.
func (f *Faults) Start() { f.off.Store(false) }

// Injected counts the calls that were not made, and those that were made and said to have failed.
func (f *Faults) Injected() (notDone, done int64) { return f.notDone.Load(), f.done.Load() }

// Wrap gives connections that meet the faults.
func (f *Faults) Wrap(inner driver.Connector) driver.Connector { return connector{inner, f} }

// around makes a call, or not, and says that it failed, or not.
func (f *Faults) around(call func() error) error {
	if f.off.Load() {
		return call()
	}
	f.mu.Lock()
	hit, after := f.chance.Float64() < f.rate, f.chance.IntN(2) == 0
	f.mu.Unlock()
	if !hit {
		return call()
	}
	if !after {
		f.notDone.Add(1)
		return ErrNotDone
	}
	if err := call(); err != nil {
		return err
	}
	f.done.Add(1)
	return ErrDone
}

type connector struct {
	driver.Connector

	faults *Faults
}

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	inner, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	able, ok := inner.(able)
	if !ok {
		return nil, errors.Join(errors.New("faulty: the driver lacks an interface"), inner.Close())
	}
	return &conn{able, c.faults}, nil
}

// able is what the drivers of both our databases can do.
type able interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
	driver.SessionResetter
}

type conn struct {
	able

	faults *Faults
}

// CheckNamedValue implements driver.NamedValueChecker, as pgx does: it takes more than the standard
// library knows.
func (c *conn) CheckNamedValue(v *driver.NamedValue) error {
	if checker, ok := c.able.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

func (c *conn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (r driver.Result, err error) {
	err = c.faults.around(func() error { r, err = c.able.ExecContext(ctx, text, args); return err })
	return r, err
}

func (c *conn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	return query(c.faults, func() (driver.Rows, error) { return c.able.QueryContext(ctx, text, args) })
}

func (c *conn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	inner, err := c.able.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	able, ok := inner.(ableStmt)
	if !ok {
		return nil, errors.Join(errors.New("faulty: the driver's statement lacks an interface"), inner.Close())
	}
	return &stmt{able, c.faults}, nil
}

func (c *conn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	inner, err := c.able.BeginTx(ctx, options)
	if err != nil {
		return nil, err
	}
	return tx{inner, c.faults}, nil
}

type ableStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

type stmt struct {
	ableStmt

	faults *Faults
}

func (s *stmt) ExecContext(ctx context.Context, args []driver.NamedValue) (r driver.Result, err error) {
	err = s.faults.around(func() error { r, err = s.ableStmt.ExecContext(ctx, args); return err })
	return r, err
}

func (s *stmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return query(s.faults, func() (driver.Rows, error) { return s.ableStmt.QueryContext(ctx, args) })
}

// query closes rows whose answer is said to be lost.
func query(f *Faults, ask func() (driver.Rows, error)) (rows driver.Rows, err error) {
	err = f.around(func() error { rows, err = ask(); return err })
	if err != nil && rows != nil {
		return nil, errors.Join(err, rows.Close())
	}
	return rows, err
}

type tx struct {
	driver.Tx

	faults *Faults
}

// Commit rolls back what is not committed, as a database does whose connection broke.
func (t tx) Commit() error {
	err := t.faults.around(t.Tx.Commit)
	if errors.Is(err, ErrNotDone) {
		return errors.Join(err, t.Rollback())
	}
	return err
}
