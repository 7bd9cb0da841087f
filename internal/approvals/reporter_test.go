package approvals_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"hookloop/internal/approvals"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// fakeTemporal takes note of signals.
type fakeTemporal struct {
	approvals.Client
	mu      sync.Mutex
	signals []string
	started []client.StartWorkflowOptions
	args    []any
	hangs   bool
	err     error
}

func (f *fakeTemporal) note(ctx context.Context, id, signal string, arg any) error {
	if f.hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.signals, f.args = append(f.signals, signal+" "+id), append(f.args, arg)
	return f.err
}

func (f *fakeTemporal) SignalWithStartWorkflow(ctx context.Context, id, signal string, arg any, o client.StartWorkflowOptions, _ any, _ ...any) (client.WorkflowRun, error) {
	f.started = append(f.started, o)
	return nil, f.note(ctx, id, signal, arg)
}

func (f *fakeTemporal) SignalWorkflow(ctx context.Context, id, _, signal string, arg any) error {
	return f.note(ctx, id, signal, arg)
}

var (
	failed  = webhook.Attempt{Number: 1, StatusCode: 503, ResponseBody: "hunter2"}
	took    = webhook.Attempt{Number: 1, StatusCode: 204, ResponseBody: "hunter2"}
	refused = webhook.Attempt{Number: 1, StatusCode: 400, ResponseBody: "hunter2"}
)

func TestManyFailuresAreFewNews(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fakeTemporal{}
		r := approvals.New(f).NewReporter(slog.New(slog.DiscardHandler), nil)
		defer r.Close()
		for range 60 { // a minute of failing
			for range 100 {
				r.Failing("acme", "ep_1", failed, "evt_1")
			}
			<-time.After(time.Second)
		}
		synctest.Wait()
		require.Len(t, f.signals, 3)
		require.Equal(t, "failing approval/acme/ep_1", f.signals[0])
		require.Equal(t, webhook.Failing{Answer: webhook.Answer{EventID: "evt_1", StatusCode: 503}}, f.args[0], "no body")
		require.Equal(t, enums.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, f.started[0].WorkflowIDReusePolicy)
		outcome, _ := f.started[0].TypedSearchAttributes.GetKeyword(workflows.Outcome)
		require.Equal(t, "watching", outcome)

		r.Failing("acme", "ep_1", webhook.Attempt{StatusCode: 410}, "evt_1")
		r.Failing("acme", "ep_2", failed, "evt_1")
		r.Recovered("acme", "ep_1", took, "evt_9", false)
		r.Failing("acme", "ep_1", failed, "evt_1")
		synctest.Wait()
		require.Equal(t, []string{
			"failing approval/acme/ep_1", "failing approval/acme/ep_2", "recovered approval/acme/ep_1", "failing approval/acme/ep_1",
		}, f.signals[3:], "410 says more, another endpoint is another, and to fail again is news")
	})
}

func TestDeliveriesDoNotWaitForTemporal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		r := approvals.New(&fakeTemporal{hangs: true}).NewReporter(slog.New(slog.NewTextHandler(&log, nil)), nil)
		began := time.Now()
		for range 5000 {
			r.Recovered("acme", "ep_1", took, "evt_9", false)
		}
		require.Zero(t, time.Since(began))
		r.Close()
		require.Zero(t, time.Since(began), "nor does the end")
		require.Contains(t, log.String(), "too much to report")
	})
}

func TestNoEpisodeToEndIsFine(t *testing.T) {
	t.Parallel()
	f := &fakeTemporal{err: serviceerror.NewNotFound("none")}
	a := approvals.New(f)
	require.NoError(t, a.End(t.Context(), "acme", "ep_1", webhook.End{Kind: webhook.EndPaused}))
	f.err = errors.New("away")
	require.ErrorIs(t, a.End(t.Context(), "acme", "ep_1", webhook.End{Kind: webhook.EndPaused}), f.err)
	require.Empty(t, f.started)
	f.err = nil
	require.NoError(t, a.End(t.Context(), "acme", "ep_1", webhook.End{Kind: webhook.EndDeleted}))
	require.Len(t, f.started, 1, "its deliveries are to end")
}

// TestRefusalsAreNews once in twenty seconds, and of no breaker: others send on.
func TestRefusalsAreNews(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, o := &fakeTemporal{}, &openings{}
		r := approvals.New(f).NewReporter(slog.New(slog.DiscardHandler), o)
		defer r.Close()
		since := time.Now().Add(-time.Minute)
		for range 3 {
			r.Refuses("acme", "ep_1", refused, "evt_5", since)
		}
		r.Recovered("acme", "ep_1", took, "evt_6", false)
		r.Refuses("acme", "ep_1", refused, "evt_7", since)
		synctest.Wait()
		require.Equal(t, []string{"failing approval/acme/ep_1", "recovered approval/acme/ep_1", "failing approval/acme/ep_1"}, f.signals)
		since = since.UTC()
		require.Equal(t, webhook.Failing{Answer: webhook.Answer{EventID: "evt_5", StatusCode: 400}, RefusesSince: &since}, f.args[0])
		require.Equal(t, 5*time.Minute, o.ago[0])
	})
}

// openings takes note of what workers are told, as how long ago it was.
type openings struct{ ago []time.Duration }

func (o *openings) ReportBreaker(_ context.Context, _, _ string, at time.Time) error {
	o.ago = append(o.ago, time.Since(at))
	return nil
}

// TestADeliveryThatPersistsOpensNoBreaker: others know of it and send on, and the breaker that opens next is news.
func TestADeliveryThatPersistsOpensNoBreaker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, o := &fakeTemporal{}, &openings{}
		r := approvals.New(f).NewReporter(slog.New(slog.DiscardHandler), o)
		defer r.Close()
		for range 3 {
			r.Persists("acme", "ep_1", failed, "evt_1")
		}
		r.Failing("acme", "ep_1", failed, "evt_2")
		synctest.Wait()
		require.Equal(t, []string{"failing approval/acme/ep_1", "failing approval/acme/ep_1"}, f.signals)
		require.Equal(t, []time.Duration{5 * time.Minute, 0}, o.ago)
	})
}
