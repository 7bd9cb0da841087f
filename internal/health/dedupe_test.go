package health_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/health"
	"hookloop/internal/webhook"
)

// reporting runs with a reporter that writes into the log.
func reporting(t *testing.T, f *episodes, do func(*health.Reporter)) (log string) {
	t.Helper()
	var b bytes.Buffer
	synctest.Test(t, func(*testing.T) {
		r := health.NewReporter(f, nil, slog.New(slog.NewTextHandler(&b, nil)))
		do(r)
		synctest.Wait()
		r.Close()
	})
	return b.String()
}

// pass lets the time of the bubble pass.
func pass(d time.Duration) { time.Sleep(d) }

// TestTheSameIsReportedAgainAfterAWhile, not a moment before; endpoints of one id are two in two
// tenants.
func TestTheSameIsReportedAgainAfterAWhile(t *testing.T) {
	t.Parallel()
	f := &episodes{}
	log := reporting(t, f, func(r *health.Reporter) {
		r.Failing("acme", "ep_1", failed, "evt_1")
		r.Failing("other", "ep_1", failed, "evt_1")
		pass(20*time.Second - 1)
		r.Failing("acme", "ep_1", failed, "evt_1")
		synctest.Wait()
		require.Len(t, f.reports, 2)
		pass(1)
		r.Failing("acme", "ep_1", failed, "evt_1")
	})
	require.Equal(t, []string{"failing acme/ep_1", "failing other/ep_1", "failing acme/ep_1"}, f.reports)
	require.Empty(t, log)
}

// TestAfterARecoveryEverythingIsReported, of an endpoint that wants no more as well.
func TestAfterARecoveryEverythingIsReported(t *testing.T) {
	t.Parallel()
	f := &episodes{}
	gone := webhook.Attempt{StatusCode: 410}
	reporting(t, f, func(r *health.Reporter) {
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

func verbs(f *episodes) (all []string) {
	for _, s := range f.reports {
		verb, _, _ := strings.Cut(s, " ")
		all = append(all, verb)
	}
	return all
}

// TestARecoveryBeginsNoEpisode is not even worth a line in the log.
func TestARecoveryBeginsNoEpisode(t *testing.T) {
	t.Parallel()
	f := &episodes{}
	require.Empty(t, reporting(t, f, func(r *health.Reporter) { r.Recovered("acme", "ep_1", took, "evt_9", false) }))
	require.Equal(t, []bool{false}, f.begins, "nor of an episode")
}

// TestWhatCannotBeReportedIsLogged without anything the endpoint said.
func TestWhatCannotBeReportedIsLogged(t *testing.T) {
	t.Parallel()
	f := &episodes{err: errors.New("no")}
	said := failed
	said.Error = "Get https://user:hunter2@crm.example"
	log := reporting(t, f, func(r *health.Reporter) { r.Failing("acme", "ep_1", said, "evt_1") })
	require.Contains(t, log, "not reported to its approval")
	require.Contains(t, log, "tenant=acme endpoint=ep_1")
	require.NotContains(t, log, "hunter2")
}

// TestAReportThatHangsCostsTenSeconds, then the next is told.
func TestAReportThatHangsCostsTenSeconds(t *testing.T) {
	t.Parallel()
	f := &episodes{hangs: true}
	log := reporting(t, f, func(r *health.Reporter) {
		for range 3 {
			r.Recovered("acme", "ep_1", took, "evt_9", false)
		}
		pass(25 * time.Second)
	})
	require.Equal(t, 2, strings.Count(log, context.DeadlineExceeded.Error()), "the third was under way")
}
