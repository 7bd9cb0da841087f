package accept_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"hookloop/internal/accept"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// starter keeps what it was asked to start, encoded.
type starter struct {
	options  client.StartWorkflowOptions
	workflow any
	input    *commonpb.Payloads
	err      error
}

func (s *starter) ExecuteWorkflow(_ context.Context, o client.StartWorkflowOptions, workflow any, args ...any) (client.WorkflowRun, error) {
	s.options, s.workflow = o, workflow
	input, err := converter.GetDefaultDataConverter().ToPayloads(args...)
	if err != nil {
		return nil, err
	}
	s.input = input
	return nil, s.err
}

var event = webhook.Event{
	Tenant: "acme", ID: "evt_7d9xwycawhzgk0rc765jf2jtqb", Type: "contact.updated", Timestamp: time.Date(2026, 2, 3, 12, 0, 0, 0, time.UTC),
}

func TestStart(t *testing.T) {
	t.Parallel()
	var s starter
	data := []byte(`{"z":1.0, "a" : "\u00e9<>" }`)
	require.NoError(t, accept.Start(t.Context(), &s, workflows.EventInput{Event: event, EndpointIDs: []string{"ep_1", "ep_2"}, By: "app"}, data))
	require.Equal(t, "Event", s.workflow)
	require.Equal(t, workflows.EventWorkflowID("acme", event.ID), s.options.ID)
	require.Equal(t, workflows.TaskQueue, s.options.TaskQueue)
	require.True(t, s.options.EnableEagerStart)
	require.True(t, s.options.WorkflowExecutionErrorWhenAlreadyStarted)
	require.Equal(t, enums.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE, s.options.WorkflowIDReusePolicy)
	require.Equal(t, 3, s.options.TypedSearchAttributes.Size())

	var in workflows.EventInput
	var raw converter.RawValue
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(s.input, &in, &raw))
	require.Equal(t, workflows.EventInput{Event: event, EndpointIDs: []string{"ep_1", "ep_2"}, By: "app"}, in)
	require.Equal(t, string(data), string(raw.Payload().GetData()), "byte for byte")
}

func TestStartGivesTemporalsErrorsAsTheyAre(t *testing.T) {
	t.Parallel()
	for _, err := range []error{serviceerror.NewWorkflowExecutionAlreadyStarted("already started", "", "run"), serviceerror.NewUnavailable("no")} {
		require.Same(t, err, accept.Start(t.Context(), &starter{err: err}, workflows.EventInput{Event: event}, []byte("1")))
	}
}

func TestIDForKey(t *testing.T) {
	t.Parallel()
	require.Equal(t, event.ID, accept.IDForKey("acme", "order-1"), "derived ids must stay as they are forever")
	require.NotEqual(t, accept.IDForKey("acme", "a"), accept.IDForKey("acme", "b"))
	require.NotEqual(t, accept.IDForKey("acme", "a"), accept.IDForKey("other", "a"))
}

// TestListsFindWhatADisabledEndpointMissed: the event says so from its start.
func TestListsFindWhatADisabledEndpointMissed(t *testing.T) {
	t.Parallel()
	var s starter
	require.NoError(t, accept.Start(t.Context(), &s, workflows.EventInput{Event: event, Disabled: []string{"ep_1"}, By: "app"}, []byte("1")))
	endpoint, _ := s.options.TypedSearchAttributes.GetKeyword(workflows.Endpoint)
	require.Equal(t, "disabled ep_1", endpoint)
	require.Equal(t, "contact.updated → disabled endpoints alone", s.options.StaticSummary)
}
