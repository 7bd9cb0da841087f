package workflows_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"hookloop/activities"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// answerTo is what came of an update: rejected before it stood in the history, or completed.
type answerTo struct {
	rejected, failed error
	value            any
	completed        bool
}

func updateAfter(env *testsuite.TestWorkflowEnvironment, after time.Duration, name string, args ...any) *answerTo {
	var a answerTo
	env.RegisterDelayedCallback(func() {
		env.UpdateWorkflow(name, "", &testsuite.TestUpdateCallback{
			OnAccept:   func() {},
			OnReject:   func(err error) { a.rejected = err },
			OnComplete: func(v any, err error) { a.value, a.failed, a.completed = v, err, true },
		}, args...)
	}, after)
	return &a
}

func requireNotHeld(t *testing.T, err error) {
	t.Helper()
	app, ok := errors.AsType[*temporal.ApplicationError](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, workflows.TypeNotHeld, app.Type())
}

// heldDelivery has no attempts yet: its first turn finds the endpoint paused.
func heldDelivery() workflows.DeliveryInput {
	in := waiting()
	in.Attempts = nil
	return in
}

func ran(t *testing.T, env *testsuite.TestWorkflowEnvironment, in workflows.DeliveryInput) (r workflows.DeliveryResult, took time.Duration) {
	t.Helper()
	began := env.Now()
	env.ExecuteWorkflow(workflows.Delivery, in)
	require.NoError(t, env.GetWorkflowError())
	require.NoError(t, env.GetWorkflowResult(&r))
	return r, env.Now().Sub(began)
}

func TestAReleaseSendsAHeldDelivery(t *testing.T) {
	t.Parallel()
	env := newEnv(t, &consumer{paused: 1})
	release := updateAfter(env, 10*time.Second, workflows.UpdateRelease)
	again := updateAfter(env, 10*time.Second, workflows.UpdateRelease)
	r, took := ran(t, env, heldDelivery())
	require.Equal(t, workflows.DeliveryResult{Status: webhook.Delivered, Attempts: 1}, r)
	require.Less(t, took, 20*time.Second, "it did not wait to recheck its endpoint by itself")
	require.True(t, release.completed)
	require.NoError(t, release.failed)
	requireNotHeld(t, again.rejected)
}

// TestOnlyAHeldDeliveryIsReleasedOrProbed: what an approval decides sends no delivery before its
// time.
func TestOnlyAHeldDeliveryIsReleasedOrProbed(t *testing.T) {
	t.Parallel()
	parked := heldDelivery()
	parked.Parked = "in circles"
	for name, in := range map[string]workflows.DeliveryInput{"waits for its schedule": waiting(), "is parked": parked} {
		for _, update := range []string{workflows.UpdateRelease, workflows.UpdateProbe} {
			t.Run(name+" "+update, func(t *testing.T) {
				t.Parallel()
				c := &consumer{}
				env := newEnv(t, c)
				answer := updateAfter(env, 10*time.Second, update)
				checkAfter(t, env, 20*time.Second, func() {
					require.Empty(t, c.sent)
					env.SignalWorkflow(workflows.SignalCancel, nil)
				})
				r, _ := ran(t, env, in)
				require.Equal(t, webhook.Cancelled, r.Status)
				requireNotHeld(t, answer.rejected)
				require.False(t, answer.completed)
			})
		}
	}
}

func TestAProbeAnswersWhatCameOfIt(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		answer   int
		held     bool // after it
		attempts int  // in the end
	}{
		"taken":   {204, false, 1},
		"failed":  {503, true, 2},
		"refused": {400, false, 2}, // it goes on by its schedule, and the next oldest is the probe
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &consumer{paused: 1, scripts: map[string][]int{"ep_a": {tc.answer, 200}}}
			env := newEnv(t, c)
			probe := updateAfter(env, 10*time.Second, workflows.UpdateProbe)
			var after webhook.DeliveryReport
			env.RegisterDelayedCallback(func() { after = deliveryReport(t, env) }, 15*time.Second)
			r, _ := ran(t, env, heldDelivery())
			require.True(t, probe.completed)
			require.NoError(t, probe.failed)
			require.Equal(t, webhook.Probe{Made: true, Answer: webhook.Answer{At: happened, EventID: "evt_1", StatusCode: tc.answer}}, probe.value)
			require.Equal(t, workflows.DeliveryResult{Status: webhook.Delivered, Attempts: tc.attempts}, r)
			if tc.attempts > 1 {
				require.Equal(t, tc.held, after.Status == webhook.Held, after.Status)
			}
			if tc.held {
				require.Equal(t, "the probe failed: HTTP 503", after.Reason)
			}
		})
	}
}

// TestAProbeThatIsDeferredWasNotMade: the approval tries another delivery.
func TestAProbeThatIsDeferredWasNotMade(t *testing.T) {
	t.Parallel()
	env := newEnv(t, &consumer{paused: 2})
	probe := updateAfter(env, 10*time.Second, workflows.UpdateProbe)
	r, _ := ran(t, env, heldDelivery())
	require.Equal(t, webhook.Probe{}, probe.value)
	require.Equal(t, workflows.DeliveryResult{Status: webhook.Delivered, Attempts: 1}, r)
}

// TestAProbeIsOneAtATime: what comes while it is under way is refused.
func TestAProbeIsOneAtATime(t *testing.T) {
	t.Parallel()
	env := newEnv(t, &consumer{paused: 1})
	var during []*answerTo
	env.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, args converter.EncodedValues) {
		var turn activities.Turn
		if info.ActivityType.Name == workflows.AttemptActivity && args.Get(&turn) == nil && turn.Probe {
			during = append(during, updateAfter(env, 0, workflows.UpdateRelease), updateAfter(env, 0, workflows.UpdateProbe))
		}
	})
	updateAfter(env, 10*time.Second, workflows.UpdateProbe)
	ran(t, env, heldDelivery())
	require.Len(t, during, 2)
	for _, a := range during {
		requireNotHeld(t, a.rejected)
	}
}

// TestADeliveryThatEndsAnswersItsProbe: an approval would wait for it for ever.
func TestADeliveryThatEndsAnswersItsProbe(t *testing.T) {
	t.Parallel()
	env := newEnv(t, &consumer{paused: 1})
	probe := updateAfter(env, 10*time.Second, workflows.UpdateProbe)
	env.RegisterDelayedCallback(func() { env.SignalWorkflow(workflows.SignalCancel, nil) }, 10*time.Second)
	r, _ := ran(t, env, heldDelivery())
	require.True(t, probe.completed)
	require.Contains(t, []webhook.DeliveryStatus{webhook.Cancelled, webhook.Delivered}, r.Status)
}

// TestABatchOfAReleaseIsHalfAMinute at its pace, within bounds.
func TestABatchOfAReleaseIsHalfAMinute(t *testing.T) {
	t.Parallel()
	for perSecond, limit := range map[float64]int{0.1: 3, 1: 30, 10: 300, 50: 1500, 1000: 5000} {
		w := failingEndpoint(1) // which the probe brings: nothing is left that would wait for the pace
		e := newApproval(t, w)
		var batches []activities.Release
		e.SetOnActivityStartedListener(func(info *activity.Info, _ context.Context, args converter.EncodedValues) {
			var batch activities.Release
			if info.ActivityType.Name == "ReleaseHeld" && args.Get(&batch) == nil {
				batches = append(batches, batch)
			}
		})
		e.signal(2*time.Hour, workflows.SignalApprove, webhook.Decision{RatePerSecond: perSecond})
		r, _ := e.run()
		require.Equal(t, webhook.ApprovalReleased, r.Status)
		require.NotEmpty(t, batches)
		require.Equal(t, limit, batches[0].Limit, "%g a second", perSecond)
		require.Equal(t, activities.EndpointRef{Tenant: "demo", EndpointID: "ep_a"}, batches[0].EndpointRef)
		require.InDelta(t, perSecond, batches[0].RatePerSecond, 0)
	}
}

func deliveryReport(t *testing.T, env *testsuite.TestWorkflowEnvironment) (r webhook.DeliveryReport) {
	t.Helper()
	v, err := env.QueryWorkflow(workflows.QueryReport)
	require.NoError(t, err)
	require.NoError(t, v.Get(&r))
	return r
}
