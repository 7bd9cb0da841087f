package problem

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"

	"hookloop/api"
	"hookloop/internal/admission"
	"hookloop/internal/expression"
	"hookloop/internal/quota"
	"hookloop/internal/webhook"
)

// statuses is the only place where a code becomes a status.
var statuses = map[webhook.Code]int{
	webhook.BadJSON:          http.StatusBadRequest,
	api.Unauthenticated:      http.StatusUnauthorized,
	api.WrongTenant:          http.StatusForbidden,
	api.MissingScope:         http.StatusForbidden,
	api.OutOfReach:           http.StatusForbidden,
	webhook.NotFound:         http.StatusNotFound,
	api.MethodNotAllowed:     http.StatusMethodNotAllowed,
	api.RequestTimeout:       http.StatusRequestTimeout,
	webhook.Conflict:         http.StatusConflict,
	webhook.Disabled:         http.StatusConflict,
	api.IdempotencyConflict:  http.StatusConflict,
	api.PayloadTooLarge:      http.StatusRequestEntityTooLarge,
	api.UnsupportedMediaType: http.StatusUnsupportedMediaType,
	webhook.Expired:          http.StatusGone,
	webhook.Erased:           http.StatusGone,
	webhook.OnLegalHold:      http.StatusConflict,
	webhook.Invalid:          http.StatusUnprocessableEntity,
	api.Internal:             http.StatusInternalServerError,
	api.Unavailable:          http.StatusServiceUnavailable,
	api.Overloaded:           http.StatusServiceUnavailable,
	api.QuotaExceeded:        http.StatusTooManyRequests,
}

// awayError is the failure of something the gateway depends on: worth another try, and its cause is
// for the log only.
type awayError struct {
	what  string // names it for the client
	cause error
}

func (e *awayError) Error() string { return fmt.Sprintf("%s: %v", e.what, e.cause) }
func (e *awayError) Unwrap() error { return e.cause }
func (e *awayError) Away() string  { return e.what }

// AwayError names what is out of reach. The orchestrator and auth have some of their own.
type AwayError interface {
	error
	Away() string
}

// Away says that something is out of reach, and why, for the log alone.
func Away(what string, cause error) error { return &awayError{what: what, cause: cause} }

// Unavailable is what a client reads of that.
func Unavailable(e AwayError) *Problem {
	return New(api.Unavailable, e.Away()+" cannot be reached right now; try again")
}

// Registry gives an error of the registry its meaning: with a code it is an answer, without one
// the registry is out of reach.
func Registry(err error) error {
	if err == nil || webhook.CodeOf(err) != "" {
		return err
	}
	return &awayError{what: "the registry", cause: err}
}

// faulty is an error that blames several fields.
type faulty interface {
	error
	Faults() []api.FieldError
}

// Of makes what the client may read of err, and logs what it may not.
func Of(ctx context.Context, err error, log *slog.Logger) *Problem {
	if body, ok := errors.AsType[faulty](err); ok {
		return Invalid(body.Faults())
	}
	if said, ok := errors.AsType[*webhook.Error](err); ok {
		brief := webhook.Error{Code: said.Code, Field: Shortened(said.Field), Message: said.Message}
		p := New(brief.Code, brief.Error())
		if brief.Field != "" {
			p.Errors = []api.FieldError{{Field: brief.Field, Message: brief.Message}}
		}
		return p
	}
	if full, ok := errors.AsType[*admission.Refusal](err); ok {
		return Overloaded(full)
	}
	if spent, ok := errors.AsType[*quota.Refusal](err); ok {
		return Exceeded(spent)
	}
	if ctx.Err() != nil { // the client went away and reads nothing
		return New(api.Unavailable, "the request was given up")
	}
	if away, ok := errors.AsType[AwayError](err); ok {
		log.WarnContext(ctx, "unavailable", slog.Any("error", err))
		return Unavailable(away)
	}
	log.ErrorContext(ctx, "request failed", slog.Any("error", err))
	return New(api.Internal, "something went wrong on our side; it has been logged")
}

// maxFieldName bounds the names in problems, in bytes. A client may have made one up as long as a
// body.
const maxFieldName = 100

// Shortened gives a name as a problem shows it.
func Shortened(name string) string {
	if len(name) <= maxFieldName {
		return name
	}
	return webhook.Cut(name, maxFieldName) + "…"
}

// Reading gives a failure to read a request its meaning.
func Reading(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return webhook.Errorf(api.RequestTimeout, "the body did not arrive in time")
	}
	return webhook.Errorf(webhook.BadJSON, "the body broke off")
}

// Expression says what is out of reach when an expression could not be run or its echoes not be
// read: expressions run in processes of their own, echoes lie in the registry.
func Expression(err error) error {
	if _, ours := errors.AsType[*expression.Unavailable](err); ours {
		return Away("the processes that run expressions", err)
	}
	return Registry(err)
}

// Lookup gives an error of the registry about one thing its meaning: that it is missing is said in
// our words, not in the registry's.
func Lookup(kind, id string, err error) error {
	switch {
	case err == nil:
		return nil
	case webhook.CodeOf(err) == webhook.NotFound:
		return NoSuch(kind)
	}
	return fmt.Errorf("%s %s: %w", kind, id, Registry(err))
}

// NoSuch says of a kind of thing that this one is not there, or is another tenant's.
func NoSuch(kind string) error { return webhook.Errorf(webhook.NotFound, "there is no such %s", kind) }

// NoSuchDelivery says that an event has none to an endpoint.
func NoSuchDelivery(eventID, endpointID string) error {
	return webhook.Errorf(webhook.NotFound, "event %s has no delivery to endpoint %.40s", eventID, endpointID)
}
