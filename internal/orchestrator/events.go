package orchestrator

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/converter"
	"google.golang.org/grpc/codes"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// EventsConfig is what events need beside Temporal.
type EventsConfig struct {
	Bodies   Bodies           // keep the data of large events; nil: all data is in the histories
	Registry RedeliveryNotes  // notes which endpoints events were redelivered to
	Now      func() time.Time // nil: time.Now
}

// RedeliveryNotes gives the endpoints an event was redelivered to. Its errors are those of a
// registry out of reach.
type RedeliveryNotes interface {
	Redelivered(ctx context.Context, tenant, eventID string) ([]string, error)
}

// Events accepts events, says what became of them, and passes on to their deliveries what operators
// say.
type Events struct {
	link

	cfg EventsConfig

	latest acceptances
}

// Events is the part that the gateway speaks to.
func (o *Orchestrator) Events(c EventsConfig) *Events {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Events{link: o.link, cfg: c}
}

// ErrAccepted says that an event of this id was accepted before; it may have been another event.
var ErrAccepted = errors.New("an event of this id was accepted before")

// Start accepts an event: once it has returned, the event cannot be lost. data is JSON and kept
// byte for byte; if it is too large for a history it is put into the body store first, which sweeps
// it up if the event is not accepted then.
func (e *Events) Start(ctx context.Context, in workflows.EventInput, data []byte) error {
	in.Event.Stored = 0
	held := rawJSON(data)
	if e.cfg.Bodies != nil && len(data) > webhook.MaxInline {
		in.Event.Stored = int64(len(data))
		var err error
		if held, err = e.cfg.Bodies.Put(ctx, in.Event, data); err != nil {
			return registryErr(err)
		}
	}
	return e.start(ctx, in, held)
}

// start is one call of Temporal's.
func (e *Events) start(ctx context.Context, in workflows.EventInput, held converter.RawValue) error {
	began := time.Now()
	_, err := e.client.ExecuteWorkflow(ctx, eventOptions(in), workflows.TypeEvent, in, held)
	if ctx.Err() == nil || time.Since(began) > hasHung {
		e.latest.record(err, e.cfg.Now())
	}
	return startErr(err)
}

func startErr(err error) error {
	if _, before := errors.AsType[*serviceerror.WorkflowExecutionAlreadyStarted](err); before {
		return ErrAccepted
	}
	return failed(err)
}

// Refused is why Temporal refused the latest event, if that was a moment ago; nil: the next one may
// be accepted.
func (e *Events) Refused() error { return e.latest.refused(e.cfg.Now()) }

// refusalSpeaksFor is how long a refusal of Temporal says that the next event would be refused,
// too. It ends by itself, or a balancer that has heard of it would never send the event that shows
// the opposite.
const refusalSpeaksFor = 15 * time.Second

// hasHung is how long a start has waited that speaks of Temporal. One that ran out of time sooner
// shares it with many others, as the last events of a large batch do.
const hasHung = 5 * time.Second

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

// Accepted gives what an event was accepted with, and its data. The error carries webhook.NotFound
// when there is no such event, or no more.
func (e *Events) Accepted(ctx context.Context, tenant, id string) (workflows.EventInput, []byte, error) {
	in, held, err := e.eventInput(ctx, workflows.EventWorkflowID(tenant, id), "")
	if err != nil {
		return in, nil, noSuch("event", err)
	}
	if in.Event.Stored == 0 || e.cfg.Bodies == nil {
		return in, held.Payload().GetData(), nil
	}
	data, err := e.cfg.Bodies.Data(ctx, in.Event, held.Payload())
	return in, data, registryErr(err)
}

// registryErr gives an error of the registry its meaning: one with a code is an answer, without one
// the registry is out of reach.
func registryErr(err error) error {
	if err == nil || webhook.CodeOf(err) != "" {
		return err
	}
	return &AwayError{what: theRegistry, cause: err}
}
