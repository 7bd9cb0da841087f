// Package accept starts the workflow that carries an event, and by that accepts it: once Start has
// returned, the event cannot be lost. What is well formed and which endpoints match is its callers'
// to decide: the gateway for the apps' events, activities for those we make ourselves.
package accept

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

// IDPrefix begins the id of every event.
const IDPrefix = "evt_"

// EventWorkflow is the type of the workflow that carries an event.
const EventWorkflow = "Event"

// Client is the part of the Temporal client that is needed; client.Client is one.
type Client interface {
	ExecuteWorkflow(ctx context.Context, o client.StartWorkflowOptions, workflow any, args ...any) (client.WorkflowRun, error)
}

// Start accepts an event; data is JSON and kept byte for byte. Its errors are Temporal's:
// WorkflowExecutionAlreadyStarted says that an event of this id was accepted before, whatever it was.
func Start(ctx context.Context, c Client, in workflows.EventInput, data []byte) error {
	return StartWith(ctx, c, in, rawJSON(data))
}

// StartLater is Start for an event whose first attempts have time until the delay is over. Accepted it is at once.
func StartLater(ctx context.Context, c Client, in workflows.EventInput, data []byte, delay time.Duration) error {
	o := options(in)
	if delay > 0 {
		o.StartDelay, o.EnableEagerStart = delay, false
	}
	_, err := c.ExecuteWorkflow(ctx, o, EventWorkflow, in, rawJSON(data))
	return err
}

// StartWith is Start with what the history is to hold in place of the data.
func StartWith(ctx context.Context, c Client, in workflows.EventInput, held converter.RawValue) error {
	_, err := c.ExecuteWorkflow(ctx, options(in), EventWorkflow, in, held)
	return err
}

func options(in workflows.EventInput) client.StartWorkflowOptions {
	e := in.Event
	return client.StartWorkflowOptions{
		ID:                                       workflows.EventWorkflowID(e.Tenant, e.ID),
		TaskQueue:                                workflows.TaskQueue,
		EnableEagerStart:                         true, // the worker in this process begins at once
		WorkflowIDReusePolicy:                    enums.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
		WorkflowIDConflictPolicy:                 enums.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		StaticSummary:                            in.Summary(),
		TypedSearchAttributes:                    attributes(in),
	}
}

func attributes(in workflows.EventInput) temporal.SearchAttributes {
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

// Before says whether Start found the event accepted before.
func Before(err error) bool {
	_, started := errors.AsType[*serviceerror.WorkflowExecutionAlreadyStarted](err)
	return started
}

// rawJSON keeps data byte for byte on its way into the history; converting it would not.
func rawJSON(data []byte) converter.RawValue {
	return converter.NewRawValue(&commonpb.Payload{
		Metadata: map[string][]byte{converter.MetadataEncoding: []byte(converter.MetadataEncodingJSON)},
		Data:     data,
	})
}

// IDForKey derives the id of an event from its tenant and a key: the first 16 bytes of
// SHA-256("<tenant>\n<key>") in ULID's base32. A repeat finds its original by it, so it must stay as
// it is for as long as any history is kept. A tenant holds no line break: two pairs never share the
// bytes that are hashed. Apps' keys are visible ASCII, so one with a space in it is never an app's.
func IDForKey(tenant, key string) string {
	sum := sha256.Sum256([]byte(tenant + "\n" + key))
	return IDPrefix + strings.ToLower(ulid.ULID(sum[:16]).String())
}
