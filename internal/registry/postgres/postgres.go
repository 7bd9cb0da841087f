// Package postgres keeps the registry in a PostgreSQL database (15 or newer), for installations of
// more than one process. Its tables lie in one schema: the first of the connection's search_path,
// "public" unless the URL says otherwise. It opens and migrates the database, speaks PostgreSQL's
// dialect, and keeps what several processes share: the pace of endpoints and the number of
// gateways. What else the registry does is in sqlstore.
package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"hookloop/internal/registry"
	"hookloop/internal/registry/sqlstore"
)

const (
	// maxConnections bounds what one process takes of a server's connections, which are 100 by
	// default. A query lasts a fraction of a millisecond: a few serve thousands a second.
	maxConnections = 16

	// maxAge lets connections follow when the server's name points elsewhere.
	maxAge = time.Hour
)

// Registry is an open registry. Its methods may be called from many processes: reads and writes of
// different endpoints run beside each other. After an outage of the server it goes on by itself.
type Registry struct {
	*sqlstore.Store

	db     *sql.DB
	passes atomic.Uint64 // asked for
}

// Open opens the registry in the database at url (postgres://user@host:5432/database). It changes
// nothing there: the schema must be of this program's version, as Migrate makes it.
func Open(ctx context.Context, url string, sealer *registry.Sealer) (*Registry, error) {
	return OpenThrough(ctx, url, sealer, nil)
}

// OpenThrough is Open with something between us and the driver, as tests put faults there. Nil:
// nothing.
func OpenThrough(
	ctx context.Context, url string, sealer *registry.Sealer, through func(driver.Connector) driver.Connector,
) (*Registry, error) {
	cfg, err := parse(url)
	if err != nil {
		return nil, err
	}
	connector := stdlib.GetConnector(*cfg, stdlib.OptionAfterConnect(impatient))
	if through != nil {
		connector = through(connector)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(maxConnections)
	db.SetMaxIdleConns(maxConnections)
	db.SetConnMaxLifetime(maxAge)
	r := &Registry{db: db}
	if err = check(ctx, db); err == nil {
		r.Store, err = sqlstore.New(ctx, sqlstore.Config{Sealer: sealer, Dialect: dialect{}, Readers: db, Writer: db})
	}
	if err != nil {
		_ = db.Close() // why it did not open is what matters
		return nil, at(cfg, err)
	}
	return r, nil
}

// impatient makes the server end within 30 s a session whose process has vanished without a word,
// with its whole machine perhaps: what it locked would stay so until TCP gives up, by the defaults
// in two hours. Keepalives end one that waits between statements, with the turn to migrate, say.
func impatient(ctx context.Context, c *pgx.Conn) error {
	_, err := c.Exec(ctx, "SET idle_in_transaction_session_timeout = '30s';"+
		"SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 4")
	return err
}

// Close closes the connections. Calls under way may still end.
func (r *Registry) Close() error { return r.db.Close() }
