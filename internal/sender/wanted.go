package sender

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"hookloop/internal/expression"
	"hookloop/internal/webhook"
)

// wanted is the request an endpoint wants of an event.
type wanted struct {
	method string
	url    string
	body   []byte
}

// shapeError says which part of an endpoint's request cannot be made of an event. It quotes
// neither.
type shapeError struct{ part, problem string }

func (e *shapeError) Error() string { return "request." + e.part + ": " + e.problem }

// maxPath bounds the segments an expression gives, in bytes of JSON.
const maxPath = 16 << 10

// wanted is the envelope, posted to the endpoint's URL, or what its RequestShape makes of it.
func (s *Sender) wanted(ctx context.Context, d webhook.Delivery) (wanted, error) {
	shape := d.Endpoint.Request
	w := wanted{method: cmp.Or(shape.Method, http.MethodPost), url: d.Endpoint.URL, body: webhook.Body(d.Event, d.Content)}
	if shape.Path == "" && shape.Body == "" {
		return w, nil
	}
	made, err := s.shaped(ctx, d.Event.Tenant, w.body, shape)
	if err != nil {
		return w, err
	}
	if shape.Path != "" {
		if w.url, err = joined(d.Endpoint.URL, made["path"]); err != nil {
			return w, err
		}
	}
	if shape.Body != "" {
		w.body = made["body"]
	}
	return w, nil
}

// shaped runs the expressions of a shape over an envelope, and gives what came of each part.
func (s *Sender) shaped(ctx context.Context, tenant string, envelope []byte, shape webhook.RequestShape) (map[string][]byte, error) {
	if len(envelope) > expression.MaxBody {
		return nil, &shapeError{"body", fmt.Sprintf("the event is larger than %d bytes, the most an expression is given", expression.MaxBody)}
	}
	var parts []string
	var asks []expression.Ask
	if shape.Path != "" {
		parts, asks = append(parts, "path"), append(asks, expression.Ask{Text: shape.Path, Max: maxPath})
	}
	if shape.Body != "" {
		parts, asks = append(parts, "body"), append(asks, expression.Ask{Text: shape.Body})
	}
	values, err := s.expressions.Values(ctx, tenant, envelope, asks...)
	if err != nil {
		return nil, shapeFailure(err, parts)
	}
	made := map[string][]byte{}
	for i, part := range parts {
		made[part] = values[i]
	}
	return made, nil
}

// shapeFailure says what the event or its owner's expression is to blame for. What we are is a
// deferral.
func shapeFailure(err error, parts []string) error {
	if fault, ok := errors.AsType[*expression.Fault](err); ok {
		return &shapeError{parts[fault.Ask], fault.Error()}
	}
	if errors.Is(err, expression.ErrJSON) {
		return &shapeError{"body", "the event is not one JSON value"}
	}
	if _, ours := errors.AsType[*expression.Unavailable](err); ours {
		return &webhook.Deferral{Reason: webhook.DeferInternal, Detail: err.Error()}
	}
	return err
}

// joined puts segments, a list in JSON, behind the path of a URL. What stands in the event stays
// within its segment: it can lead neither up, nor to another host, nor into the query.
func joined(raw string, segments []byte) (string, error) {
	dec := json.NewDecoder(bytes.NewReader(segments))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return "", &shapeError{"path", "the value is not a list of segments"}
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
		name, err := segment(element)
		if err != nil {
			return "", err
		}
		u = u.JoinPath(url.PathEscape(name))
	}
	return u.String(), nil
}
