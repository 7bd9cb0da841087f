// Package sqlstore is the registry in SQL: the Go and the statements that SQLite and PostgreSQL
// share. A Dialect says what they do otherwise. It decides nothing about endpoints and sources:
// what may be in one is the gateway's to check. The packages sqlite and postgres open and migrate a
// database and make a Store of it.
package sqlstore

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"hookloop/internal/echo"
	"hookloop/internal/registry"
	"hookloop/internal/webhook"
)

// Config is what a Store needs, all of it.
type Config struct {
	Sealer  *registry.Sealer
	Dialect Dialect
	Readers *sql.DB
	Writer  *sql.DB // the same, where a connection is as good as another
}

// Store is an open registry. Its methods may be called from many goroutines. Reads see every write
// that has returned. Times are kept to the microsecond.
type Store struct {
	sealer     *registry.Sealer
	dialect    Dialect
	readers    *sql.DB
	writer     *sql.DB
	statements statements

	endpoints records[webhook.Endpoint]
	sources   records[webhook.Source]

	match, sourceByID, arrivals, redelivered, erasure prepared

	subjectKeys sync.Map // by tenant

	writes    atomic.Uint64 // of echoes
	maxWrites int           // of a tenant
	now       func() time.Time
}

// New makes a Store over a database of this program's schema. The caller closes the database.
func New(ctx context.Context, c Config) (*Store, error) {
	s := &Store{
		sealer: c.Sealer, dialect: c.Dialect, readers: c.Readers, writer: c.Writer,
		statements: statementsOf(c.Dialect), maxWrites: echo.MaxWrites, now: time.Now,
	}
	s.endpoints = records[webhook.Endpoint]{
		store: s, table: endpointTable, noun: "endpoint", limit: registry.MaxEndpoints,
		read: readEndpoint, write: writeEndpoint, id: func(e webhook.Endpoint) string { return e.ID },
	}
	s.sources = records[webhook.Source]{
		store: s, table: sourceTable, noun: "source", limit: registry.MaxSources,
		read: readSource, write: writeSource, id: func(src webhook.Source) string { return src.ID },
	}
	return s, s.prepare(ctx)
}

// prepare makes ready the queries of accepting and delivering.
func (s *Store) prepare(ctx context.Context) error {
	for _, p := range []struct {
		query *prepared
		text  string
	}{
		{&s.endpoints.one, s.endpoints.selectOne()},
		{&s.endpoints.page, s.endpoints.selectPage()},
		{&s.sources.one, s.sources.selectOne()},
		{&s.sources.page, s.sources.selectPage()},
		{&s.match, s.statements.match},
		{&s.sourceByID, selectSourceByID},
		{&s.arrivals, s.statements.selectArrivals},
		{&s.redelivered, selectRedelivered},
		{&s.erasure, selectErasure},
	} {
		*p.query = prepared{db: s.readers, text: p.text}
		if !s.dialect.KeepsPrepared() {
			continue
		}
		var err error
		if p.query.stmt, err = s.readers.PrepareContext(ctx, p.text); err != nil {
			return err
		}
	}
	return nil
}

// prepared is a query that runs often.
type prepared struct {
	db   *sql.DB
	text string
	stmt *sql.Stmt // nil: the driver remembers the text
}

func (p prepared) row(ctx context.Context, args ...any) *sql.Row {
	if p.stmt == nil {
		return p.db.QueryRowContext(ctx, p.text, args...)
	}
	return p.stmt.QueryRowContext(ctx, args...)
}

func (p prepared) rows(ctx context.Context, args ...any) (*sql.Rows, error) {
	if p.stmt == nil {
		return p.db.QueryContext(ctx, p.text, args...)
	}
	return p.stmt.QueryContext(ctx, args...)
}

// Write does something in a transaction. Each statement of it sees what others have committed
// before it began. What must not change between two of them is locked: a row by Dialect.ForUpdate,
// what is no row yet by Dialect.Lock.
func Write(ctx context.Context, db *sql.DB, do func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return cmp.Or(ctx.Err(), err) // SQLite only says it was interrupted
	}
	defer func() { _ = tx.Rollback() }() // after Commit there is nothing to undo

	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}

func (s *Store) write(ctx context.Context, do func(*sql.Tx) error) error {
	return Write(ctx, s.writer, do)
}

// list reads rows to their end.
func list[T any](rows *sql.Rows, err error, read func(row) (T, error)) (all []T, _ error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		one, err := read(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// readID reads a row of one id.
func readID(r row) (id string, err error) {
	err = r.Scan(&id)
	return id, err
}

// Ping says whether the registry can be read.
func (s *Store) Ping(ctx context.Context) error {
	var inUse bool
	if err := s.readers.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM endpoints)").Scan(&inUse); err != nil {
		return fmt.Errorf("registry: %w", s.dialect.Explain(ctx, err))
	}
	return nil
}
