package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"regexp"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// versions is the table of the migrations made. Its name is ours: in a database that is shared,
// another application may use goose's own.
const versions = "hookloop_versions"

// Migrate brings the schema up to this program's version, and makes it where there is none. It may
// be run at any time, again, and from several processes at once: they take turns. Migrations only
// add, so processes of the version before go on meanwhile. Through a connection pooler it must be
// given a session of its own, or the turns are not kept.
func Migrate(ctx context.Context, url string) error {
	cfg, err := parse(url)
	if err != nil {
		return err
	}
	db := stdlib.OpenDB(*cfg, stdlib.OptionAfterConnect(impatient))
	defer func() { _ = db.Close() }()
	if err := migrate(ctx, db); err != nil {
		return at(cfg, err)
	}
	return nil
}

func migrate(ctx context.Context, db *sql.DB) error {
	if err := prepare(ctx, db); err != nil {
		return err
	}
	p, err := provider(db)
	if err != nil {
		return err
	}
	has, err := version(ctx, db)
	if err != nil {
		return err
	}
	if knows := latest(p); has > knows {
		return newer(has, knows)
	}
	_, err = p.Up(ctx)
	return err
}

func provider(db *sql.DB) (*goose.Provider, error) {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, db, dir, goose.WithTableName(versions),
		goose.WithSessionLocker(turn("migrate")), goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
}

// turn is a goose lock.SessionLocker that waits for as long as the context does. (goose's own asks
// again and again, and gives up after a while.) It is lost with the connection that migrates.
type turn string

func (t turn) SessionLock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", lockID(string(t)))
	return err
}

func (t turn) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, "SELECT pg_advisory_unlock($1)", lockID(string(t)))
	return err
}

// plainName needs no quotes, and so cannot be more than a name.
var plainName = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)

// prepare makes the schema that search_path names, and refuses a database that cannot hold all
// text.
func prepare(ctx context.Context, db *sql.DB) error {
	var encoding, path string
	var schema sql.NullString
	const query = "SELECT current_setting('server_encoding'), current_setting('search_path'), current_schema()"
	if err := db.QueryRowContext(ctx, query).Scan(&encoding, &path, &schema); err != nil {
		return err
	}
	switch {
	case encoding != "UTF8":
		return fmt.Errorf("the database's encoding is %s, it must be UTF8", encoding)
	case schema.Valid:
		return nil
	case !plainName.MatchString(path):
		return fmt.Errorf("the search_path %s names no schema that exists", path)
	}
	_, err := db.ExecContext(ctx, "CREATE SCHEMA "+path)
	if code(err) == duplicateSchema || code(err) == uniqueViolation { // another process was faster
		return nil
	}
	return err
}

// check refuses a schema that is not of this program's version.
func check(ctx context.Context, db *sql.DB) error {
	p, err := provider(db)
	if err != nil {
		return err
	}
	has, err := version(ctx, db)
	if err != nil {
		return err
	}
	switch knows := latest(p); {
	case has > knows:
		return newer(has, knows)
	case has == 0:
		return errors.New("its schema is missing: run `hookloop migrate`")
	case has < knows:
		return fmt.Errorf("its schema is version %d, this hookloop needs %d: run `hookloop migrate`", has, knows)
	}
	return nil
}

func newer(has, knows int64) error {
	return fmt.Errorf("its schema is version %d, this hookloop knows up to %d: use a newer one", has, knows)
}

// version is the schema's; 0 where there is none. Unlike goose, it only reads.
func version(ctx context.Context, db *sql.DB) (has int64, err error) {
	err = db.QueryRowContext(ctx, "SELECT coalesce(max(version_id), 0) FROM "+versions).Scan(&has)
	if code(err) == undefinedTable {
		return 0, nil
	}
	return has, err
}

// latest is the version of the last migration this program knows.
func latest(p *goose.Provider) int64 {
	all := p.ListSources()
	return all[len(all)-1].Version
}
