package orchestrator

import (
	"crypto/sha256"
	"strings"

	"github.com/oklog/ulid/v2"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

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
