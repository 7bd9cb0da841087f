package client

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"reflect"

	"hookloop/api"
)

// MaxPage is the most items that the gateway gives at once.
const MaxPage = 250

// Page is a part of a list.
type Page[T any] struct {
	api.Page[T]

	// Encrypted says of an audit that some of it is encrypted with a key that the gateway does not
	// have.
	Encrypted bool `json:"encrypted,omitempty"`
}

// Next is the cursor of the next page; empty: this was the last one.
func (p Page[T]) Next() string {
	if p.NextCursor == nil {
		return ""
	}
	return *p.NextCursor
}

// List is a list of the API, from where its query says.
type List[T any] struct{ call Call[Page[T]] }

// list describes a list. query is a struct of package api whose fields have query tags.
func list[T any](s scope, query any, path ...string) List[T] {
	return List[T]{call[Page[T]](s, http.MethodGet, path...).asking(query)}
}

// addQuery adds the fields that are not zero: those are absent.
func addQuery(to url.Values, query reflect.Value) {
	for i := range query.NumField() {
		field := query.Type().Field(i)
		switch name := field.Tag.Get("query"); {
		case field.Anonymous:
			addQuery(to, query.Field(i))
		case name != "" && !query.Field(i).IsZero():
			to.Set(name, fmt.Sprint(query.Field(i).Interface()))
		}
	}
}

// Raw is the same list, its items as they come.
func (l List[T]) Raw() List[json.RawMessage] {
	return List[json.RawMessage]{Call[Page[json.RawMessage]]{transport: l.call.transport, request: l.call.request, err: l.call.err}}
}

// Page is the call for one page.
func (l List[T]) Page() Call[Page[T]] { return l.call }

// Pages asks for one page after the other, to the list's end or the first error.
func (l List[T]) Pages(ctx context.Context) iter.Seq2[Page[T], error] {
	return func(yield func(Page[T], error) bool) {
		for call := l.call; ; {
			page, err := call.Do(ctx)
			next := page.Next()
			if err == nil && next != "" && next == call.request.query.Get("cursor") {
				err = fmt.Errorf("the gateway's list does not end: %s gave the same cursor twice", call.request.path)
			}
			if !yield(page, err) || err != nil || next == "" {
				return
			}
			call.request.query = maps.Clone(call.request.query)
			call.request.query.Set("cursor", next)
		}
	}
}

// All asks for every item, page after page, to the list's end or the first error.
func (l List[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for page, err := range l.Pages(ctx) {
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range page.Data {
				if !yield(item, nil) {
					return
				}
			}
		}
	}
}
