package gateway

import (
	"context"
	"errors"
	"sync"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/converter"
	"google.golang.org/grpc/codes"

	"hookloop/internal/accept"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// refusalSpeaksFor is how long a refusal of Temporal says that the next event would be refused, too. It ends by
// itself, or a balancer that has heard of it would never send the event that shows the opposite.
const refusalSpeaksFor = 15 * time.Second

// start accepts an event: with it the event cannot be lost.
func (g *Gateway) start(ctx context.Context, in workflows.EventInput, data []byte) (err error) {
	thirdParty := in.Event.Origin != nil // would send all of its batch again for one that is refused
	leave, err := g.admit(ctx, in.Event.Tenant, thirdParty)
	if err != nil {
		return err
	}
	defer func() { leave(err) }()
	ctx, done := accepting(ctx, &in.Event)
	began := time.Now()
	err = g.startWith(ctx, in, data)
	done(err)
	if err == nil && in.Unmatched() {
		g.metrics.unmatched.Inc()
	}
	if ctx.Err() == nil || time.Since(began) > hasHung {
		g.latest.record(err, g.now())
	}
	return err
}

// startWith puts data that is too large for a history into the body store first. An event whose body was
// written and that is not accepted then is swept up.
func (g *Gateway) startWith(ctx context.Context, in workflows.EventInput, data []byte) error {
	in.Event.Stored = 0
	if g.bodies == nil || len(data) <= webhook.MaxInline {
		return accept.Start(ctx, g.temporal, in, data)
	}
	in.Event.Stored = int64(len(data))
	held, err := g.bodies.Put(ctx, in.Event, data)
	if err != nil {
		return registryErr(err)
	}
	return accept.StartWith(ctx, g.temporal, in, held)
}

// Bodies keep the data of large events; bodies.Bodies does.
type Bodies interface {
	Put(ctx context.Context, e webhook.Event, data []byte) (converter.RawValue, error)
	Data(ctx context.Context, e webhook.Event, p *commonpb.Payload) ([]byte, error)
}

// hasHung is how long a start has waited that speaks of Temporal. One that ran out of time sooner shares it
// with many others, as the last events of a large batch do.
const hasHung = 5 * time.Second

// acceptances remember how Temporal took the latest event: one whose database is full goes on answering, and
// takes nothing.
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
	_, away := errors.AsType[*unavailableError](temporalErr(err))
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
