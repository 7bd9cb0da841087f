package e2e

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
	"hookloop/internal/signature"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// TestTrouble is what happens to a delivery that did not arrive at once.
func TestTrouble(t *testing.T) {
	t.Parallel()
	p := start(t, filepath.Join(t.TempDir(), "data"))
	for name, test := range map[string]func(*testing.T, app){
		"an endpoint edited meanwhile":    editsMeanwhile,
		"Retry-After":                     retriesAfter,
		"410 holds":                       func(t *testing.T, a app) { holds(t, a, endpointtest.Config{Script: "410"}, "410 Gone") },
		"disable holds":                   disables,
		"abort-message":                   aborts,
		"an open breaker sends nothing":   breakerOpens,
		"a refused payload opens nothing": refusesPayloads,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mine := *p
			mine.Tenant = strings.ToLower(strings.ReplaceAll(name, " ", "-"))
			test(t, app{&mine})
		})
	}
}

// editsMeanwhile moves the endpoint, gives it another secret and a schedule that would be spent:
// the delivery under way goes to the new place, signed anew, by the schedule it began with.
func editsMeanwhile(t *testing.T, a app) {
	old, e := a.listen(t, endpointtest.Config{Script: "503"}, `,"schedule":["0s","24h","100ms"]`)
	ev := a.post(t, `{"type":"contact.updated","data":1}`)
	a.attempted(t, ev.ID, 1)
	moved := endpointtest.Start(t, endpointtest.Config{Script: "503:1"})
	a.call(t, http.StatusOK, http.MethodPatch, "/endpoints/"+e.ID, `{"url":"`+moved.URL+`","schedule":["0s"]}`, nil)
	var next struct{ Secret string }
	a.call(t, http.StatusOK, http.MethodPost, "/endpoints/"+e.ID+"/secret/rotate", `{"overlap":"0s"}`, &next)
	secret, err := signature.ParseSecret(next.Secret)
	require.NoError(t, err)
	moved.Trust(secret)

	hurry(t, a, ev.ID, e.ID)
	d := a.settled(t, ev.ID)
	require.Equal(t, webhook.Delivered, d.Status)
	require.Len(t, d.Attempts, 3)
	require.Equal(t, []int{1, 3, 3}, []int{
		d.Attempts[0].EndpointVersion, d.Attempts[1].EndpointVersion, d.Attempts[2].EndpointVersion,
	})
	arrivedAs(t, old, ev.ID, 1)
	arrivedAs(t, moved, ev.ID, 2)
}

// TestCrashWhileWaiting kills the process while a delivery waits: the next attempt stays where it
// was, and number and schedule go on. Operators end the waits: how long it takes to start again is
// the machine's affair.
func TestCrashWhileWaiting(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data)
	s, made := app{p}.listen(t, endpointtest.Config{Script: "503:2"}, `,"schedule":["0s","1h","24h"]`)
	e := app{p}.post(t, `{"type":"contact.updated","data":1}`)
	for n, wait := range []time.Duration{time.Hour, 24 * time.Hour} {
		waits := func(d webhook.DeliveryReport) bool { return len(d.Attempts) == n+1 && d.NextAttemptAt != nil }
		before := app{p}.delivery(t, e.ID, "waits", waits)
		p.kill(syscall.SIGKILL)
		p = start(t, data)
		after := app{p}.delivery(t, e.ID, "waits", waits)
		require.Equal(t, before.NextAttemptAt, after.NextAttemptAt)
		require.GreaterOrEqual(t, after.NextAttemptAt.Sub(after.Attempts[n].At), wait*8/10)
		hurry(t, app{p}, e.ID, made.ID)
	}
	d := app{p}.settled(t, e.ID)
	require.Equal(t, webhook.Delivered, d.Status)
	require.Len(t, d.Attempts, 3)
	arrivedAs(t, s, e.ID, 3)
}

func retriesAfter(t *testing.T, a app) {
	s, _ := a.listen(t, endpointtest.Config{Script: "429:1", Header: http.Header{"Retry-After": {"2"}}},
		`,"schedule":["0s","10ms","10ms"]`)
	e := a.post(t, `{"type":"contact.updated","data":1}`)
	d := a.settled(t, e.ID)
	require.Equal(t, webhook.Delivered, d.Status)
	require.Len(t, d.Attempts, 2)
	require.EqualValues(t, 2000, d.Attempts[0].RetryAfterMS)
	require.GreaterOrEqual(t, d.Attempts[1].At.Sub(d.Attempts[0].At), 2*time.Second)
	arrivedAs(t, s, e.ID, 2)
}

func disables(t *testing.T, a app) {
	holds(t, a, endpointtest.Config{Script: "500", Header: http.Header{"Webhook-Delivery": {"disable"}}}, "disable")
}

// holds: the delivery waits for a person, says why, and operators can list it.
func holds(t *testing.T, a app, cfg endpointtest.Config, why string) {
	s, _ := a.listen(t, cfg, `,"schedule":["0s","10ms","10ms"]`)
	e := a.post(t, `{"type":"contact.updated","data":1}`)
	d := a.delivery(t, e.ID, "is held", func(d webhook.DeliveryReport) bool { return d.Status == webhook.Held })
	require.Contains(t, d.Reason, why)
	require.Len(t, d.Attempts, 1)
	require.Equal(t, "delivering", a.event(t, e.ID).Status)
	c := a.p.dial(t)
	eventually(t, "the Temporal UI shows it as held", func() bool {
		x, err := c.DescribeWorkflow(t.Context(), d.WorkflowID, "")
		if err != nil {
			return false
		}
		outcome, _ := x.TypedSearchAttributes.GetKeyword(workflows.Outcome)
		return outcome == string(webhook.Held)
	})
	arrivedAs(t, s, e.ID, 1)
}

func aborts(t *testing.T, a app) {
	s, _ := a.listen(t, endpointtest.Config{Script: "422", Header: http.Header{"Webhook-Delivery": {"abort-message"}}},
		`,"schedule":["0s","10ms","10ms"]`)
	e := a.post(t, `{"type":"contact.updated","data":1}`)
	d := a.settled(t, e.ID)
	require.Equal(t, webhook.Rejected, d.Status)
	require.Contains(t, d.Reason, "abort-message")
	require.Len(t, d.Attempts, 1)
	require.Equal(t, "failed", a.ended(t, e.ID).Status)
	arrivedAs(t, s, e.ID, 1)
}

// breakerOpens after five failures in a row: what comes then waits, without a request and without
// an attempt, until a probe finds the endpoint well.
func breakerOpens(t *testing.T, a app) {
	const failures, deferred = 5, 4
	s, _ := a.listen(t, endpointtest.Config{Script: fmt.Sprintf("500:%d", failures)}, `,"schedule":["0s","24h"]`)
	for range failures {
		a.attempted(t, a.post(t, `{"type":"contact.updated","data":"fails"}`).ID, 1)
	}
	ids := map[string]bool{}
	for range deferred {
		id := a.post(t, `{"type":"contact.updated","data":"waits"}`).ID
		d := a.delivery(t, id, "is deferred", func(d webhook.DeliveryReport) bool { return d.NextAttemptAt != nil })
		require.Contains(t, d.Reason, "the endpoint keeps failing")
		require.Empty(t, d.Attempts)
		ids[id] = true
	}

	first := receipts(t, s, failures+1)[failures].ID
	requireShut(t, s, failures)
	require.True(t, ids[first], "the probe is one of those that waited")
	a.settled(t, first)   // and with it the breaker is closed
	for id := range ids { // the others are told
		d := a.settled(t, id)
		require.Equal(t, webhook.Delivered, d.Status)
		require.Len(t, d.Attempts, 1, "a deferral is no attempt")
	}
	require.Len(t, s.Receipts(), failures+deferred)
}

// requireShut: after so many failures an open breaker lets nothing through for five seconds.
func requireShut(t *testing.T, s *endpointtest.Server, failures int) {
	t.Helper()
	all := s.Receipts()
	for _, r := range all[failures:] {
		require.GreaterOrEqual(t, r.At.Sub(all[failures-1].At), 4*time.Second)
	}
}

// hurry asks for the next attempt now, until a worker has heard it. One that was made meanwhile
// needs none.
func hurry(t *testing.T, a app, id, endpointID string) {
	t.Helper()
	eventually(t, "retry-now is heard", func() bool {
		status, _ := a.try(t.Context(), http.MethodPost, "/events/"+id+"/deliveries/"+endpointID+"/retry-now", "{}", nil)
		return status == http.StatusAccepted || status == http.StatusConflict
	})
}

// refusesPayloads: an endpoint that answers 400 to what it dislikes gets the rest; people are asked
// in an hour only.
func refusesPayloads(t *testing.T, a app) {
	s, _ := a.listen(t, endpointtest.Config{Script: "400:12"}, `,"schedule":["0s"]`)
	for range 12 {
		require.Equal(t, webhook.Exhausted, a.settled(t, a.post(t, `{"type":"contact.updated","data":"odd"}`).ID).Status)
	}
	require.Equal(t, webhook.Delivered, a.settled(t, a.post(t, `{"type":"contact.updated","data":"even"}`).ID).Status)
	require.Len(t, s.Receipts(), 13)
}
