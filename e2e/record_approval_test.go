package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"

	"hookloop/internal/endpointtest"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// recordAsked has two deliveries held for an endpoint that wanted no more, and lets a person
// decide.
func recordAsked(t *testing.T, a app, decide func(endpointID string), end webhook.ApprovalStatus) event {
	t.Helper()
	_, e, ids := a.asked(t, "410:1", 2)
	decide(e.ID)
	a.approval(t, e.ID, end)
	a.ended(t, ids[1])
	return a.ended(t, ids[0])
}

func (a app) say(t *testing.T, path, body string) func(endpointID string) {
	t.Helper()
	return func(id string) { a.call(t, http.StatusAccepted, http.MethodPost, "/approvals/"+id+path, body, nil) }
}

func recordApproved(t *testing.T, a app) event {
	return recordAsked(t, a, a.say(t, "/approve", `{"reason":"mended","rate_per_second":50}`), webhook.ApprovalReleased)
}

func recordRejected(t *testing.T, a app) event {
	return recordAsked(t, a, a.say(t, "/reject", ""), webhook.ApprovalRejected)
}

func recordHeldDeleted(t *testing.T, a app) event {
	return recordAsked(t, a, func(id string) {
		a.call(t, http.StatusNoContent, http.MethodDelete, "/endpoints/"+id, "", nil)
	}, webhook.ApprovalCancelled)
}

func recordPaused(t *testing.T, a app) event {
	return recordAsked(t, a, func(id string) {
		a.call(t, http.StatusAccepted, http.MethodPost, "/endpoints/"+id+"/pause", "", nil)
		a.approval(t, id, webhook.ApprovalCancelled)
		a.call(t, http.StatusAccepted, http.MethodPost, "/endpoints/"+id+"/resume", "", nil)
	}, webhook.ApprovalReleased)
}

func recordProbeFailed(t *testing.T, a app) event {
	_, e, ids := a.asked(t, "410:2 200", 2)
	approve := a.say(t, "/approve", "")
	approve(e.ID)
	eventually(t, "people are asked again", func() bool {
		return a.approval(t, e.ID, webhook.ApprovalAwaiting).Reason == "the probe failed: HTTP 410"
	})
	approve(e.ID)
	a.approval(t, e.ID, webhook.ApprovalReleased)
	return a.ended(t, ids[0])
}

func recordUnanswered(t *testing.T, a app) event {
	_, e := a.listen(t, endpointtest.Config{Script: "410"}, `,"approval":{"timeout":"1s"}`)
	id := a.post(t, `{"type":"contact.updated","data":0}`).ID
	a.approval(t, e.ID, webhook.ApprovalRejected)
	return a.ended(t, id)
}

// recordRecovers has an endpoint that fails until its breaker opens, and then takes what comes.
func recordRecovers(t *testing.T, a app) event {
	s, e := a.listen(t, endpointtest.Config{Script: "500:5"}, `,"schedule":["0s","1ms","1ms","1ms","1ms","1ms"]`)
	id := a.post(t, `{"type":"contact.updated","data":0}`).ID
	a.approval(t, e.ID, webhook.ApprovalWatching)
	arrive(t, s, 6)
	a.approval(t, e.ID, webhook.ApprovalRecovered)
	return a.ended(t, id)
}

// recordAsks has an endpoint that fails for longer than it may.
func recordAsks(t *testing.T, a app) event {
	_, e := a.listen(t, endpointtest.Config{Script: "500:5"}, `,"schedule":["0s","1ms","1ms","1ms","1ms","1ms"],"approval":{"after":"1s"}`)
	id := a.post(t, `{"type":"contact.updated","data":0}`).ID
	a.approval(t, e.ID, webhook.ApprovalAwaiting)
	a.isHeld(t, id)
	a.say(t, "/approve", "")(e.ID)
	require.Equal(t, 1, a.approval(t, e.ID, webhook.ApprovalReleased).Released)
	return a.ended(t, id)
}

// The next three say something while an approval is about to end.

// recordResumedLate resumes an endpoint while its rejection is being announced.
func recordResumedLate(t *testing.T, a app) event {
	return recordAsked(t, a, func(id string) {
		a.say(t, "/reject", "")(id)
		announced(t, a, id, webhook.EventEndpointRejected)
		a.tell(t, id, workflows.SignalResume, webhook.Decision{By: "dev", Reason: "they are back"})
	}, webhook.ApprovalReleased)
}

// recordReleasedLate resumes an endpoint while it is being announced that all was released.
func recordReleasedLate(t *testing.T, a app) event {
	return recordAsked(t, a, func(id string) {
		a.say(t, "/approve", `{"rate_per_second":50}`)(id)
		announced(t, a, id, webhook.EventEndpointRecovered)
		a.tell(t, id, workflows.SignalResume, webhook.Decision{By: "dev", Reason: "to be sure"})
	}, webhook.ApprovalReleased)
}

// recordChangedMind pauses an endpoint and resumes it at once.
func recordChangedMind(t *testing.T, a app) event {
	return recordAsked(t, a, func(id string) {
		a.tell(t, id, workflows.SignalEnd, webhook.End{Kind: webhook.EndPaused, Instruction: webhook.Instruction{By: "dev"}})
		a.tell(t, id, workflows.SignalResume, webhook.Decision{By: "dev", Reason: "wrong endpoint"})
	}, webhook.ApprovalReleased)
}

// tell signals an endpoint's approval without a detour over the gateway.
func (a app) tell(t *testing.T, endpointID, signal string, arg any) {
	t.Helper()
	id := workflows.ApprovalWorkflowID(a.p.Tenant, endpointID)
	require.NoError(t, a.p.dial(t).SignalWorkflow(t.Context(), id, "", signal, arg))
}

// announced returns as soon as an announcement is under way.
func announced(t *testing.T, a app, endpointID, eventType string) {
	t.Helper()
	events := a.p.dial(t).GetWorkflowHistory(t.Context(), workflows.ApprovalWorkflowID(a.p.Tenant, endpointID), "", true,
		enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		require.NoError(t, err)
		scheduled := e.GetActivityTaskScheduledEventAttributes()
		if scheduled.GetActivityType().GetName() == "Announce" && strings.Contains(scheduled.GetInput().String(), eventType) {
			return
		}
	}
	t.Fatalf("%s was not announced", eventType)
}
