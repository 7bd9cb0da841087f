package statements

import (
	"database/sql/driver"
	"errors"
	"io"
)

// rows give their statement back when they are closed.
type rows struct {
	driver.Rows

	of     *statement
	kept   *cache
	failed bool
	closed bool
}

// Next implements driver.Rows.
func (r *rows) Next(to []driver.Value) error {
	err := r.Rows.Next(to)
	r.failed = r.failed || err != nil && !errors.Is(err, io.EOF)
	return err
}

// Close implements driver.Rows.
func (r *rows) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	err := r.Rows.Close()
	if r.failed || err != nil {
		r.kept.drop(r.of)
	} else {
		r.kept.giveBack(r.of)
	}
	return err
}
