package approvals_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/temporal"

	"hookloop/internal/approvals"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

func TestAnEpisodeIsStartedWithWhatIsSaid(t *testing.T) {
	t.Parallel()
	f := &fakeTemporal{}
	require.NoError(t, approvals.New(f).Resume(t.Context(), "acme", "ep_1", alice))
	require.Equal(t, []string{"resume approval/acme/ep_1"}, f.signals)
	require.Equal(t, []any{alice}, f.args)
	o := f.started[0]
	require.Equal(t, "approval/acme/ep_1", o.ID)
	require.Equal(t, workflows.TaskQueue, o.TaskQueue)
	require.Equal(t, enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, o.WorkflowIDReusePolicy)
	require.Equal(t, temporal.Priority{PriorityKey: 1, FairnessKey: "acme"}, o.Priority)
	require.Equal(t, "approval of ep_1", o.StaticSummary)
	require.Equal(t, temporal.NewSearchAttributes(
		workflows.Tenant.ValueSet("acme"), workflows.Endpoint.ValueSet("ep_1"), workflows.Outcome.ValueSet("watching"),
	), o.TypedSearchAttributes)
}

// reporting runs with a reporter that writes into the log.
func reporting(t *testing.T, f *fakeTemporal, do func(*approvals.Reporter)) (log string) {
	t.Helper()
	var b bytes.Buffer
	synctest.Test(t, func(*testing.T) {
		r := approvals.New(f).NewReporter(slog.New(slog.NewTextHandler(&b, nil)), nil)
		do(r)
		synctest.Wait()
		r.Close()
	})
	return b.String()
}

func wait(d time.Duration) { <-time.After(d) }

// TestTheSameIsNewsAgainAfterAWhile, not a moment before; endpoints of one id are two in two tenants.
func TestTheSameIsNewsAgainAfterAWhile(t *testing.T) {
	t.Parallel()
	f := &fakeTemporal{}
	log := reporting(t, f, func(r *approvals.Reporter) {
		r.Failing("acme", "ep_1", failed, "evt_1")
		r.Failing("other", "ep_1", failed, "evt_1")
		wait(20*time.Second - 1)
		r.Failing("acme", "ep_1", failed, "evt_1")
		synctest.Wait()
		require.Len(t, f.signals, 2)
		wait(1)
		r.Failing("acme", "ep_1", failed, "evt_1")
	})
	require.Equal(t, []string{"failing approval/acme/ep_1", "failing approval/other/ep_1", "failing approval/acme/ep_1"}, f.signals)
	require.Empty(t, log)
}

// TestAfterARecoveryEverythingIsNews, of an endpoint that wants no more as well.
func TestAfterARecoveryEverythingIsNews(t *testing.T) {
	t.Parallel()
	f := &fakeTemporal{}
	gone := webhook.Attempt{StatusCode: 410}
	reporting(t, f, func(r *approvals.Reporter) {
		for range 2 {
			r.Failing("acme", "ep_1", gone, "evt_1")
			r.Failing("acme", "ep_1", gone, "evt_2")
			r.Failing("acme", "ep_1", failed, "evt_3")
			r.Recovered("acme", "ep_1", took, "evt_9", false)
		}
	})
	require.Equal(t, strings.Fields(strings.Repeat("failing failing recovered ", 2)), verbs(f))
	require.Equal(t, []any{
		webhook.Failing{Gone: true, Answer: webhook.Answer{EventID: "evt_1", StatusCode: 410}},
		webhook.Failing{Answer: webhook.Answer{EventID: "evt_3", StatusCode: 503}},
		webhook.Answer{EventID: "evt_9", StatusCode: 204},
	}, f.args[:3])
}

func verbs(f *fakeTemporal) (all []string) {
	for _, s := range f.signals {
		verb, _, _ := strings.Cut(s, " ")
		all = append(all, verb)
	}
	return all
}

// TestARecoveryOfWhatNobodyWasAskedAbout is not even worth a line in the log.
func TestARecoveryOfWhatNobodyWasAskedAbout(t *testing.T) {
	t.Parallel()
	f := &fakeTemporal{err: serviceerror.NewNotFound("no rows")}
	require.Empty(t, reporting(t, f, func(r *approvals.Reporter) { r.Recovered("acme", "ep_1", took, "evt_9", false) }))
	require.Empty(t, f.started, "nor of an episode")
}

// TestWhatCannotBeToldIsLogged without anything the endpoint said.
func TestWhatCannotBeToldIsLogged(t *testing.T) {
	t.Parallel()
	f := &fakeTemporal{err: serviceerror.NewUnavailable("no")}
	said := failed
	said.Error = "Get https://user:hunter2@crm.example"
	log := reporting(t, f, func(r *approvals.Reporter) { r.Failing("acme", "ep_1", said, "evt_1") })
	require.Contains(t, log, "not reported to its approval")
	require.Contains(t, log, "tenant=acme endpoint=ep_1")
	require.NotContains(t, log, "hunter2")
}

// TestTemporalThatHangsCostsTenSeconds, then the next is told.
func TestTemporalThatHangsCostsTenSeconds(t *testing.T) {
	t.Parallel()
	f := &fakeTemporal{hangs: true}
	log := reporting(t, f, func(r *approvals.Reporter) {
		for range 3 {
			r.Recovered("acme", "ep_1", took, "evt_9", false)
		}
		wait(25 * time.Second)
	})
	require.Equal(t, 2, strings.Count(log, context.DeadlineExceeded.Error()), "the third was under way")
}
