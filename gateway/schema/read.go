package schema

import (
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"

	"hookloop/api"
	"hookloop/internal/webhook"
)

// Read holds a body to the bounds of T. Null stands for what is absent, but where something is
// required it is not what is.
func Read[T any](r huma.Registry, body []byte) (value T, tree map[string]any, err error) {
	given, err := Tree(body)
	if err != nil {
		return value, nil, err
	}
	tree = merge(map[string]any{}, given)
	for _, name := range required[T](r) {
		if v, named := given[name]; named && v == nil {
			tree[name] = nil
		}
	}
	value, err = decoded[T](r, tree)
	return value, tree, err
}

// Patched merges a change (RFC 7396) into what now is, and holds what comes of it to the bounds of
// T.
func Patched[T any](r huma.Registry, now T, change map[string]any) (next T, err error) {
	raw, err := json.Marshal(now)
	if err != nil {
		return next, err
	}
	tree, err := Tree(raw)
	if err != nil {
		return next, err
	}
	return decoded[T](r, merge(tree, change))
}

// IsOptional says whether a request may go without its body: nothing in a T is required.
func IsOptional[T any](r huma.Registry) bool { return len(required[T](r)) == 0 }

func required[T any](r huma.Registry) []string {
	return r.SchemaFromRef(refTo[T](r).Ref).Required
}

func decoded[T any](r huma.Registry, tree map[string]any) (into T, err error) {
	c := check{registry: r}
	c.value(refTo[T](r), "", tree)
	if len(c.faults) > 0 {
		return into, &faultyBody{c.faults}
	}
	raw, err := json.Marshal(tree)
	if err != nil {
		return into, err
	}
	return into, json.Unmarshal(raw, &into)
}

// faultyBody is a body that its type's bounds do not allow.
type faultyBody struct{ faults []api.FieldError }

func (e *faultyBody) Error() string { return e.Unwrap().Error() }

// Faults are all of them.
func (e *faultyBody) Faults() []api.FieldError { return e.faults }

// Unwrap gives the first fault.
func (e *faultyBody) Unwrap() error {
	return webhook.Invalidf(e.faults[0].Field, "%s", e.faults[0].Message)
}
