package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hookloop/api"
)

// maxFaults bounds how many faults of one body are told of.
const maxFaults = 20

// check compares a body with the schema of its type. What a value by itself must be, huma says.
type check struct {
	registry huma.Registry
	faults   []api.FieldError
}

func (c *check) blame(field, format string, args ...any) {
	if len(c.faults) < maxFaults {
		c.faults = append(c.faults, api.FieldError{Field: field, Message: fmt.Sprintf(format, args...)})
	}
}

func (c *check) value(s *huma.Schema, path string, v any) {
	s = c.resolved(s)
	switch {
	case len(s.OneOf) > 0:
		c.oneOf(s, path, v)
	case s.Type == huma.TypeObject:
		c.object(s, path, v)
	case s.Type == huma.TypeArray:
		c.list(s, path, v)
	case s.Format == durationFormat:
		c.duration(s, path, v)
	case s.Type != "":
		c.scalar(s, path, v)
	}
}

func (c *check) resolved(s *huma.Schema) *huma.Schema {
	for s.Ref != "" {
		s = c.registry.SchemaFromRef(s.Ref)
	}
	return s
}

// oneOf goes by the kind of the value: its alternatives are a boolean and an object.
func (c *check) oneOf(s *huma.Schema, path string, v any) {
	if _, isBoolean := v.(bool); isBoolean {
		return
	}
	for _, alternative := range s.OneOf {
		alternative = c.resolved(alternative)
		if alternative.Type != huma.TypeObject {
			continue
		}
		if object, ok := v.(map[string]any); ok {
			c.object(alternative, path, object)
		} else {
			c.blame(path, "must be %s, true or false", c.objectLike(alternative))
		}
	}
}

func (c *check) object(s *huma.Schema, path string, v any) {
	all, ok := v.(map[string]any)
	if !ok {
		c.blame(path, "must be %s", c.objectLike(s))
		return
	}
	if values, isMap := s.AdditionalProperties.(*huma.Schema); isMap {
		c.entries(s, values, path, all)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if s.Properties[name] == nil {
			c.blame(within(path, name), "is not a field here (%s)", strings.Join(slices.Sorted(maps.Keys(s.Properties)), ", "))
		}
	}
	for _, name := range s.Required {
		if _, given := all[name]; !given {
			c.blame(within(path, name), "is required")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		if v, given := all[name]; given {
			c.value(s.Properties[name], within(path, name), v)
		}
	}
}

// entries are those of an object that is a map: of strings, or of anything.
func (c *check) entries(s, values *huma.Schema, path string, all map[string]any) {
	if s.MaxProperties != nil && len(all) > *s.MaxProperties {
		c.blame(path, "has %d entries, at most %d are allowed", len(all), *s.MaxProperties)
	}
	for _, v := range all {
		if _, isText := v.(string); !isText && values.Type == huma.TypeString {
			c.blame(path, "must be an object of strings")
			return
		}
	}
}

// objectLike shows an object by the examples of what it holds.
func (c *check) objectLike(s *huma.Schema) string {
	example := map[string]any{}
	for name, p := range s.Properties {
		if len(p.Examples) > 0 {
			example[name] = p.Examples[0]
		}
	}
	text, err := json.Marshal(example)
	if err != nil || len(example) == 0 {
		return "a JSON object"
	}
	return "an object like " + string(text)
}

func (c *check) list(s *huma.Schema, path string, v any) {
	all, ok := v.([]any)
	switch {
	case !ok:
		c.blame(path, "must be a list")
		return
	case s.MinItems != nil && len(all) < *s.MinItems:
		c.blame(path, "has %d entries, at least %d must be there", len(all), *s.MinItems)
		return
	case s.MaxItems != nil && len(all) > *s.MaxItems:
		c.blame(path, "has %d entries, at most %d are allowed", len(all), *s.MaxItems)
		return
	}
	for i, v := range all {
		c.value(s.Items, At(path, i), v)
	}
}

func (c *check) duration(s *huma.Schema, path string, v any) {
	text, _ := v.(string)
	d, err := time.ParseDuration(text)
	if err != nil {
		c.blame(path, `must be a duration like "30s" or "24h"`)
		return
	}
	shortest, longest, bounded := durationBounds(s)
	if bounded && (d < shortest || d > longest) {
		c.blame(path, "must lie between %q and %q", api.Duration(shortest), api.Duration(longest))
	}
}

func (c *check) scalar(s *huma.Schema, path string, v any) {
	if n, ok := v.(json.Number); ok {
		f, err := n.Float64()
		if _, whole := n.Int64(); s.Type == huma.TypeInteger && whole != nil {
			c.blame(path, "must be a whole number")
			return
		}
		if err != nil {
			c.blame(path, "must be a number")
			return
		}
		v = f
	}
	var found huma.ValidateResult
	huma.Validate(c.registry, s, huma.NewPathBuffer(nil, 0), huma.ModeWriteToServer, v, &found)
	for _, err := range found.Errors {
		if detail, ok := err.(*huma.ErrorDetail); ok { //nolint:errorlint // not wrapped
			c.blame(path, "%s", Words(detail.Message, s))
			return
		}
	}
}
