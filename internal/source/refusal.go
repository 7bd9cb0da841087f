package source

import (
	"errors"
	"net/http"
)

// ErrUnavailable says that it cannot be told right now whether a request is genuine: the keys to
// check it with are out of reach. The third party should come again.
var ErrUnavailable = errors.New("the keys to verify with are out of reach")

// Refusal says why a request is not let in. Reason is one of ours and quotes nothing that came: it
// goes into the log and, for a request that was verified, to its sender.
type Refusal struct {
	Status int
	Reason string
}

func (r *Refusal) Error() string { return r.Reason }

// unverified refuses a request whose sender is not proven.
func unverified(reason string) error {
	return &Refusal{Status: http.StatusUnauthorized, Reason: reason}
}

// unreadable refuses a genuine request that says nothing we could pass on.
func unreadable(reason string) error {
	return &Refusal{Status: http.StatusBadRequest, Reason: reason}
}
