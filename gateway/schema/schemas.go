package schema

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hookloop/api"
	"hookloop/internal/source"
)

// durationFormat is the format of a text that is a duration as Go writes it.
const durationFormat = "go-duration"

// The bounds of a duration, in its schema.
const (
	shortestDuration = "x-shortest"
	longestDuration  = "x-longest"
)

// These describe types of api whose JSON their Go does not show.
type (
	durationSchema struct{}
	echoSchema     struct{}
	providerSchema struct{}
)

// Schema tells huma.
func (durationSchema) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: durationFormat}
}

// Schema tells huma.
func (echoSchema) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{{Type: huma.TypeBoolean}, r.Schema(reflect.TypeFor[api.EchoPaths](), true, "")}}
}

// Schema tells huma.
func (providerSchema) Schema(huma.Registry) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	for _, name := range source.Names() {
		s.Enum = append(s.Enum, name)
	}
	return s
}

// prefix begins a reference to a schema.
const prefix = "#/components/schemas/"

// New gives huma's registry of schemas, which knows the types of api.
func New() huma.Registry {
	r := huma.NewMapRegistry(prefix, huma.DefaultSchemaNamer)
	r.RegisterTypeAlias(reflect.TypeFor[api.Duration](), reflect.TypeFor[durationSchema]())
	r.RegisterTypeAlias(reflect.TypeFor[api.Echo](), reflect.TypeFor[echoSchema]())
	r.RegisterTypeAlias(reflect.TypeFor[api.Provider](), reflect.TypeFor[providerSchema]())
	return r
}

// refTo refers to the schema of T.
func refTo[T any](r huma.Registry) *huma.Schema { return r.Schema(reflect.TypeFor[T](), true, "") }

// Of refers to the schema of T, in which the bounds of its durations stand.
func Of[T any](r huma.Registry) *huma.Schema {
	ref := refTo[T](r)
	boundDurations(r, r.SchemaFromRef(ref.Ref), reflect.TypeFor[T]())
	return ref
}

// boundDurations writes the tags shortest and longest of a struct into its schema.
func boundDurations(r huma.Registry, s *huma.Schema, t reflect.Type) {
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		p := s.Properties[name]
		shortest, longest := f.Tag.Get("shortest"), f.Tag.Get("longest")
		switch {
		case p == nil:
		case p.Ref != "":
			boundDurations(r, r.SchemaFromRef(p.Ref), r.TypeFromRef(p.Ref))
		case longest != "" && p.Extensions == nil:
			p.Extensions = map[string]any{shortestDuration: shortest, longestDuration: longest}
			p.Description += " From " + shortest + " to " + longest + "."
		}
	}
}

// durationBounds reads them again.
func durationBounds(s *huma.Schema) (shortest, longest time.Duration, bounded bool) {
	from, _ := s.Extensions[shortestDuration].(string)
	to, bounded := s.Extensions[longestDuration].(string)
	shortest, _ = time.ParseDuration(from)
	longest, _ = time.ParseDuration(to)
	return shortest, longest, bounded
}

// changeSuffix ends the names of the schemas of merge patches.
const changeSuffix = "Change"

// cannotChange are what only making something sets; cannotClear what has no default to go back to.
var (
	cannotChange = []string{"secret", "provider"}
	cannotClear  = []string{"url", "config"}
)

// Change describes the merge patch of what whole refers to: nothing of it is required, and null
// clears.
func Change(r huma.Registry, whole *huma.Schema) *huma.Schema {
	name := strings.TrimPrefix(strings.TrimPrefix(whole.Ref, prefix), "New") + changeSuffix
	ref := &huma.Schema{Ref: prefix + name}
	if r.Map()[name] != nil {
		return ref
	}
	change := &huma.Schema{Type: huma.TypeObject, AdditionalProperties: false, Properties: maps.Clone(r.SchemaFromRef(whole.Ref).Properties)}
	for field, s := range change.Properties {
		if slices.Contains(cannotChange, field) {
			delete(change.Properties, field)
		} else {
			change.Properties[field] = clearable(r, s, !slices.Contains(cannotClear, field))
		}
	}
	r.Map()[name] = change
	return ref
}

func clearable(r huma.Registry, s *huma.Schema, byNull bool) *huma.Schema {
	c := *s
	values, isMap := c.AdditionalProperties.(*huma.Schema)
	switch {
	case s.Ref != "": // a reference takes no type of its own beside it
		return &huma.Schema{Description: s.Description, OneOf: []*huma.Schema{Change(r, s), {Type: "null"}}}
	case len(s.OneOf) > 0:
		c.OneOf = append(slices.Clone(s.OneOf), &huma.Schema{Type: "null"})
		return &c
	case isMap && values.Type != "":
		value := *values
		value.Nullable = true // removes one entry
		c.AdditionalProperties = &value
	}
	c.Nullable = byNull
	return &c
}
