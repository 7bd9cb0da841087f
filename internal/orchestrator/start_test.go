package orchestrator_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/converter"

	"hookloop/internal/orchestrator"
	"hookloop/internal/orchestrator/orchestratortest"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// through is an orchestrator that speaks to c.
func through(t *testing.T, c orchestrator.Client) *orchestrator.Orchestrator {
	t.Helper()
	o, err := orchestrator.New(orchestrator.Config{Client: c})
	require.NoError(t, err)
	return o
}

func TestNewNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	_, err := orchestrator.New(orchestrator.Config{})
	require.EqualError(t, err, "orchestrator: Client is missing")
}

var event = webhook.Event{
	Tenant: "acme", ID: "evt_7d9xwycawhzgk0rc765jf2jtqb", Type: "contact.updated", Timestamp: time.Date(2026, 2, 3, 12, 0, 0, 0, time.UTC),
}

func TestStart(t *testing.T) {
	t.Parallel()
	s := orchestratortest.New()
	data := []byte(`{"z":1.0, "a" : "\u00e9<>" }`)
	e := through(t, s).Events(orchestrator.EventsConfig{})
	require.NoError(t, e.Start(t.Context(), workflows.EventInput{Event: event, EndpointIDs: []string{"ep_1", "ep_2"}, By: "app"}, data))
	run := s.Run(workflows.EventWorkflowID("acme", event.ID))
	require.Equal(t, "Event", run.Type)
	require.Equal(t, workflows.TaskQueue, run.Options.TaskQueue)
	require.True(t, run.Options.EnableEagerStart)
	require.True(t, run.Options.WorkflowExecutionErrorWhenAlreadyStarted)
	require.Equal(t, enums.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE, run.Options.WorkflowIDReusePolicy)
	require.Equal(t, map[string]string{"Tenant": "acme", "EventType": "contact.updated", "Outcome": "delivering"}, run.Attributes)

	var in workflows.EventInput
	var raw converter.RawValue
	require.NoError(t, run.Read(&in, &raw))
	require.Equal(t, workflows.EventInput{Event: event, EndpointIDs: []string{"ep_1", "ep_2"}, By: "app"}, in)
	require.Equal(t, string(data), string(raw.Payload().GetData()), "byte for byte")
}

func TestIDForKey(t *testing.T) {
	t.Parallel()
	require.Equal(t, event.ID, orchestrator.IDForKey("acme", "order-1"), "derived ids must stay as they are forever")
	require.NotEqual(t, orchestrator.IDForKey("acme", "a"), orchestrator.IDForKey("acme", "b"))
	require.NotEqual(t, orchestrator.IDForKey("acme", "a"), orchestrator.IDForKey("other", "a"))
}

// TestListsFindWhatADisabledEndpointMissed: the event says so from its start.
func TestListsFindWhatADisabledEndpointMissed(t *testing.T) {
	t.Parallel()
	s := orchestratortest.New()
	e := through(t, s).Events(orchestrator.EventsConfig{})
	require.NoError(t, e.Start(t.Context(), workflows.EventInput{Event: event, Disabled: []string{"ep_1"}, By: "app"}, []byte("1")))
	run := s.Run(workflows.EventWorkflowID("acme", event.ID))
	require.Equal(t, "disabled ep_1", run.Attributes["Endpoint"])
	require.Equal(t, "contact.updated → disabled endpoints alone", run.Options.StaticSummary)
}
