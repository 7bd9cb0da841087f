package sqlstore

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// jsonText keeps a list, map or struct as JSON, an empty one as no text at all: that costs nothing
// to read.
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

// prose keeps what people write for people. NUL and bytes that are not UTF-8 become U+FFFD: not
// every database keeps them, and no reader misses them.
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

// microsOrZero keeps the zero time as 0, which is also the column's default.
type microsOrZero struct{ at *time.Time }

func (m microsOrZero) Value() (driver.Value, error) { return microsOf(*m.at), nil }

func (m microsOrZero) Scan(src any) error {
	n, ok := src.(int64)
	if !ok {
		return fmt.Errorf("column holds %T, not microseconds", src)
	}
	*m.at = timeOf(n)
	return nil
}

// microsOf is how a time is kept that may be the zero time: microseconds since 1970, or 0.
func microsOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// timeOf reads what microsOf wrote.
func timeOf(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}
