// Package schema holds the bodies of requests to the bounds that the types of api give them, and
// describes the types for the OpenAPI document. What a value by itself must be, huma says. The
// gateway calls it.
package schema

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"hookloop/gateway/problem"
	"hookloop/internal/webhook"
)

// maxNesting bounds how deep a body may nest. Only events, which are read elsewhere, and the
// configs of sources hold what the API does not describe.
const maxNesting = 50

// Tree reads a body whole. Numbers stay as they are written; an object that names a member twice is
// refused, for its readers would not agree on which one counts.
func Tree(body []byte) (map[string]any, error) {
	if !utf8.Valid(body) {
		return nil, webhook.Errorf(webhook.BadJSON, "body is not valid UTF-8")
	}
	if _, err := webhook.Members(body); err != nil {
		return nil, err
	}
	r := treeReader{json.NewDecoder(bytes.NewReader(body))}
	r.UseNumber()
	tree, err := r.value("", 0)
	if err != nil {
		return nil, err
	}
	return tree.(map[string]any), nil
}

// treeReader reads JSON that is known to be valid: its tokens bring no errors.
type treeReader struct{ *json.Decoder }

func (r treeReader) value(path string, depth int) (any, error) {
	if depth > maxNesting {
		return nil, webhook.Invalidf(path, "nests deeper than %d levels", maxNesting)
	}
	t, _ := r.Token()
	switch t {
	case json.Delim('{'):
		return r.object(path, depth)
	case json.Delim('['):
		return r.list(path, depth)
	}
	return t, nil
}

func (r treeReader) object(path string, depth int) (any, error) {
	all := map[string]any{}
	for r.More() {
		t, _ := r.Token()
		name, _ := t.(string)
		if _, twice := all[name]; twice {
			if path == "" {
				return nil, webhook.Invalidf(name, "appears twice")
			}
			return nil, webhook.Invalidf(path, "names a field twice")
		}
		v, err := r.value(within(path, name), depth+1)
		if err != nil {
			return nil, err
		}
		all[name] = v
	}
	_, _ = r.Token()
	return all, nil
}

func (r treeReader) list(path string, depth int) (any, error) {
	all := []any{}
	for r.More() {
		v, err := r.value(At(path, len(all)), depth+1)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	_, _ = r.Token()
	return all, nil
}

// within names a member. Names grow no longer than a problem shows them.
func within(path, name string) string {
	if path != "" {
		name = path + "." + name
	}
	return problem.Shortened(name)
}

// merge is RFC 7396: what is absent stays, null removes.
func merge(now, change map[string]any) map[string]any {
	for name, v := range change {
		switch v := v.(type) {
		case nil:
			delete(now, name)
		case map[string]any:
			inner, _ := now[name].(map[string]any)
			if inner == nil {
				inner = map[string]any{}
			}
			now[name] = merge(inner, v)
		default:
			now[name] = v
		}
	}
	return now
}

// At names an entry of a list.
func At(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }
