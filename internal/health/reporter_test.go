package health_test

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/health"
	"hookloop/internal/webhook"
)

// episodes takes note of reports, and whether one may begin an episode.
type episodes struct {
	reports []string
	args    []any
	begins  []bool
	hangs   bool
	err     error
}

func (e *episodes) note(ctx context.Context, what, tenant, endpointID string, arg any, begins bool) error {
	if e.hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	e.reports, e.args, e.begins = append(e.reports, what+" "+tenant+"/"+endpointID), append(e.args, arg), append(e.begins, begins)
	return e.err
}

func (e *episodes) Failing(ctx context.Context, tenant, endpointID string, f webhook.Failing) error {
	return e.note(ctx, "failing", tenant, endpointID, f, true)
}

func (e *episodes) Recovered(ctx context.Context, tenant, endpointID string, took webhook.Answer, waiting bool) error {
	return e.note(ctx, "recovered", tenant, endpointID, took, waiting)
}

var (
	failed  = webhook.Attempt{Number: 1, StatusCode: 503, ResponseBody: "hunter2"}
	took    = webhook.Attempt{Number: 1, StatusCode: 204, ResponseBody: "hunter2"}
	refused = webhook.Attempt{Number: 1, StatusCode: 400, ResponseBody: "hunter2"}
)

func TestManyFailuresAreFewReports(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &episodes{}
		r := health.NewReporter(f, nil, slog.New(slog.DiscardHandler))
		defer r.Close()
		for range 60 { // a minute of failing
			for range 100 {
				r.Failing("acme", "ep_1", failed, "evt_1")
			}
			time.Sleep(time.Second)
		}
		synctest.Wait()
		require.Len(t, f.reports, 3)
		require.Equal(t, "failing acme/ep_1", f.reports[0])
		require.Equal(t, webhook.Failing{Answer: webhook.Answer{EventID: "evt_1", StatusCode: 503}}, f.args[0], "no body")

		r.Failing("acme", "ep_1", webhook.Attempt{StatusCode: 410}, "evt_1")
		r.Failing("acme", "ep_2", failed, "evt_1")
		r.Recovered("acme", "ep_1", took, "evt_9", false)
		r.Failing("acme", "ep_1", failed, "evt_1")
		synctest.Wait()
		require.Equal(t, []string{
			"failing acme/ep_1", "failing acme/ep_2", "recovered acme/ep_1", "failing acme/ep_1",
		}, f.reports[3:], "410 says more, another endpoint is another, and to fail again is news")
	})
}

func TestDeliveriesDoNotWaitForReports(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		r := health.NewReporter(&episodes{hangs: true}, nil, slog.New(slog.NewTextHandler(&log, nil)))
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

// TestRefusalsAreReported once in twenty seconds, and of no breaker: others send on.
func TestRefusalsAreReported(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, o := &episodes{}, &openings{}
		r := health.NewReporter(f, o, slog.New(slog.DiscardHandler))
		defer r.Close()
		since := time.Now().Add(-time.Minute)
		for range 3 {
			r.Refuses("acme", "ep_1", refused, "evt_5", since)
		}
		r.Recovered("acme", "ep_1", took, "evt_6", false)
		r.Refuses("acme", "ep_1", refused, "evt_7", since)
		synctest.Wait()
		require.Equal(t, []string{"failing acme/ep_1", "recovered acme/ep_1", "failing acme/ep_1"}, f.reports)
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

// TestADeliveryThatPersistsOpensNoBreaker: others know of it and send on, and the breaker that
// opens next is news.
func TestADeliveryThatPersistsOpensNoBreaker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, o := &episodes{}, &openings{}
		r := health.NewReporter(f, o, slog.New(slog.DiscardHandler))
		defer r.Close()
		for range 3 {
			r.Persists("acme", "ep_1", failed, "evt_1")
		}
		r.Failing("acme", "ep_1", failed, "evt_2")
		synctest.Wait()
		require.Equal(t, []string{"failing acme/ep_1", "failing acme/ep_1"}, f.reports)
		require.Equal(t, []time.Duration{5 * time.Minute, 0}, o.ago)
	})
}
