package engine

import (
	"database/sql"
	"fmt"
	"net/url"
	"reflect"

	"github.com/jmoiron/sqlx"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/metrics"
	temporalsql "go.temporal.io/server/common/persistence/sql"
	"go.temporal.io/server/common/persistence/sql/sqlplugin"
	"go.temporal.io/server/common/resolver"

	"hookloop/internal/engine/statements"
)

// pool is the connection to one database that all of Temporal shares.
type pool struct {
	db        *sql.DB
	connector *statements.Connector
}

// openPool makes Temporal's plugin use connections that keep their statements (ADR 13). The plugin
// opens its own by the name of a driver that it does not let us choose, and keeps it in a list by
// its configuration; so that one is opened first, and what is behind it replaced. All users of the
// plugin find it there.
func openPool(d database) (*pool, error) {
	theirs, err := temporalsql.NewSQLDB(sqlplugin.DbKindMain, d.sql(), resolver.NewNoopResolver(),
		log.NewNoopLogger(), metrics.NoopMetricsHandler)
	if err != nil {
		return nil, err
	}
	defer theirs.Close() //nolint:errcheck // it only gives a share of the connection back
	handle, err := pooled(theirs)
	if err != nil {
		return nil, err
	}
	p := &pool{connector: statements.NewConnector(d.uri())}
	p.db = sql.OpenDB(p.connector)
	p.db.SetMaxOpenConns(maxConns)
	p.db.SetMaxIdleConns(maxConns)
	replaced := handle.DB
	handle.DB = p.db
	return p, replaced.Close()
}

func (p *pool) close() error { return p.db.Close() }

// pooled is the connection within what the plugin gives out, which does not show it.
// TestTemporalUsesOurPool notices a release that names it otherwise.
func pooled(theirs sqlplugin.DB) (*sqlx.DB, error) {
	value := reflect.ValueOf(theirs)
	if value.Kind() == reflect.Pointer && value.Elem().Kind() == reflect.Struct {
		if field := value.Elem().FieldByName("db"); field.IsValid() && field.Type() == reflect.TypeFor[*sqlx.DB]() && !field.IsNil() {
			return (*sqlx.DB)(field.UnsafePointer()), nil
		}
	}
	return nil, fmt.Errorf("%T is not the SQLite plugin this release of Hookloop was built for", theirs)
}

// uri is the database as the driver has it, with what Temporal's plugin would add.
func (d database) uri() string {
	query := url.Values{"mode": {"rwc"}, "_time_format": {"sqlite"}}
	for name, value := range pragmas {
		query.Add("_pragma", name+"="+value)
	}
	return (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: d.path}).EscapedPath(), RawQuery: query.Encode()}).String()
}
