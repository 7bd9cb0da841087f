// Package sqlite keeps the registry in one SQLite file, for `hookloop dev` and for small
// installations. Several processes may open the same file. It decides nothing about endpoints: what
// may be in one is the gateway's to check.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"hookloop/internal/registry"
)

// Registry is an open registry. Its methods may be called from many goroutines: reads run beside
// each other and beside the one write at a time that SQLite allows, and see every write that has
// returned. Times are kept to the microsecond.
type Registry struct {
	sealer  *registry.Sealer
	writer  *sql.DB // one connection
	readers *sql.DB

	endpoint, endpoints, match, sourceByID, arrival, redelivered *sql.Stmt
}

// Open opens the registry in the file at path, and makes or migrates it where needed. A new file is
// its owner's alone to read: an endpoint's headers and URL may hold credentials, too.
func Open(ctx context.Context, path string, sealer *registry.Sealer) (*Registry, error) {
	r := &Registry{sealer: sealer}
	if err := r.open(ctx, path); err != nil {
		_ = r.Close() // why it did not open is what matters
		return nil, fmt.Errorf("registry %s: %w", path, explain(err))
	}
	return r, nil
}

func (r *Registry) open(ctx context.Context, path string) (err error) {
	if err := create(path); err != nil {
		return err
	}
	if err := inspect(ctx, path); err != nil {
		return err
	}
	// BEGIN IMMEDIATE: a transaction that reads first and then writes must not find at its write
	// that another process was faster.
	if r.writer, err = connect(path, 1, url.Values{"_txlock": {"immediate"}, "_pragma": {
		"busy_timeout(5000)", "foreign_keys(1)", "journal_mode(wal)", "synchronous(full)",
	}}); err != nil {
		return err
	}
	if err := migrate(ctx, r.writer); err != nil {
		return err
	}
	// Reading is computing: more connections than processors only wait for each other.
	if r.readers, err = connect(path, runtime.GOMAXPROCS(0), url.Values{"_pragma": {
		"busy_timeout(5000)", "query_only(1)",
	}}); err != nil {
		return err
	}
	return r.prepare(ctx)
}

func (r *Registry) prepare(ctx context.Context) error {
	for _, p := range []struct {
		stmt  **sql.Stmt
		query string
	}{
		{&r.endpoint, selectEndpoint},
		{&r.endpoints, selectEndpoints},
		{&r.match, selectMatch},
		{&r.sourceByID, selectSourceByID},
		{&r.arrival, selectArrival},
		{&r.redelivered, selectRedelivered},
	} {
		stmt, err := r.readers.PrepareContext(ctx, p.query)
		if err != nil {
			return err
		}
		*p.stmt = stmt
	}
	return nil
}

// Ping says whether the registry can be read.
func (r *Registry) Ping(ctx context.Context) error {
	var inUse bool
	if err := r.readers.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM endpoints)").Scan(&inUse); err != nil {
		return fmt.Errorf("registry: %w", explain(err))
	}
	return nil
}

// Close waits for calls under way. The file needs nothing else beside it afterwards.
func (r *Registry) Close() error {
	var errs []error
	for _, db := range []*sql.DB{r.readers, r.writer} { // the last to close folds the log into the file
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(errs...)
}

// create makes an empty file for SQLite to fill. It never opens one that exists: closing it again
// would drop the locks that other connections of this process hold on it.
func create(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return errors.New("it is a folder, not a file")
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// connect makes a pool whose connections, and so its prepared statements, stay open.
func connect(path string, size int, params url.Values) (*sql.DB, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	dsn := url.URL{Scheme: "file", Path: filepath.ToSlash(full), RawQuery: params.Encode()}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return db, nil
}
