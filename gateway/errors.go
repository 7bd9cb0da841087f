package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"strings"

	"hookloop/internal/admission"
	"hookloop/internal/quota"
	"hookloop/internal/webhook"
)

// The codes the gateway adds to the language's. They are wire format.
const (
	Unauthenticated      webhook.Code = "unauthenticated"
	WrongTenant          webhook.Code = "wrong_tenant"
	MissingScope         webhook.Code = "missing_scope"
	IdempotencyConflict  webhook.Code = "idempotency_conflict"
	PayloadTooLarge      webhook.Code = "payload_too_large"
	UnsupportedMediaType webhook.Code = "unsupported_media_type"
	MethodNotAllowed     webhook.Code = "method_not_allowed"
	RequestTimeout       webhook.Code = "request_timeout"
	Unavailable          webhook.Code = "unavailable"
	Internal             webhook.Code = "internal"
)

// statuses is the only place where a code becomes a status.
var statuses = map[webhook.Code]int{
	webhook.BadJSON:      http.StatusBadRequest,
	Unauthenticated:      http.StatusUnauthorized,
	WrongTenant:          http.StatusForbidden,
	MissingScope:         http.StatusForbidden,
	webhook.NotFound:     http.StatusNotFound,
	MethodNotAllowed:     http.StatusMethodNotAllowed,
	RequestTimeout:       http.StatusRequestTimeout,
	webhook.Conflict:     http.StatusConflict,
	webhook.Disabled:     http.StatusConflict,
	IdempotencyConflict:  http.StatusConflict,
	PayloadTooLarge:      http.StatusRequestEntityTooLarge,
	UnsupportedMediaType: http.StatusUnsupportedMediaType,
	webhook.Expired:      http.StatusGone,
	webhook.Invalid:      http.StatusUnprocessableEntity,
	Internal:             http.StatusInternalServerError,
	Unavailable:          http.StatusServiceUnavailable,
	Overloaded:           http.StatusServiceUnavailable,
	QuotaExceeded:        http.StatusTooManyRequests,
}

// unavailableError is the failure of something the gateway depends on: worth another try, and its
// cause is for the log only.
type unavailableError struct {
	what  string // names it for the client
	cause error
}

func (e *unavailableError) Error() string { return fmt.Sprintf("%s: %v", e.what, e.cause) }
func (e *unavailableError) Unwrap() error { return e.cause }
func (e *unavailableError) Away() string  { return e.what }

// awayError names what is out of reach: an unavailableError, or one of the orchestrator's.
type awayError interface {
	error
	Away() string
}

func unavailable(e awayError) *Problem {
	return newProblem(Unavailable, e.Away()+" cannot be reached right now; try again")
}

// registryErr gives an error of the registry its meaning: with a code it is an answer, without one
// the registry is out of reach.
func registryErr(err error) error {
	if err == nil || webhook.CodeOf(err) != "" {
		return err
	}
	return &unavailableError{what: "the registry", cause: err}
}

// problem makes what the client may read of err, and logs what it may not.
func (g *Gateway) problem(ctx context.Context, err error) *Problem {
	if said, ok := errors.AsType[*webhook.Error](err); ok {
		brief := webhook.Error{Code: said.Code, Field: shortened(said.Field), Message: said.Message}
		p := newProblem(brief.Code, brief.Error())
		if brief.Field != "" {
			p.Errors = []FieldError{{Field: brief.Field, Message: brief.Message}}
		}
		return p
	}
	if full, ok := errors.AsType[*admission.Refusal](err); ok {
		return overloaded(full)
	}
	if spent, ok := errors.AsType[*quota.Refusal](err); ok {
		return exceeded(spent)
	}
	if ctx.Err() != nil { // the client went away: nobody reads this
		return newProblem(Unavailable, "the request was given up")
	}
	if away, ok := errors.AsType[awayError](err); ok {
		g.log.WarnContext(ctx, "unavailable", slog.Any("error", err))
		return unavailable(away)
	}
	g.log.ErrorContext(ctx, "request failed", slog.Any("error", err))
	return newProblem(Internal, "something went wrong on our side; it has been logged")
}

// maxFieldName bounds the names in problems, in bytes. A client may have made one up as long as a body.
const maxFieldName = 100

func shortened(name string) string {
	if len(name) <= maxFieldName {
		return name
	}
	return webhook.Cut(name, maxFieldName) + "…"
}

// header is what goes with a problem besides its body.
func (p *Problem) header() http.Header {
	h := http.Header{}
	maps.Copy(h, p.more)
	switch p.Code {
	case Unavailable:
		h.Set("Retry-After", "5")
	case Unauthenticated:
		h.Set("WWW-Authenticate", `Bearer realm="hookloop", error="invalid_token", error_description="`+quotable(p.Detail)+`"`)
	case MissingScope:
		h.Set("WWW-Authenticate", `Bearer realm="hookloop", error="insufficient_scope"`)
	default:
	}
	return h
}

// quotable leaves out what may not stand between the quotes of a header (RFC 6750).
func quotable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e || r == '"' || r == '\\' {
			return '\''
		}
		return r
	}, s)
}
