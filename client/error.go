package client

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"hookloop/api"
)

// Error is a refusal of the gateway: a problem document (RFC 9457). Without a Code, what answered
// is no gateway of Hookloop.
type Error struct {
	api.Problem

	// RetryAfter is how long the gateway asks to wait; 0: it did not say.
	RetryAfter time.Duration

	gateway string
}

// Error tells all in one line; a field that the detail is about is not named twice.
func (e *Error) Error() string {
	if e.Code == "" {
		return fmt.Sprintf("%s answered HTTP %d without saying why; is it a Hookloop gateway?", e.gateway, e.Status)
	}
	line := fmt.Sprintf("%s (%s, HTTP %d)", e.Detail, e.Code, e.Status)
	var fields []string
	for _, f := range e.Errors {
		if e.Detail != f.Field+" "+f.Message && e.Detail != f.Field+": "+f.Message {
			fields = append(fields, f.Field+" "+f.Message)
		}
	}
	if len(fields) > 0 {
		line += ": " + strings.Join(fields, "; ")
	}
	return line
}

// IsNotFound says whether the gateway knows no such thing.
func IsNotFound(err error) bool { return hasStatus(err, http.StatusNotFound) }

// IsUnavailable says whether the gateway cannot tell or do it now, which is likely to be over soon.
func IsUnavailable(err error) bool { return hasStatus(err, http.StatusServiceUnavailable) }

func hasStatus(err error, status int) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Status == status
}

// UnreachableError says that there was no answer: whether the gateway did what was asked is not
// known.
type UnreachableError struct {
	URL   string // of the gateway
	cause error
}

func (e *UnreachableError) Error() string {
	cause := e.cause
	if u, ok := errors.AsType[*url.Error](cause); ok {
		if u.Timeout() {
			return "the gateway at " + e.URL + " did not answer in time"
		}
		cause = u.Err // it would repeat the URL
	}
	return fmt.Sprintf("gateway at %s: %v", e.URL, cause)
}

// Unwrap gives what the network said.
func (e *UnreachableError) Unwrap() error { return e.cause }
