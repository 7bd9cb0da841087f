// Package statements is a database/sql driver over SQLite's that keeps what it compiled: a
// connection prepares a text once and runs it again and again. The embedded Temporal says
// everything as text, some thirty statements for each event, and compiling them cost as much as
// running them. What the statements say, and when they commit, it leaves to its callers.
package statements

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync/atomic"

	"modernc.org/sqlite"
)

// Connector opens connections to one database. Give it to sql.OpenDB.
type Connector struct {
	name     string
	driver   *sqlite.Driver
	compiled atomic.Int64
}

// NewConnector takes the name as modernc.org/sqlite does: a path, or a file: URI with its query.
// Transactions are deferred: _txlock is not looked at.
func NewConnector(name string) *Connector {
	return &Connector{name: name, driver: &sqlite.Driver{}}
}

// Compiled counts the statements that were compiled so far, on all connections.
func (c *Connector) Compiled() int64 { return c.compiled.Load() }

// Driver implements driver.Connector.
func (c *Connector) Driver() driver.Driver { return c.driver }

// Connect implements driver.Connector.
func (c *Connector) Connect(context.Context) (driver.Conn, error) {
	opened, err := c.driver.Open(c.name)
	if err != nil {
		return nil, err
	}
	inner, ok := opened.(sqliteConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("statements: %T lacks an interface", opened), opened.Close())
	}
	return newConn(inner, &c.compiled), nil
}

// sqliteConn is what a connection of modernc.org/sqlite can do, as far as database/sql asks for it.
type sqliteConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}
