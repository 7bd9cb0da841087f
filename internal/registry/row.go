package registry

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"hookloop/internal/webhook"
)

// EndpointColumns are those of the table endpoints, in the order of what EndpointRow gives. One more here
// is a migration in every store.
const EndpointColumns = `tenant, id, url, event_types, description, headers, metadata,
	schedule, timeout, state, secrets, version, created_at, updated_at,
	rate_per_second, rate_burst,
	approval_after, approval_timeout, state_reason, releasing,
	application, echo_back, echo, request, breaker_opened_at`

// SourceColumns are those of the table sources, in the order of what SourceRow gives.
const SourceColumns = `tenant, id, provider, name, config, type_prefix, application, echo, version, created_at, updated_at`

// endpointFields point at what the columns hold, for Scan and, since database/sql follows pointers,
// as arguments of INSERT.
func endpointFields(e *webhook.Endpoint, headers *string, sealed *[]byte) []any {
	return []any{
		&e.Tenant, &e.ID, &e.URL,
		jsonText{&e.EventTypes},
		prose{&e.Description},
		headers,
		jsonText{&e.Metadata},
		jsonText{&e.Schedule},
		(*int64)(&e.Timeout), &e.State, sealed, &e.Version,
		micros{&e.CreatedAt},
		micros{&e.UpdatedAt},
		&e.RateLimit.PerSecond, &e.RateLimit.Burst,
		(*int64)(&e.Approval.After), (*int64)(&e.Approval.Timeout),
		prose{&e.StateReason},
		microsOrZero{micros{&e.Releasing}},
		&e.Application, &e.EchoBack,
		jsonText{&e.Echo},
		jsonText{&e.Request},
		microsOrZero{micros{&e.BreakerOpenedAt}},
	}
}

func sourceFields(s *webhook.Source, sealed *[]byte) []any {
	return []any{
		&s.Tenant, &s.ID, &s.Provider,
		prose{&s.Name},
		sealed, &s.TypePrefix, &s.Application,
		jsonText{&s.Echo},
		&s.Version,
		micros{&s.CreatedAt},
		micros{&s.UpdatedAt},
	}
}

// Row is what a query has found: a *sql.Row, or a *sql.Rows at one of its rows.
type Row interface{ Scan(dest ...any) error }

// ReadEndpoint reads an endpoint from a row of EndpointColumns and opens its secrets. With an error
// comes what could be read, so that it can be named.
func (s *Sealer) ReadEndpoint(row Row) (e webhook.Endpoint, err error) {
	var headers string
	var sealed []byte
	if err := row.Scan(endpointFields(&e, &headers, &sealed)...); err != nil {
		return e, err
	}
	if e.Headers, err = s.OpenHeaders(e.Tenant, e.ID, headers); err != nil {
		return e, err
	}
	e.Secrets, err = s.OpenSecrets(e.Tenant, e.ID, sealed)
	return e, err
}

// EndpointRow seals the secrets of an endpoint and gives the values of EndpointColumns.
func (s *Sealer) EndpointRow(e webhook.Endpoint) ([]any, error) {
	headers, err := s.SealHeaders(e.Tenant, e.ID, e.Headers)
	if err != nil {
		return nil, err
	}
	sealed, err := s.SealSecrets(e.Tenant, e.ID, e.Secrets)
	if err != nil {
		return nil, err
	}
	return endpointFields(&e, &headers, &sealed), nil
}

// ReadSource reads a source from a row of SourceColumns, as ReadEndpoint does.
func (s *Sealer) ReadSource(row Row) (src webhook.Source, err error) {
	var sealed []byte
	if err := row.Scan(sourceFields(&src, &sealed)...); err != nil {
		return src, err
	}
	src.Config, err = s.OpenConfig(src.Tenant, src.ID, sealed)
	return src, err
}

// SourceRow seals the config of a source and gives the values of SourceColumns.
func (s *Sealer) SourceRow(src webhook.Source) ([]any, error) {
	sealed, err := s.SealConfig(src.Tenant, src.ID, src.Config)
	if err != nil {
		return nil, err
	}
	return sourceFields(&src, &sealed), nil
}

// jsonText keeps a list, map or struct as JSON, an empty one as no text at all: that costs nothing to
// read.
type jsonText struct{ at any } // a pointer to it

func (j jsonText) Value() (driver.Value, error) {
	if isEmpty(reflect.ValueOf(j.at).Elem()) {
		return "", nil
	}
	text, err := json.Marshal(j.at)
	return string(text), err
}

func isEmpty(v reflect.Value) bool {
	if v.Kind() == reflect.Struct {
		return v.IsZero()
	}
	return v.Len() == 0
}

func (j jsonText) Scan(src any) error {
	text, ok := src.(string)
	if !ok {
		return fmt.Errorf("column holds %T, not JSON text", src)
	}
	if text == "" {
		return nil
	}
	return json.Unmarshal([]byte(text), j.at)
}

// prose keeps what people write for people. What is no text, NUL and bytes that are not UTF-8,
// becomes U+FFFD: not every database keeps it, and nobody reads it.
type prose struct{ at *string }

func (p prose) Value() (driver.Value, error) {
	return strings.ToValidUTF8(strings.ReplaceAll(*p.at, "\x00", "\ufffd"), "\ufffd"), nil
}

func (p prose) Scan(src any) error {
	text, ok := src.(string)
	if !ok {
		return fmt.Errorf("column holds %T, not text", src)
	}
	*p.at = text
	return nil
}

// micros keeps a time as microseconds since 1970.
type micros struct{ at *time.Time }

func (m micros) Value() (driver.Value, error) { return m.at.UnixMicro(), nil }

func (m micros) Scan(src any) error {
	n, ok := src.(int64)
	if !ok {
		return fmt.Errorf("column holds %T, not microseconds", src)
	}
	*m.at = time.UnixMicro(n).UTC()
	return nil
}

// microsOrZero keeps the zero time as 0, which is what the column holds where nobody set it.
type microsOrZero struct{ micros }

func (m microsOrZero) Value() (driver.Value, error) {
	if m.at.IsZero() {
		return int64(0), nil
	}
	return m.micros.Value()
}

func (m microsOrZero) Scan(src any) error {
	if src == int64(0) {
		*m.at = time.Time{}
		return nil
	}
	return m.micros.Scan(src)
}

// Micros is how a time is kept: microseconds since 1970, 0 for the zero time.
func Micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}
