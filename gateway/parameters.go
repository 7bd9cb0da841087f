package gateway

import (
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/oklog/ulid/v2"

	"hookloop/api"
	"hookloop/gateway/problem"
	"hookloop/gateway/schema"
	"hookloop/internal/webhook"
)

const (
	eventPrefix    = webhook.EventPrefix
	endpointPrefix = webhook.EndpointPrefix
	sourcePrefix   = webhook.SourcePrefix
)

var (
	eventID    = regexp.MustCompile("^" + eventPrefix + "[0-9a-z]{26}$")
	endpointID = regexp.MustCompile("^" + endpointPrefix + "[0-9a-z]{26}$")
	sourceID   = regexp.MustCompile("^" + sourcePrefix + "[0-9a-z]{26}$")
)

// newID draws an id that sorts by the time it was drawn.
func newID(prefix string, now time.Time) string {
	return prefix + strings.ToLower(ulid.MustNew(ulid.Timestamp(now), rand.Reader).String())
}

// checkKey refuses an Idempotency-Key that could not be told apart in a log.
func checkKey(key string) error {
	if key == "" || len(key) > 255 || strings.ContainsFunc(key, func(r rune) bool { return r < 0x21 || r > 0x7e }) {
		return webhook.Invalidf("Idempotency-Key", "must be 1 to 255 visible ASCII characters")
	}
	return nil
}

func noSuchEvent() error    { return webhook.Errorf(webhook.NotFound, "there is no such event") }
func noSuchEndpoint() error { return webhook.Errorf(webhook.NotFound, "there is no such endpoint") }
func noSuchSource() error   { return webhook.Errorf(webhook.NotFound, "there is no such source") }

// idempotencyKey is that of the request; empty: it has none.
func (r *request) idempotencyKey() (string, error) {
	switch keys := r.gin.Request.Header.Values("Idempotency-Key"); len(keys) {
	case 0:
		return "", nil
	case 1:
		return keys[0], checkKey(keys[0])
	default:
		return "", webhook.Invalidf("Idempotency-Key", "appears twice")
	}
}

// once refuses a key that was used before with another body.
func once(c webhook.Creation, create func() (webhook.Creation, error)) (webhook.Creation, error) {
	made, err := create()
	if err == nil && !hmac.Equal([]byte(made.Digest), []byte(c.Digest)) {
		err = webhook.Errorf(api.IdempotencyConflict, "this Idempotency-Key was used with another body, for %s", made.ID)
	}
	return made, err
}

// deletedSince says of what a key had made that it is not there any more: making it again is not
// what a repeat asks for.
func deletedSince(kind, id string, err error) error {
	switch {
	case err == nil:
		return nil
	case webhook.CodeOf(err) == webhook.NotFound:
		return webhook.Errorf(api.IdempotencyConflict, "the %s that this Idempotency-Key made, %s, was deleted; use another key for another one", kind, id)
	}
	return fmt.Errorf("%s %s: %w", kind, id, problem.Registry(err))
}

// checkSize is how many bytes of a cursor say that a gateway of ours gave it out. Temporal answers
// a place that it did not give like a failure of its own.
const checkSize = 16

// newCursor makes a cursor of the position at which list goes on; nil when there is nothing more.
func (g *Gateway) newCursor(list string, position []byte) *string {
	if len(position) == 0 {
		return nil
	}
	s := base64.RawURLEncoding.EncodeToString(append(g.check(list, position), position...))
	return &s
}

// openCursor gives back the position; nil for the first page. A cursor belongs to the list, filters
// included, that gave it out.
func (g *Gateway) openCursor(list, cursor string) ([]byte, error) {
	if cursor == "" {
		return nil, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(raw) <= checkSize || !hmac.Equal(raw[:checkSize], g.check(list, raw[checkSize:])) {
		return nil, webhook.Invalidf("cursor", "is not one this list has given out")
	}
	return raw[checkSize:], nil
}

func (g *Gateway) check(list string, position []byte) []byte {
	mac := hmac.New(sha256.New, g.cursorKey)
	mac.Write([]byte(list + "\n"))
	mac.Write(position)
	return mac.Sum(nil)[:checkSize]
}

// period reads both ends of one, in UTC; an end that is not given is the zero time.
func period(after, before string, now time.Time) (from, to time.Time, err error) {
	if from, err = moment("after", after, now); err != nil {
		return from, to, err
	}
	to, err = moment("before", before, now)
	return from, to, err
}

// moment reads a time of a question; nothing is no time.
func moment(field, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := webhook.ParseMoment(text, now)
	if err != nil {
		return t, webhook.Invalidf(field, "%s", webhook.MomentForms)
	}
	return t, nil
}

// utc refuses the hours at either end of time that have no year of four digits in UTC.
func utc(field string, t time.Time) (time.Time, error) {
	if u := t.UTC(); u.Year() >= 1 && u.Year() <= 9999 {
		return u, nil
	}
	return time.Time{}, webhook.Invalidf(field, "must lie between the years 1 and 9999 in UTC")
}

// ownProblems turns huma's errors, which have no code, into ours. Huma only ever finds fault with
// path, query and header parameters: bodies are read by us.
func ownProblems(c huma.Context, _ string, body any) (any, error) {
	theirs, ok := body.(*huma.ErrorModel)
	if !ok {
		return body, nil
	}
	if theirs.Status != http.StatusUnprocessableEntity {
		return problem.New(api.Internal, "something went wrong on our side; it has been logged"), nil
	}
	var faults []api.FieldError
	for _, d := range theirs.Errors {
		_, name, _ := strings.Cut(d.Location, ".") // "query.limit"; the value is not echoed
		faults = append(faults, api.FieldError{Field: problem.Shortened(name), Message: schema.Words(d.Message, parameter(c, name))})
	}
	return problem.Invalid(faults), nil
}

// parameter is the schema of an operation's parameter; one that allows everything if there is none.
func parameter(c huma.Context, name string) *huma.Schema {
	for _, p := range c.Operation().Parameters {
		if p.Name == name {
			return p.Schema
		}
	}
	return &huma.Schema{}
}

// eitherName reads a parameter that has two names.
func eitherName(a, b string) (string, error) {
	if a != "" && b != "" && a != b {
		return "", webhook.Invalidf("endpoint_id", "is not what endpoint says; give one of them")
	}
	return cmp.Or(a, b), nil
}
