// Package sqlite keeps the registry in one SQLite file, for `hookloop dev` and for small
// installations. Several processes may open the same file. It opens and migrates the file and
// speaks SQLite's dialect; what the registry does is in sqlstore.
package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"

	"modernc.org/sqlite"

	"hookloop/internal/registry"
	"hookloop/internal/registry/sqlstore"
)

// Registry is an open registry. Reads run beside each other and beside the one write at a time that
// SQLite allows.
type Registry struct {
	*sqlstore.Store

	writer  *sql.DB // one connection
	readers *sql.DB
	through func(driver.Connector) driver.Connector
}

// synchronous makes what was answered survive a power cut. A test links a program without it, to
// see that it would notice.
var synchronous = "full"

// Open opens the registry in the file at path, and makes or migrates it where needed. A new file is
// its owner's alone to read: an endpoint's headers and URL may hold credentials, too.
func Open(ctx context.Context, path string, sealer *registry.Sealer) (*Registry, error) {
	return OpenThrough(ctx, path, sealer, nil)
}

// OpenThrough is Open with something between us and the driver, as tests put faults there. Nil:
// nothing.
func OpenThrough(
	ctx context.Context, path string, sealer *registry.Sealer, through func(driver.Connector) driver.Connector,
) (*Registry, error) {
	r := &Registry{through: through}
	if err := r.open(ctx, path, sealer); err != nil {
		_ = r.Close() // why it did not open is what matters
		return nil, fmt.Errorf("registry %s: %w", path, dialect{}.Explain(ctx, err))
	}
	return r, nil
}

func (r *Registry) open(ctx context.Context, path string, sealer *registry.Sealer) (err error) {
	if err := create(path); err != nil {
		return err
	}
	if err := inspect(ctx, path); err != nil {
		return err
	}
	// BEGIN IMMEDIATE: a transaction that reads first and then writes must not find at its write
	// that another process was faster.
	if r.writer, err = r.connect(path, 1, url.Values{"_txlock": {"immediate"}, "_pragma": {
		"busy_timeout(5000)", "foreign_keys(1)", "journal_mode(wal)", "synchronous(" + synchronous + ")",
		"secure_delete(" + secureDelete + ")",
	}}); err != nil {
		return err
	}
	if err := migrate(ctx, r.writer); err != nil {
		return err
	}
	// Reading is computing: more connections than processors only wait for each other.
	if r.readers, err = r.connect(path, runtime.GOMAXPROCS(0), url.Values{"_pragma": {
		"busy_timeout(5000)", "query_only(1)",
	}}); err != nil {
		return err
	}
	r.Store, err = sqlstore.New(ctx, sqlstore.Config{Sealer: sealer, Dialect: dialect{}, Readers: r.readers, Writer: r.writer})
	return err
}

// Close waits for calls under way. The file needs nothing else beside it afterwards.
func (r *Registry) Close() error {
	var errs []error
	// the last to close folds the log into the file
	for _, db := range []*sql.DB{r.readers, r.writer} {
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

// connector opens connections to one file.
type connector struct {
	driver driver.Driver
	name   string
}

func (c connector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.name) }

func (c connector) Driver() driver.Driver { return c.driver }

func connect(path string, size int, params url.Values) (*sql.DB, error) {
	return (&Registry{}).connect(path, size, params)
}

// connect makes a pool whose connections, and so its prepared statements, stay open.
func (r *Registry) connect(path string, size int, params url.Values) (*sql.DB, error) {
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	dsn := url.URL{Scheme: "file", Path: filepath.ToSlash(full), RawQuery: params.Encode()}
	var through driver.Connector = connector{&sqlite.Driver{}, dsn.String()}
	if r.through != nil {
		through = r.through(through)
	}
	db := sql.OpenDB(through)
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return db, nil
}
