package sqlstore

import (
	"database/sql"
	"strconv"
	"strings"

	"hookloop/internal/registry"
	"hookloop/internal/webhook"
)

// column is one of a table whose rows are read into an R, and where in R it stands. What at points
// to Scan writes, and INSERT and UPDATE read, since database/sql follows pointers.
type column[R any] struct {
	name string
	at   func(*R) any
}

// endpointRow is a row of the table endpoints: an endpoint, and what the sealer makes of its fields
// that are secret.
type endpointRow struct {
	webhook.Endpoint

	headers string
	sealed  []byte
}

// endpointColumns are those of the table endpoints. A new field of an endpoint is a line here and a
// migration in each store.
var endpointColumns = []column[endpointRow]{
	{"tenant", func(e *endpointRow) any { return &e.Tenant }},
	{"id", func(e *endpointRow) any { return &e.ID }},
	{"url", func(e *endpointRow) any { return &e.URL }},
	{"event_types", func(e *endpointRow) any { return jsonText{&e.EventTypes} }},
	{"description", func(e *endpointRow) any { return prose{&e.Description} }},
	{"owner", func(e *endpointRow) any { return &e.Owner }},
	{"headers", func(e *endpointRow) any { return &e.headers }},
	{"metadata", func(e *endpointRow) any { return jsonText{&e.Metadata} }},
	{"schedule", func(e *endpointRow) any { return jsonText{&e.Schedule} }},
	{"timeout", func(e *endpointRow) any { return (*int64)(&e.Timeout) }},
	{"state", func(e *endpointRow) any { return &e.State }},
	{"secrets", func(e *endpointRow) any { return &e.sealed }},
	{"version", func(e *endpointRow) any { return &e.Version }},
	{"created_at", func(e *endpointRow) any { return micros{&e.CreatedAt} }},
	{"updated_at", func(e *endpointRow) any { return micros{&e.UpdatedAt} }},
	{"rate_per_second", func(e *endpointRow) any { return &e.RateLimit.PerSecond }},
	{"rate_burst", func(e *endpointRow) any { return &e.RateLimit.Burst }},
	{"approval_after", func(e *endpointRow) any { return (*int64)(&e.Approval.After) }},
	{"approval_timeout", func(e *endpointRow) any { return (*int64)(&e.Approval.Timeout) }},
	{"state_reason", func(e *endpointRow) any { return prose{&e.StateReason} }},
	{"releasing", func(e *endpointRow) any { return microsOrZero{&e.Releasing} }},
	{"application", func(e *endpointRow) any { return &e.Application }},
	{"echo_back", func(e *endpointRow) any { return &e.EchoBack }},
	{"echo", func(e *endpointRow) any { return jsonText{&e.Echo} }},
	{"request", func(e *endpointRow) any { return jsonText{&e.Request} }},
	{"breaker_opened_at", func(e *endpointRow) any { return microsOrZero{&e.BreakerOpenedAt} }},
	{"approval_named", func(e *endpointRow) any { return &e.Approval.Named }},
}

// sourceRow is a row of the table sources, likewise.
type sourceRow struct {
	webhook.Source

	sealed []byte
}

var sourceColumns = []column[sourceRow]{
	{"tenant", func(s *sourceRow) any { return &s.Tenant }},
	{"id", func(s *sourceRow) any { return &s.ID }},
	{"provider", func(s *sourceRow) any { return &s.Provider }},
	{"name", func(s *sourceRow) any { return prose{&s.Name} }},
	{"config", func(s *sourceRow) any { return &s.sealed }},
	{"type_prefix", func(s *sourceRow) any { return &s.TypePrefix }},
	{"application", func(s *sourceRow) any { return &s.Application }},
	{"echo", func(s *sourceRow) any { return jsonText{&s.Echo} }},
	{"version", func(s *sourceRow) any { return &s.Version }},
	{"created_at", func(s *sourceRow) any { return micros{&s.CreatedAt} }},
	{"updated_at", func(s *sourceRow) any { return micros{&s.UpdatedAt} }},
}

// pointers are what Scan and arguments need of a row.
func pointers[R any](columns []column[R], of *R) []any {
	all := make([]any, len(columns))
	for i, c := range columns {
		all[i] = c.at(of)
	}
	return all
}

// table writes the statements that name every column. The first two are tenant and id, its key.
type table struct {
	name   string
	names  string // "tenant, id, …"
	values string // "$1, $2, …"
}

func tableOf[R any](name string, columns []column[R]) table {
	t := table{name: name}
	var names, values []string
	for i, c := range columns {
		names = append(names, c.name)
		values = append(values, "$"+strconv.Itoa(i+1))
	}
	t.names, t.values = strings.Join(names, ", "), strings.Join(values, ", ")
	return t
}

func (t table) selects(where string) string {
	return "SELECT " + t.names + " FROM " + t.name + " WHERE " + where
}

func (t table) inserts() string {
	return "INSERT INTO " + t.name + " (" + t.names + ") VALUES (" + t.values + ")"
}

func (t table) updates() string {
	return "UPDATE " + t.name + " SET (" + t.names + ") = (" + t.values + ") WHERE tenant = $1 AND id = $2 RETURNING " + t.names
}

// row is what a query found: a *sql.Row, or *sql.Rows at one of its rows.
type row interface{ Scan(dest ...any) error }

var (
	_ row = (*sql.Row)(nil)
	_ row = (*sql.Rows)(nil)
)

// readEndpoint opens the secrets of the endpoint in a row. With an error comes what could be read,
// so that the error can name it.
func readEndpoint(s *registry.Sealer, r row) (webhook.Endpoint, error) {
	var e endpointRow
	err := r.Scan(pointers(endpointColumns, &e)...)
	if err != nil {
		return e.Endpoint, err
	}
	if e.Headers, err = s.OpenHeaders(e.Tenant, e.ID, e.headers); err != nil {
		return e.Endpoint, err
	}
	e.Secrets, err = s.OpenSecrets(e.Tenant, e.ID, e.sealed)
	return e.Endpoint, err
}

// writeEndpoint seals the secrets of an endpoint and gives the values of its columns.
func writeEndpoint(s *registry.Sealer, of webhook.Endpoint) (_ []any, err error) {
	e := endpointRow{Endpoint: of}
	if e.headers, err = s.SealHeaders(e.Tenant, e.ID, e.Headers); err != nil {
		return nil, err
	}
	if e.sealed, err = s.SealSecrets(e.Tenant, e.ID, e.Secrets); err != nil {
		return nil, err
	}
	return pointers(endpointColumns, &e), nil
}

// readSource opens the config of the source in a row, as readEndpoint does.
func readSource(s *registry.Sealer, r row) (webhook.Source, error) {
	var src sourceRow
	err := r.Scan(pointers(sourceColumns, &src)...)
	if err != nil {
		return src.Source, err
	}
	src.Config, err = s.OpenConfig(src.Tenant, src.ID, src.sealed)
	return src.Source, err
}

// writeSource seals the config of a source and gives the values of its columns.
func writeSource(s *registry.Sealer, of webhook.Source) (_ []any, err error) {
	src := sourceRow{Source: of}
	if src.sealed, err = s.SealConfig(src.Tenant, src.ID, src.Config); err != nil {
		return nil, err
	}
	return pointers(sourceColumns, &src), nil
}
