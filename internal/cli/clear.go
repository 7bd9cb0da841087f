package cli

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"hookloop/api"
	"hookloop/internal/terminal"
)

// clearable are the fields that --clear of an update takes back to their defaults.
type clearable struct {
	fields  []string // as JSON names them
	entries []string // of fields that have entries, for people: "headers.NAME"
}

var (
	clearableOfEndpoint = clearableOf[api.EndpointChange]("url", "headers.NAME", "metadata.KEY", "approval.after", "approval.timeout", "approval.named")
	clearableOfSource   = clearableOf[api.SourceChange]("config")
)

// clearableOf are the fields of a change, a struct of api.Patch, but for the required one.
func clearableOf[Change any](required string, entries ...string) clearable {
	c := clearable{entries: entries}
	for field := range reflect.TypeFor[Change]().Fields() {
		if name := jsonName(field); name != required {
			c.fields = append(c.fields, name)
		}
	}
	return c
}

func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// String is what --clear takes, for people.
func (c clearable) String() string { return strings.Join(slices.Concat(c.fields, c.entries), ", ") }

func (c clearable) refuses(name string) error {
	return terminal.Usage("--clear takes %s, not %q", c, name)
}

// clear clears a whole field of a change, a pointer to the struct of clearableOf, unless it is set.
func (c clearable) clear(change any, name string) error {
	if !slices.Contains(c.fields, name) {
		return c.refuses(name)
	}
	v := reflect.ValueOf(change).Elem()
	for i := range v.NumField() {
		switch {
		case jsonName(v.Type().Field(i)) != name:
		case !v.Field(i).IsZero():
			return setAndCleared(name)
		default:
			return json.Unmarshal([]byte("null"), v.Field(i).Addr().Interface()) // as RFC 7396 clears one
		}
	}
	return nil
}

func setAndCleared(name string) error { return terminal.Usage("%s is set and cleared at once", name) }

// clearFields clears the whole fields that --clear names.
func (e *endpointFlags) clearFields(to *api.EndpointChange) error {
	for _, name := range e.clear {
		if strings.Contains(name, ".") {
			continue // an entry
		}
		if err := clearableOfEndpoint.clear(to, name); err != nil {
			return err
		}
	}
	return nil
}

// clearEntry clears one entry of a field that has entries, unless it is set already.
func clearEntry(field, key string, headers, metadata map[string]*string, approval *api.ApprovalChange) error {
	cleared := false
	switch {
	case field == "headers" && key != "":
		cleared = clearPair(headers, key)
	case field == "metadata" && key != "":
		cleared = clearPair(metadata, key)
	case field == "approval" && key == "after":
		cleared = clearPatch(&approval.After)
	case field == "approval" && key == "timeout":
		cleared = clearPatch(&approval.Timeout)
	case field == "approval" && key == "named":
		cleared = clearPatch(&approval.Named)
	default:
		return clearableOfEndpoint.refuses(field + "." + key)
	}
	if !cleared {
		return setAndCleared(field + "." + key)
	}
	return nil
}

func clearPair(pairs map[string]*string, key string) (cleared bool) {
	_, set := pairs[key]
	if !set {
		pairs[key] = nil
	}
	return !set
}

func clearPatch[T any](p *api.Patch[T]) (cleared bool) {
	if !p.IsZero() {
		return false
	}
	*p = api.Clear[T]()
	return true
}
