package client

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
)

// Call is one call of the API, which is answered with a T. It is a value: it may be made more than
// once.
type Call[T any] struct {
	transport *transport
	request   request
	err       error // the call could not be described; Do says so
}

// None is the answer of a call that has none.
type None struct{}

// hopsHeader counts how often an event has passed through Hookloop.
const hopsHeader = "Hookloop-Hops"

// request is what a call sends.
type request struct {
	method string
	path   string
	query  url.Values
	body   []byte // JSON; nil: none
	makes  bool   // it makes something, and takes an Idempotency-Key
	key    string // Idempotency-Key; empty: none
	hops   []string
}

// repeatable says whether a request may be made again when it is not known what became of it.
func (r request) repeatable() bool {
	return r.method == http.MethodGet || r.method == http.MethodPatch || r.key != ""
}

// IdempotencyKey makes the call with an Idempotency-Key of the app's own: however often the app
// makes the call with it, after a restart too, one thing is made. Without it each Do draws a key,
// which makes its own repeats safe and no more. A call that makes nothing refuses it.
func (c Call[T]) IdempotencyKey(key string) Call[T] {
	if !c.request.makes && c.err == nil {
		c.err = fmt.Errorf("%s %s takes no Idempotency-Key", c.request.method, c.request.path)
	}
	c.request.key = key
	return c
}

// Hops passes on how often what the app answers has been through Hookloop: give it the headers of
// the delivery. Hookloop stops a loop that nothing else explains by them.
func (c Call[T]) Hops(delivery http.Header) Call[T] {
	c.request.hops = delivery.Values(hopsHeader)
	return c
}

// Do makes the call. A refusal of the gateway is an [Error], no answer an [UnreachableError].
func (c Call[T]) Do(ctx context.Context) (T, error) {
	a, err := c.answer(ctx)
	return a.Value, err
}

// JSON makes the call and gives the answer as it came, with what this version of the client does
// not know.
func (c Call[T]) JSON(ctx context.Context) (json.RawMessage, error) {
	if c.err != nil {
		return nil, c.err
	}
	r := c.request
	if r.makes && r.key == "" && c.transport.attempts > 1 {
		r.key = rand.Text()
	}
	return c.transport.do(ctx, r)
}

// Answer is an answer, understood and as it came.
type Answer[T any] struct {
	Value T
	JSON  json.RawMessage // empty: there was none
}

func (c Call[T]) answer(ctx context.Context) (a Answer[T], err error) {
	if a.JSON, err = c.JSON(ctx); err != nil || len(a.JSON) == 0 {
		return a, err
	}
	return a, Decode(a.JSON, &a.Value)
}

// Decode understands an answer that JSON gave.
func Decode(answer json.RawMessage, into any) error {
	err := json.Unmarshal(answer, into)
	if _, noJSON := errors.AsType[*json.SyntaxError](err); noJSON {
		return errors.New("the answer is no JSON: what answers there is no gateway of Hookloop")
	}
	if err != nil {
		return fmt.Errorf("the gateway's answer is not understood: %w", err)
	}
	return nil
}

// call describes a call without a body.
func call[T any](s scope, method string, path ...string) Call[T] {
	r := request{method: method, path: s.path}
	for _, segment := range path {
		r.path += "/" + url.PathEscape(segment)
	}
	return Call[T]{transport: s.transport, request: r}
}

// with gives the call a body, a value of package api.
func (c Call[T]) with(body any) Call[T] {
	c.request.body, c.err = json.Marshal(body)
	return c
}

// asking adds a query: a struct of package api whose fields have query tags.
func (c Call[T]) asking(query any) Call[T] {
	c.request.query = url.Values{}
	addQuery(c.request.query, reflect.ValueOf(query))
	return c
}

// making says that the call makes something, once for each Idempotency-Key.
func (c Call[T]) making() Call[T] {
	c.request.makes = true
	return c
}
