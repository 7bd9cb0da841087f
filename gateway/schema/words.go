package schema

import (
	"fmt"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// ourWords say what huma says, as sentences that begin with the field's name. Huma's own may quote
// the client; ours are made of the schema.
var ourWords = []struct {
	theirs string // begins what huma says
	ours   func(*huma.Schema) string
}{
	{"expected number >=", limits},
	{"expected number <=", limits},
	{"expected length", lengths},
	{"expected value to be one of", choices},
	{"expected string to be", pattern},
	{"expected string to match", pattern},
	{"expected string", always("must be a string")},
	{"expected boolean", always("must be true or false")},
	{"expected integer", always("must be a whole number")},
	{"invalid integer", always("must be a whole number")},
	{"expected number", always("must be a number")},
	{"unknown query parameter", always("is not a parameter here")},
	{"required", always("is required")},
}

// Words translates what huma says of a value with this schema.
func Words(message string, s *huma.Schema) string {
	for _, w := range ourWords {
		if strings.HasPrefix(message, w.theirs) {
			return w.ours(s)
		}
	}
	return "is not valid"
}

func always(words string) func(*huma.Schema) string {
	return func(*huma.Schema) string { return words }
}

func limits(s *huma.Schema) string {
	switch {
	case s.Minimum != nil && s.Maximum != nil:
		return fmt.Sprintf("must lie between %v and %v", *s.Minimum, *s.Maximum)
	case s.Minimum != nil:
		return fmt.Sprintf("must be at least %v", *s.Minimum)
	}
	return fmt.Sprintf("must be at most %v", *s.Maximum)
}

func lengths(s *huma.Schema) string {
	if s.MinLength != nil {
		return fmt.Sprintf("must have at least %d characters", *s.MinLength)
	}
	return fmt.Sprintf("must have at most %d characters", *s.MaxLength)
}

func choices(s *huma.Schema) string {
	all := make([]string, len(s.Enum))
	for i, choice := range s.Enum {
		all[i] = fmt.Sprint(choice)
	}
	return "must be one of " + strings.Join(all, ", ")
}

func pattern(s *huma.Schema) string {
	if words, ok := s.Extensions[patternWords].(string); ok {
		return "must be " + words
	}
	return "must match the pattern " + s.Pattern
}

// patternWords hold the description of a pattern: huma's own word for it OpenAPI does not know.
const patternWords = "x-pattern-description"

// DescribePattern puts the description where OpenAPI allows it.
func DescribePattern(s *huma.Schema) {
	if s.PatternDescription != "" {
		s.Extensions = map[string]any{patternWords: s.PatternDescription}
		s.PatternDescription = ""
	}
}

// Each visits a schema and those it is made of.
func Each(s *huma.Schema, visit func(*huma.Schema)) {
	visit(s)
	for _, p := range s.Properties {
		Each(p, visit)
	}
	if s.Items != nil {
		Each(s.Items, visit)
	}
}
