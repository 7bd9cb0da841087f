package orchestrator

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.temporal.io/api/serviceerror"
	"google.golang.org/grpc/codes"
)

// refusalSpeaksFor is how long a refusal of Temporal says that the next event would be refused,
// too. It ends by itself, or a balancer that has heard of it would never send the event that shows
// the opposite.
const refusalSpeaksFor = 15 * time.Second

// acceptances remember how Temporal took the latest event: one whose database is full goes on
// answering, and takes nothing.
type acceptances struct {
	mu      sync.Mutex
	refusal error     // of the latest; nil: it was taken
	at      time.Time // when it was refused
}

// record takes in what came of a start. One that its sender gave up says nothing about Temporal.
func (a *acceptances) record(err error, now time.Time) {
	if errors.Is(err, context.Canceled) || err != nil && serviceerror.ToStatus(err).Code() == codes.Canceled {
		return
	}
	_, away := errors.AsType[*AwayError](failed(err))
	a.mu.Lock()
	defer a.mu.Unlock()
	a.refusal, a.at = nil, time.Time{}
	if away {
		a.refusal, a.at = err, now
	}
}

// refused is the refusal that speaks for the next event, if any.
func (a *acceptances) refused(now time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.refusal == nil || now.Sub(a.at) > refusalSpeaksFor {
		return nil
	}
	return a.refusal
}
