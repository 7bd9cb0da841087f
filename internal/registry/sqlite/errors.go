package sqlite

import (
	"cmp"
	"context"
	"errors"
	"io/fs"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"hookloop/internal/registry/sqlstore"
)

func (dialect) Fault(err error) sqlstore.Fault {
	switch code(err) {
	case sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE:
		return sqlstore.Taken
	}
	return sqlstore.OtherFault
}

func (dialect) Explain(ctx context.Context, err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err // the caller names the path
	}
	switch code(err) & 0xff {
	case sqlite3.SQLITE_INTERRUPT:
		return cmp.Or(ctx.Err(), err) // SQLite does not know why
	case sqlite3.SQLITE_NOTADB:
		return errors.New("the file is not a SQLite database")
	case sqlite3.SQLITE_CORRUPT:
		return errors.New("the database file is damaged")
	case sqlite3.SQLITE_CANTOPEN:
		return errors.New("the database file cannot be opened")
	case sqlite3.SQLITE_READONLY:
		return errors.New("the database file cannot be written")
	case sqlite3.SQLITE_FULL:
		return errors.New("the database file's disk is full")
	case sqlite3.SQLITE_BUSY:
		return errors.New("the database file is locked by another process")
	}
	return err
}

// code is SQLite's extended result code; zero when err is not from SQLite.
func code(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()
	}
	return 0
}
