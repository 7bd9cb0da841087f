package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"

	"hookloop/internal/registry/sqlstore"
)

// What PostgreSQL calls the errors we tell apart.
const (
	uniqueViolation       = "23505"
	foreignKeyViolation   = "23503"
	notText               = "22021" // NUL, or bytes that are not UTF-8
	undefinedTable        = "42P01"
	duplicateTable        = "42P07"
	duplicateSchema       = "42P06"
	insufficientPrivilege = "42501"
	invalidAuthorization  = "28000"
	invalidPassword       = "28P01"
	invalidCatalog        = "3D000"
	readOnly              = "25006"
	diskFull              = "53100"
	tooManyConnections    = "53300"
	adminShutdown         = "57P01"
	crashShutdown         = "57P02"
	cannotConnectNow      = "57P03"
	idleInTransaction     = "25P03"
)

func isForeignKey(err error) bool { return code(err) == foreignKeyViolation }

func (dialect) Fault(err error) sqlstore.Fault {
	switch code(err) {
	case uniqueViolation:
		return sqlstore.Taken
	case notText:
		return sqlstore.NotText
	}
	return sqlstore.OtherFault
}

func (dialect) Explain(_ context.Context, err error) error { return explain(err) }

// explain says in a few words what pgx and the server say in many, where it depends on the server
// and not on us.
func explain(err error) error {
	switch code(err) {
	case "":
		return explainConnection(err)
	case invalidPassword, invalidAuthorization:
		return errors.New("the server does not accept the user and its password")
	case invalidCatalog:
		return errors.New("the database does not exist")
	case insufficientPrivilege:
		return fmt.Errorf("the user may not do that: %s", message(err))
	case undefinedTable:
		return errors.New("its schema is missing: run `hookloop migrate`")
	case duplicateTable:
		return fmt.Errorf("the schema belongs to another application: %s", message(err))
	case readOnly:
		return errStandby
	case diskFull:
		return errors.New("the server's disk is full")
	case tooManyConnections:
		return errors.New("the server has no connection left")
	case adminShutdown, crashShutdown, cannotConnectNow:
		return errors.New("the server is stopping or starting")
	case idleInTransaction:
		return errors.New("the server gave up waiting for this process")
	}
	return err
}

func explainConnection(err error) error {
	if errors.Is(err, errStandby) {
		return errStandby
	}
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	cause := root(err)
	switch {
	case connecting:
		return fmt.Errorf("the server cannot be reached: %w", cause)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return cause
	case isBroken(err):
		return fmt.Errorf("the connection to the server broke: %w", cause)
	}
	return err
}

func isBroken(err error) bool {
	_, network := errors.AsType[*net.OpError](err)
	return network || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, pgconn.ErrConnClosed) || errors.Is(err, driver.ErrBadConn)
}

// root is what an error of a connection comes down to: the caller names both ends.
func root(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	for {
		var inner error
		switch e := err.(type) { //nolint:errorlint // it walks the chain itself
		case interface{ Unwrap() error }:
			inner = e.Unwrap()
		case interface{ Unwrap() []error }: // of several hosts the first is the one that was meant
			inner = e.Unwrap()[0]
		}
		if inner == nil {
			return err
		}
		err = inner
	}
}

// code is the server's code of an error; empty when err is not the server's.
func code(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

// message is what the server says of an error, without what it adds for programmers.
func message(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Message
	}
	return ""
}
