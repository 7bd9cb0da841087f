package sqlite

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"hookloop/internal/webhook"
)

// columns are those of the table endpoints, in the order of fields.
const columns = `tenant, id, url, event_types, description, headers, metadata,
	schedule, timeout, state, secrets, version, created_at, updated_at,
	rate_per_second, rate_burst,
	approval_after, approval_timeout, state_reason, releasing,
	application, echo_back, echo, request`

// fields point at what the columns hold, for Scan and, since database/sql follows pointers, as
// arguments of INSERT.
func fields(e *webhook.Endpoint, sealed *[]byte) []any {
	return []any{
		&e.Tenant, &e.ID, &e.URL,
		jsonText{&e.EventTypes},
		&e.Description,
		jsonText{&e.Headers},
		jsonText{&e.Metadata},
		jsonText{&e.Schedule},
		(*int64)(&e.Timeout), &e.State, sealed, &e.Version,
		micros{&e.CreatedAt},
		micros{&e.UpdatedAt},
		&e.RateLimit.PerSecond, &e.RateLimit.Burst,
		(*int64)(&e.Approval.After), (*int64)(&e.Approval.Timeout), &e.StateReason,
		microsOrZero{micros{&e.Releasing}},
		&e.Application, &e.EchoBack,
		jsonText{&e.Echo},
		jsonText{&e.Request},
	}
}

type scanner interface{ Scan(dest ...any) error }

// read reads an endpoint from a row of columns and opens its secrets. With an error comes what
// could be read, so that it can be named.
func (r *Registry) read(row scanner) (e webhook.Endpoint, err error) {
	var sealed []byte
	if err := row.Scan(fields(&e, &sealed)...); err != nil {
		return e, err
	}
	e.Secrets, err = r.sealer.OpenSecrets(e.Tenant, e.ID, sealed)
	return e, err
}

// row seals the secrets of an endpoint and gives the values of its columns.
func (r *Registry) row(e webhook.Endpoint) ([]any, error) {
	sealed, err := r.sealer.SealSecrets(e.Tenant, e.ID, e.Secrets)
	if err != nil {
		return nil, err
	}
	return fields(&e, &sealed), nil
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
