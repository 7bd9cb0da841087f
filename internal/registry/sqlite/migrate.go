package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// applicationID is what the first migration marks our files with.
const applicationID = 0x486f6f6b

var errForeign = errors.New("the file is another application's database")

// inspect refuses a database that is not ours before anything writes to it: even the journal mode
// is a change to the file.
func inspect(ctx context.Context, path string) error {
	db, err := connect(path, 1, url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(5000)"}})
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()

	var id, tables int
	const query = `SELECT application_id, (SELECT count(*) FROM sqlite_schema
		WHERE name NOT LIKE 'goose%' AND name NOT LIKE 'sqlite%') FROM pragma_application_id`
	if err := db.QueryRowContext(ctx, query).Scan(&id, &tables); err != nil {
		return err
	}
	if id == applicationID || id == 0 && tables == 0 { // ours, or new
		return nil
	}
	return errForeign
}

// migrate brings the schema up to this program's version.
func migrate(ctx context.Context, db *sql.DB) error {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, dir,
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return err
	}
	for {
		has, knows, err := p.GetVersions(ctx)
		switch {
		case err != nil:
			return err
		case has > knows:
			return fmt.Errorf("its schema is version %d, this hookloop knows up to %d: use a newer one", has, knows)
		case has == knows:
			return nil
		}
		if err := up(ctx, p, has); err != nil {
			return err
		}
	}
}

// up migrates from version has. It forgives a failure when another process, opening the same file
// at the same moment, has got further meanwhile.
func up(ctx context.Context, p *goose.Provider, has int64) error {
	_, err := p.Up(ctx)
	if err == nil {
		return nil
	}
	if now, versionErr := p.GetDBVersion(ctx); versionErr == nil && now > has {
		return nil
	}
	return err
}
