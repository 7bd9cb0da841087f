package audit_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/types/known/timestamppb"

	"hookloop/api"
	"hookloop/internal/audit"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// signalled is the history of an approval that got a signal, whose worker has a principal.
func signalled(t *testing.T, name string, input any, by, worker *commonpb.Principal) webhook.AuditLine {
	t.Helper()
	payload, err := converter.GetDefaultDataConverter().ToPayload(input)
	require.NoError(t, err)
	start := &historypb.HistoryEvent{
		EventType: enums.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, EventTime: timestamppb.New(time.Unix(1, 0)),
		Attributes: &historypb.HistoryEvent_WorkflowExecutionStartedEventAttributes{WorkflowExecutionStartedEventAttributes: &historypb.WorkflowExecutionStartedEventAttributes{
			WorkflowId: "approval/acme/ep_1", WorkflowType: &commonpb.WorkflowType{Name: workflows.TypeApproval},
		}},
	}
	done := &historypb.HistoryEvent{EventType: enums.EVENT_TYPE_WORKFLOW_TASK_COMPLETED, Principal: worker}
	signal := &historypb.HistoryEvent{
		EventType: enums.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED, Principal: by,
		Attributes: &historypb.HistoryEvent_WorkflowExecutionSignaledEventAttributes{WorkflowExecutionSignaledEventAttributes: &historypb.WorkflowExecutionSignaledEventAttributes{
			SignalName: name, Identity: "mallory@ui", Input: &commonpb.Payloads{Payloads: []*commonpb.Payload{payload}},
		}},
	}
	lines := audit.NewTrail(&historypb.History{Events: []*historypb.HistoryEvent{start, done, signal}}).Lines
	require.Len(t, lines, 2)
	return lines[1]
}

// TestWho tells what the server knows from what was only claimed.
func TestWho(t *testing.T) {
	t.Parallel()
	account := &commonpb.Principal{Type: "jwt", Name: "hookloop-prod"}
	for name, tc := range map[string]struct {
		by, worker          *commonpb.Principal
		claim               string
		actor, via, claimed string
	}{
		"no principal":                {nil, nil, "alice", "", "", "alice"},
		"no principal, and no claim":  {nil, nil, "", "", "", "mallory@ui"},
		"the API":                     {&commonpb.Principal{Type: "api", Name: "Zo%C3%AB"}, account, "Zoë", "Zoë", "api", ""},
		"the API for another":         {&commonpb.Principal{Type: "api", Name: "zoe"}, account, "alice", "zoe", "api", "alice"},
		"the UI":                      {&commonpb.Principal{Type: "temporal-ui", Name: "anonymous"}, account, "alice", "", "temporal-ui", "alice"},
		"the UI, unnamed":             {&commonpb.Principal{Type: "temporal-ui", Name: "anonymous"}, account, "", "", "temporal-ui", "mallory@ui"},
		"the network":                 {&commonpb.Principal{Type: "temporal", Name: "anonymous"}, account, "alice", "", "temporal", "alice"},
		"a worker of dev":             {&commonpb.Principal{Type: "hookloop", Name: "hookloop"}, account, "", "hookloop", "hookloop", ""},
		"the gateway's account":       {account, account, "alice", "alice", "api", ""},
		"the worker's account":        {account, account, "", "hookloop", "hookloop", ""},
		"another account":             {&commonpb.Principal{Type: "jwt", Name: "mallory"}, account, "alice", "mallory", "temporal", "alice"},
		"an account, workers unknown": {account, nil, "alice", "hookloop-prod", "temporal", "alice"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := signalled(t, workflows.SignalApprove, webhook.Decision{By: tc.claim, Reason: "r"}, tc.by, tc.worker)
			require.Equal(t, webhook.AuditApprove, l.Kind)
			require.Equal(t, []string{tc.actor, tc.via, tc.claimed, "r"}, []string{l.Actor, string(l.Via), l.ActorClaimed, l.Reason})
		})
	}
}

// TestASignalsNameIsNoKind: not one that is a kind, or another workflow's signal.
func TestASignalsNameIsNoKind(t *testing.T) {
	t.Parallel()
	for _, m := range append(api.AuditKinds(), api.AuditMeaning{Kind: "an unknown one"}, api.AuditMeaning{Kind: "event-ended"}) {
		name := string(m.Kind)
		l := signalled(t, name, map[string]string{"by": "alice", "reason": "attempt 2: HTTP 200 in 5 ms"}, nil, nil)
		if slices.Contains([]string{"approve", "reject", "failing", "recovered", "resume"}, name) {
			continue // an approval acts on these
		}
		require.Equal(t, []string{"signal", name, "alice"}, []string{string(l.Kind), l.Name, l.ActorClaimed})
		require.Zero(t, l.Attempt+l.StatusCode)
	}
}

// TestTheKindsAreDocumented, in the enum of the API and in docs/audit.md.
func TestTheKindsAreDocumented(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/audit.md")
	require.NoError(t, err)
	spec, err := os.ReadFile("../../gateway/testdata/openapi.json")
	require.NoError(t, err)
	var openapi struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]struct{ Enum []string }
			}
		}
	}
	require.NoError(t, json.Unmarshal(spec, &openapi))
	var all []string
	for _, m := range api.AuditKinds() {
		require.Contains(t, string(doc), "| `"+string(m.Kind)+"` | "+m.Meaning+" |\n")
		all = append(all, string(m.Kind))
	}
	require.ElementsMatch(t, openapi.Components.Schemas["AuditLine"].Properties["kind"].Enum, all)
	_, table, _ := strings.Cut(string(doc), "| kind | what happened |\n|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	require.Len(t, strings.Split(table, "\n"), len(all))
}
