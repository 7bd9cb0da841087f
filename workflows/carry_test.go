package workflows

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"

	"hookloop/activities"
	"hookloop/internal/webhook"
)

// A field that is added to a workflow's state and forgotten in its carry would be lost with the
// first continue-as-new, without a word. So each state below has a value in every field, which the
// tests hold, and the run that continues must begin with the same state.

func TestAnApprovalCarriesItsWholeState(t *testing.T) {
	t.Parallel()
	now, n := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC), 7
	d := webhook.Decision{By: "alice", Reason: "mended", RatePerSecond: 5}
	answer := webhook.Answer{At: now, EventID: "evt_1", StatusCode: 503, Failure: webhook.FailureReset, Directive: webhook.DirectiveAbort}
	a := &approval{
		in: ApprovalInput{Tenant: "demo", EndpointID: "ep_1"},
		report: webhook.ApprovalReport{
			EndpointID: "ep_1", Status: webhook.ApprovalReleasing, Reason: "approved", FailingSince: &now, AskAt: &now,
			AskedAt: &now, DecideBy: &now, LastAnswers: []webhook.Answer{answer}, Waiting: &n, CountedAt: &now,
			Decided: webhook.DecidedApprove, Decision: &d, DecidedAt: &now, Released: 3, WorkflowID: "approval/demo/ep_1", RunID: "run",
		},
		facts:    activities.EndpointFacts{State: webhook.EndpointActive, Host: "crm.example", After: time.Hour, Timeout: time.Minute, Named: true},
		reminded: 1, counted: 2, probes: 3, announced: 4, byHand: true, asking: "it fails", renew: true,
		outcome: webhook.ApprovalReleasing, ignored: "nonsense",
		inbox: approvalInbox{
			Failing: 1, Gone: true, RefusesSince: &now, Recovered: &answer, Approve: &d, Reject: &d, Resume: &d,
			End: &webhook.End{Kind: webhook.EndPaused, Instruction: webhook.Instruction{By: "bob", Reason: "maintenance"}},
		},
	}
	requireFilled(t, *a, "Carried")
	next := newApproval(throughJSON(t, a.carry()))
	a.renew = false // the new run is not cancelled
	require.Equal(t, a, next)
}

func TestADeliveryCarriesItsWholeState(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	by := webhook.Instruction{By: "alice", Reason: "wrong customer"}
	attempt := webhook.Attempt{
		Number: 2, At: now, StatusCode: 503, DurationMS: 5, Failure: webhook.FailureReset, Error: "reset", ResponseBody: "body",
		RetryAfterMS: 1000, Directive: webhook.DirectiveAbort, EndpointVersion: 3,
	}
	d := &delivery{
		in: DeliveryInput{
			Event: webhook.Event{Tenant: "demo", ID: "evt_1"}, EventRunID: "run", EndpointID: "ep_1", AcceptedAt: now,
			Schedule: webhook.Schedule{0, time.Hour}, Attempts: []webhook.Attempt{attempt}, Redelivery: &by, Parked: "in circles",
			Deferral: &webhook.Deferral{Reason: webhook.DeferBreaker},
		},
		report: webhook.DeliveryReport{
			EndpointID: "ep_1", Status: webhook.Held, Reason: "held", Attempts: []webhook.Attempt{attempt}, NextAttemptAt: &now,
			Schedule: webhook.Schedule{0}, WorkflowID: DeliveryWorkflowID("demo", "evt_1", "ep_1"),
		},
		next: time.Minute, deferrals: 4, outcome: string(webhook.ApprovalAwaiting), parkedUntil: now, probing: true, ignored: "nonsense",
		inbox: deliveryInbox{RetryNow: true, Cancel: &by, Recheck: true, Release: true, Probe: true},
	}
	requireFilled(t, *d, "Event", "Deferral", "Carried")
	next := newDelivery(throughJSON(t, d.carry()))
	next.in.Carried = nil
	d.in.Deferral = nil          // how it began is in its status
	d.report.NextAttemptAt = nil // a wait sets it
	d.report.Schedule = nil      // the answer to a question has it
	d.probing = false            // no run ends while an update is answered
	require.Equal(t, d, next)
}

// requireFilled holds that no field of a struct is zero, nor any of the structs in it, but those
// named.
func requireFilled(t *testing.T, state any, but ...string) {
	t.Helper()
	var walk func(path string, v reflect.Value)
	walk = func(path string, v reflect.Value) {
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			name, f := v.Type().Field(i).Name, v.Field(i)
			if slices.Contains(but, name) {
				continue
			}
			require.False(t, f.IsZero(), "give %s.%s a value here, and carry it", path, name)
			if f.Kind() == reflect.Pointer {
				f = f.Elem()
			}
			if f.Kind() == reflect.Struct {
				walk(path+"."+name, f)
			}
		}
	}
	walk(reflect.TypeOf(state).Name(), reflect.ValueOf(state))
}

func throughJSON[T any](t *testing.T, in T) (out T) {
	t.Helper()
	p, err := converter.GetDefaultDataConverter().ToPayload(in)
	require.NoError(t, err)
	require.NoError(t, converter.GetDefaultDataConverter().FromPayload(p, &out))
	return out
}
