package statements

import (
	"context"
	"database/sql/driver"
	"errors"
	"sync/atomic"
)

// conn is used by one goroutine at a time, as database/sql promises; several of its rows may be
// open.
type conn struct {
	sqliteConn

	kept cache
}

func newConn(inner sqliteConn, compiled *atomic.Int64) *conn {
	return &conn{sqliteConn: inner, kept: newCache(inner, compiled)}
}

// ExecContext implements driver.ExecerContext. It does not begin once ctx is done, and does not
// stop half-way either: a write is over sooner than the goroutine that would watch for that has
// begun.
func (c *conn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s, err := c.kept.take(ctx, text)
	if err != nil {
		return nil, err
	}
	result, err := s.ExecContext(context.WithoutCancel(ctx), args)
	if err != nil {
		c.kept.drop(s)
		return nil, err
	}
	c.kept.giveBack(s)
	return result, nil
}

// QueryContext implements driver.QueryerContext. It waits for the first row as long as ctx lasts.
func (c *conn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.kept.take(ctx, text)
	if err != nil {
		return nil, err
	}
	found, err := s.QueryContext(ctx, args)
	if err != nil {
		c.kept.drop(s)
		return nil, err
	}
	return &rows{Rows: found, of: s, kept: &c.kept}, nil
}

// Pragma runs a PRAGMA that takes effect when it is compiled: one that was kept would do nothing.
func (c *conn) Pragma(ctx context.Context, text string) error {
	s, err := c.PrepareContext(ctx, text)
	if err != nil {
		return err
	}
	if run, ok := s.(driver.StmtExecContext); ok {
		_, err = run.ExecContext(ctx, nil)
	}
	return errors.Join(err, s.Close())
}

// Close implements driver.Conn. SQLite would keep the connection open for a statement left behind.
func (c *conn) Close() error {
	c.kept.purge()
	return c.sqliteConn.Close()
}

// BeginTx implements driver.ConnBeginTx. SQLite's transactions are serializable, also where less is
// asked for.
func (c *conn) BeginTx(ctx context.Context, _ driver.TxOptions) (driver.Tx, error) {
	if _, err := c.ExecContext(ctx, "BEGIN", nil); err != nil {
		return nil, err
	}
	return tx{c}, nil
}

type tx struct{ conn *conn }

// Commit implements driver.Tx. A transaction that cannot be committed is rolled back: database/sql
// takes the connection for free of it.
func (t tx) Commit() error {
	_, err := t.conn.ExecContext(context.Background(), "COMMIT", nil)
	if err != nil {
		_ = t.Rollback() // SQLite may have rolled back by itself, and err says what matters
	}
	return err
}

// Rollback implements driver.Tx.
func (t tx) Rollback() error {
	_, err := t.conn.ExecContext(context.Background(), "ROLLBACK", nil)
	return err
}
