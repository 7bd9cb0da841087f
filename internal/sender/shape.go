package sender

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"hookloop/internal/expression"
	"hookloop/internal/webhook"
)

// wanted is the request an endpoint wants of an event.
type wanted struct {
	method string
	url    string
	body   []byte
}

// shapeError says which part of an endpoint's request cannot be made of an event. It quotes neither.
type shapeError struct{ part, problem string }

func (e *shapeError) Error() string { return "request." + e.part + ": " + e.problem }

// wanted is the envelope, posted to the endpoint's URL, or what its RequestShape makes of it.
func (s *Sender) wanted(ctx context.Context, d webhook.Delivery) (wanted, error) {
	w := wanted{method: http.MethodPost, url: d.Endpoint.URL, body: webhook.Body(d.Event, d.Content)}
	shape := d.Endpoint.Request
	if shape.Method != "" {
		w.method = shape.Method
	}
	if shape.Path == "" && shape.Body == "" {
		return w, nil
	}
	if len(w.body) > maxShaped { // decoded it would hold ten times as much of the memory
		return w, &shapeError{"body", fmt.Sprintf("the event is larger than %d bytes, the most an expression is given", maxShaped)}
	}
	body, err := expression.Body(w.body)
	if err != nil {
		return w, &shapeError{"body", "the event is not one JSON value"}
	}
	if shape.Path != "" {
		if w.url, err = s.path(ctx, d.Endpoint.URL, shape.Path, body); err != nil {
			return w, err
		}
	}
	if shape.Body != "" {
		w.body, err = s.body(ctx, shape.Body, body)
	}
	return w, err
}

// maxShaped bounds what an expression makes of an envelope, in bytes. The envelope itself is within it.
const maxShaped = 2 << 20

func (s *Sender) body(ctx context.Context, text string, envelope any) ([]byte, error) {
	v, err := s.expressions.Value(ctx, text, envelope)
	if err != nil {
		return nil, &shapeError{"body", err.Error()}
	}
	raw, err := expression.Marshal(v)
	if err != nil || len(raw) > maxShaped {
		return nil, &shapeError{"body", fmt.Sprintf("the value is larger than %d bytes", maxShaped)}
	}
	return raw, nil
}

// path puts the segments an expression gives behind the path of a URL. What stands in the event
// stays within its segment: it can lead neither up, nor to another host, nor into the query.
func (s *Sender) path(ctx context.Context, raw, text string, envelope any) (string, error) {
	v, err := s.expressions.Value(ctx, text, envelope)
	if err != nil {
		return "", &shapeError{"path", err.Error()}
	}
	list, ok := v.([]any)
	if !ok {
		return "", &shapeError{"path", "the value is not a list of segments"}
	}
	u, err := url.Parse(raw)
	if err != nil {
		return "", errURL
	}
	for _, element := range list {
		name, ok := segment(element)
		if !ok {
			return "", &shapeError{"path", "a segment is neither a number nor text of at least one character"}
		}
		u = u.JoinPath(url.PathEscape(name))
	}
	return u.String(), nil
}

// segment refuses what JoinPath would take for a way up, or for nothing at all.
func segment(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, v != "" && v != "." && v != ".."
	case json.Number:
		return v.String(), true
	case int:
		return strconv.Itoa(v), true
	}
	return "", false
}
