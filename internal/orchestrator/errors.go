package orchestrator

import (
	"errors"
	"fmt"
	"strings"

	"go.temporal.io/api/serviceerror"
	"google.golang.org/grpc/codes"

	"hookloop/internal/webhook"
)

// AwayError says that something which Hookloop needs cannot be reached now. The same may succeed
// later.
type AwayError struct {
	what  string // names it for those who asked
	cause error  // for the log alone
}

func (e *AwayError) Error() string { return e.what + ": " + e.cause.Error() }
func (e *AwayError) Unwrap() error { return e.cause }

// Away names what cannot be reached.
func (e *AwayError) Away() string { return e.what }

// What may be out of reach.
const (
	theRegistry = "the registry"
	itself      = "Temporal"
)

// failed gives an error of Temporal its meaning: an AwayError where another try may help. Who asked
// has sorted out what Temporal does not know.
func failed(err error) error {
	if err == nil {
		return nil
	}
	// A missing namespace is a mistake in our configuration, not a workflow that does not exist.
	if _, ns := errors.AsType[*serviceerror.NamespaceNotFound](err); ns || unprepared(err) || outOfReach(err) {
		return &AwayError{what: itself, cause: err}
	}
	return fmt.Errorf("temporal: %w", err)
}

// registryErr gives an error of the registry its meaning: one with a code is an answer, without one
// the registry is out of reach.
func registryErr(err error) error {
	if err == nil || webhook.CodeOf(err) != "" {
		return err
	}
	return &AwayError{what: theRegistry, cause: err}
}

// unprepared says that a frontend does not know our search attributes: `hookloop migrate` has not
// run, or has just run, and this frontend hears of it within ten seconds. Temporal tells it by the
// text alone.
func unprepared(err error) bool {
	invalid, ok := errors.AsType[*serviceerror.InvalidArgument](err)
	return ok && (strings.Contains(invalid.Message, "no mapping defined for search attribute") || // of one who starts
		strings.Contains(invalid.Message, "invalid search attribute: ")) // of one who lists
}

func outOfReach(err error) bool {
	switch serviceerror.ToStatus(err).Code() {
	case codes.Unavailable, codes.DeadlineExceeded, codes.ResourceExhausted, codes.Canceled, codes.Aborted,
		codes.FailedPrecondition, codes.Unauthenticated, codes.PermissionDenied:
		return true
	default:
		return false
	}
}

// unknown says that Temporal does not know a workflow, or no more: it never began, has ended, or
// was forgotten.
func unknown(err error) bool {
	_, is := errors.AsType[*serviceerror.NotFound](err)
	return is
}

// FromTemporal says whether an error is an answer of Temporal, of any kind: a copy that runs all
// day waits and asks again.
func FromTemporal(err error) bool {
	_, is := errors.AsType[serviceerror.ServiceError](err)
	return is
}
