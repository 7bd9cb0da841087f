package sqlstore

import (
	"database/sql"
	"strconv"
	"strings"

	"hookloop/internal/registry"
	"hookloop/internal/webhook"
)

// column is one of a table, and a pointer to what stands in it: Scan writes there, and INSERT and
// UPDATE read it, since database/sql follows pointers.
type column struct {
	name string
	at   any
}

// endpointColumns are those of the table endpoints. A new field of an endpoint is a line here and a
// migration in each store. headers and sealed are what the sealer makes of the fields that are
// secret.
func endpointColumns(e *webhook.Endpoint, headers *string, sealed *[]byte) []column {
	return []column{
		{"tenant", &e.Tenant},
		{"id", &e.ID},
		{"url", &e.URL},
		{"event_types", jsonText{&e.EventTypes}},
		{"description", prose{&e.Description}},
		{"owner", &e.Owner},
		{"headers", headers},
		{"metadata", jsonText{&e.Metadata}},
		{"schedule", jsonText{&e.Schedule}},
		{"timeout", (*int64)(&e.Timeout)},
		{"state", &e.State},
		{"secrets", sealed},
		{"version", &e.Version},
		{"created_at", micros{&e.CreatedAt}},
		{"updated_at", micros{&e.UpdatedAt}},
		{"rate_per_second", &e.RateLimit.PerSecond},
		{"rate_burst", &e.RateLimit.Burst},
		{"approval_after", (*int64)(&e.Approval.After)},
		{"approval_timeout", (*int64)(&e.Approval.Timeout)},
		{"state_reason", prose{&e.StateReason}},
		{"releasing", microsOrZero{&e.Releasing}},
		{"application", &e.Application},
		{"echo_back", &e.EchoBack},
		{"echo", jsonText{&e.Echo}},
		{"request", jsonText{&e.Request}},
		{"breaker_opened_at", microsOrZero{&e.BreakerOpenedAt}},
	}
}

// sourceColumns are those of the table sources, likewise.
func sourceColumns(s *webhook.Source, sealed *[]byte) []column {
	return []column{
		{"tenant", &s.Tenant},
		{"id", &s.ID},
		{"provider", &s.Provider},
		{"name", prose{&s.Name}},
		{"config", sealed},
		{"type_prefix", &s.TypePrefix},
		{"application", &s.Application},
		{"echo", jsonText{&s.Echo}},
		{"version", &s.Version},
		{"created_at", micros{&s.CreatedAt}},
		{"updated_at", micros{&s.UpdatedAt}},
	}
}

// pointers are what Scan and arguments need of columns.
func pointers(columns []column) []any {
	all := make([]any, len(columns))
	for i, c := range columns {
		all[i] = c.at
	}
	return all
}

// table writes the statements that name every column. The first two are tenant and id, its key.
type table struct {
	name   string
	names  string // "tenant, id, …"
	values string // "$1, $2, …"
}

func tableOf(name string, columns []column) table {
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
func readEndpoint(s *registry.Sealer, r row) (e webhook.Endpoint, err error) {
	var headers string
	var sealed []byte
	if err := r.Scan(pointers(endpointColumns(&e, &headers, &sealed))...); err != nil {
		return e, err
	}
	if e.Headers, err = s.OpenHeaders(e.Tenant, e.ID, headers); err != nil {
		return e, err
	}
	e.Secrets, err = s.OpenSecrets(e.Tenant, e.ID, sealed)
	return e, err
}

// writeEndpoint seals the secrets of an endpoint and gives the values of its columns.
func writeEndpoint(s *registry.Sealer, e webhook.Endpoint) ([]any, error) {
	headers, err := s.SealHeaders(e.Tenant, e.ID, e.Headers)
	if err != nil {
		return nil, err
	}
	sealed, err := s.SealSecrets(e.Tenant, e.ID, e.Secrets)
	if err != nil {
		return nil, err
	}
	return pointers(endpointColumns(&e, &headers, &sealed)), nil
}

// readSource opens the config of the source in a row, as readEndpoint does.
func readSource(s *registry.Sealer, r row) (src webhook.Source, err error) {
	var sealed []byte
	if err := r.Scan(pointers(sourceColumns(&src, &sealed))...); err != nil {
		return src, err
	}
	src.Config, err = s.OpenConfig(src.Tenant, src.ID, sealed)
	return src, err
}

// writeSource seals the config of a source and gives the values of its columns.
func writeSource(s *registry.Sealer, src webhook.Source) ([]any, error) {
	sealed, err := s.SealConfig(src.Tenant, src.ID, src.Config)
	if err != nil {
		return nil, err
	}
	return pointers(sourceColumns(&src, &sealed)), nil
}
