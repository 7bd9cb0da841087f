package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"hookloop/internal/webhook"
)

// about makes err one about an endpoint.
func about(id string, err error) error { return aboutOne("endpoint "+id, err) }

func aboutSource(id string, err error) error { return aboutOne("source "+id, err) }

// aboutOne says which one an error is about. A refusal somebody is meant to read stays as it is.
func aboutOne(name string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return webhook.Errorf(webhook.NotFound, "%s does not exist", name)
	case code(err) == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, code(err) == sqlite3.SQLITE_CONSTRAINT_UNIQUE:
		return webhook.Errorf(webhook.Conflict, "%s exists already", name)
	case webhook.CodeOf(err) != "":
		return err
	}
	return fmt.Errorf("%s: %w", name, explain(err))
}

func endpointsOf(tenant string, err error) error { return listOf("endpoints", tenant, err) }

func sourcesOf(tenant string, err error) error { return listOf("sources", tenant, err) }

func listOf(what, tenant string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s of %s: %w", what, tenant, explain(err))
}

// explain says in a few words what SQLite says in many, where it depends on the file and not on us.
func explain(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err // the caller names the path
	}
	switch code(err) & 0xff {
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
