package orchestrator

import (
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

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

// hasHung is how long a start has waited that speaks of Temporal. One that ran out of time sooner
// shares it with many others, as the last events of a large batch do.
const hasHung = 5 * time.Second

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

// eventOptions are those of the start of an event's workflow, which is its acceptance.
func eventOptions(in workflows.EventInput) client.StartWorkflowOptions {
	e := in.Event
	return client.StartWorkflowOptions{
		ID:                                       workflows.EventWorkflowID(e.Tenant, e.ID),
		TaskQueue:                                workflows.TaskQueue,
		EnableEagerStart:                         true, // the worker in this process begins at once
		WorkflowIDReusePolicy:                    enums.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		WorkflowIDConflictPolicy:                 enums.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		StaticSummary:                            in.Summary(),
		TypedSearchAttributes:                    eventAttributes(in),
	}
}

func eventAttributes(in workflows.EventInput) temporal.SearchAttributes {
	all := []temporal.SearchAttributeUpdate{
		workflows.Tenant.ValueSet(in.Event.Tenant),
		workflows.EventType.ValueSet(in.Event.Type),
		workflows.Outcome.ValueSet(string(webhook.EventDelivering)),
	}
	if endpoint := workflows.EndpointOf(in); endpoint != "" {
		all = append(all, workflows.Endpoint.ValueSet(endpoint))
	}
	return temporal.NewSearchAttributes(all...)
}

// rawJSON keeps data byte for byte on its way into the history; converting it would not.
func rawJSON(data []byte) converter.RawValue {
	return converter.NewRawValue(&commonpb.Payload{
		Metadata: map[string][]byte{converter.MetadataEncoding: []byte(converter.MetadataEncodingJSON)},
		Data:     data,
	})
}

// IDForKey derives the id of an event from its tenant and a key: the first 16 bytes of
// SHA-256("<tenant>\n<key>") in ULID's base32. A repeat finds its original by it, so it must stay
// as it is for as long as any history is kept. A tenant holds no line break: two pairs never share
// the bytes that are hashed. Apps' keys are visible ASCII, so one with a space in it is never an
// app's.
func IDForKey(tenant, key string) string {
	sum := sha256.Sum256([]byte(tenant + "\n" + key))
	return webhook.EventPrefix + strings.ToLower(ulid.ULID(sum[:16]).String())
}
