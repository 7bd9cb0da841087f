package gateway_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"

	"hookloop/api"
	"hookloop/gateway"
	"hookloop/internal/webhook"
)

// page is a page of the tenant acme that a person sees.
func (r *rig) page(session *http.Cookie, path string) string {
	r.t.Helper()
	w := r.browse("GET", "/console/t/acme"+path, "", session)
	require.Equal(r.t, http.StatusOK, w.Code, "%s: %s", path, w.Body.String())
	return w.Body.String()
}

// TestConsoleHealth: the figures, who needs a decision, and who is in trouble and why, in bounded
// lists.
func TestConsoleHealth(t *testing.T) {
	t.Parallel()
	r := newRigAtMidday(t)
	session := r.signIn(r.token)
	empty := newRigAtMidday(t)
	require.Contains(t, empty.page(empty.signIn(empty.token), ""), "No event yet")

	well := r.endpoint(`{"url":"https://well.example/x?key=hunter2","description":"Warehouse"}`)
	refuses := r.endpoint(`{"url":"https://refuses.example/"}`)
	mended := r.endpoint(`{"url":"https://mended.example/"}`)
	broken := r.endpoint(`{"url":"https://broken.example/"}`)
	dead := r.endpoint(`{"url":"https://dead.example/"}`)
	for n := range 60 {
		r.attempted("acme", well, n, 1, 200, 30, 40)
	}
	r.attempted("acme", refuses, 1, 1, 400, 10, 5)
	r.attempted("acme", mended, 1, 1, 503, 10, 5)
	r.attempted("acme", mended, 1, 2, 200, 9, 5)
	r.attempted("acme", dead, 1, 1, 503, 50, 5)
	_, err := r.registry.UpdateEndpoint(t.Context(), "acme", broken, func(e *webhook.Endpoint) error {
		e.BreakerOpenedAt = midday
		return nil
	})
	require.NoError(t, err)
	_, err = r.registry.UpdateEndpoint(t.Context(), "acme", dead, func(e *webhook.Endpoint) error {
		e.State, e.StateReason = webhook.EndpointHeld, "it keeps failing"
		return nil
	})
	require.NoError(t, err)
	r.waits("acme", dead, 1, "held", webhook.DeliveryReport{Status: webhook.Held})
	by, waiting := midday.Add(time.Hour), 1
	r.approvals.found = []webhook.ApprovalReport{{
		EndpointID: dead, Status: webhook.ApprovalAwaiting, DecideBy: &by, Waiting: &waiting, Reason: "it keeps failing",
		LastAnswers: []webhook.Answer{{At: midday, StatusCode: 503}},
	}}

	page := r.page(session, "")
	for _, says := range []string{
		"Delivered a minute</dt><dd>1</dd>", "64 attempts", "2 failed, 1 refused", `<a href="/console/t/acme/undelivered">1</a>`, "1 held, 0 paused",
		"<svg", "61 taken, 1 refused, 2 failed", "refuses everything", "reported failing", "Decide", "disabled, and its deliveries end as rejected", "HTTP 503",
		"take events again", ">mended.example</a>", "Busiest", "Slowest", "hx-trigger=\"every 4s\"",
	} {
		require.Contains(t, page, says)
	}
	trouble := page[strings.Index(page, `id="trouble"`):strings.Index(page, `id="busy"`)]
	require.NotContains(t, trouble, "Warehouse")
	require.NotContains(t, page, "hunter2", "a URL may hold a secret")
	require.Contains(t, r.page(session, "?as=table"), "<table>")
	require.NotContains(t, r.page(session, "?as=table"), "<svg")
	require.Contains(t, r.page(session, "?since=24h"), `aria-current="true">day`)

	r.temporal.Down = serviceerror.NewUnavailable("away")
	w := r.browse("GET", "/console/t/acme", "", session)
	require.Equal(t, http.StatusServiceUnavailable, w.Code, "the events are Temporal's")
}

// TestConsoleListsAreBounded with many endpoints that wait for a person.
func TestConsoleListsAreBounded(t *testing.T) {
	t.Parallel()
	r := newRigAtMidday(t)
	by := midday.Add(time.Hour)
	for n := range 100 {
		id := r.endpoint(fmt.Sprintf(`{"url":"https://e%d.example/"}`, n))
		r.approvals.found = append(r.approvals.found, webhook.ApprovalReport{EndpointID: id, Status: webhook.ApprovalAwaiting, DecideBy: &by})
		r.attempted("acme", id, n, 1, 503, 10, 5)
	}
	page := r.page(r.signIn(r.token), "")
	require.Equal(t, 12, strings.Count(page, "<summary"))
	require.Contains(t, page, "And 88 more")
}

func TestConsoleUndelivered(t *testing.T) {
	t.Parallel()
	r := newRigAtMidday(t)
	session := r.signIn(r.token)
	empty := newRigAtMidday(t)
	require.Contains(t, empty.page(empty.signIn(empty.token), "/undelivered"), "Nothing waits")
	id := r.endpoint(`{"url":"https://one.example/","description":"<b>One"}`)
	at := midday.Add(time.Minute)
	r.waits("acme", id, 1, "retrying", webhook.DeliveryReport{Status: webhook.Retrying, NextAttemptAt: &at, Reason: "breaker_open", Attempts: []webhook.Attempt{{Number: 3, StatusCode: 502, At: midday}}})
	r.waits("acme", id, 2, "held", webhook.DeliveryReport{Status: webhook.Held, Reason: "the endpoint is held"})
	page := r.page(session, "/undelivered")
	for _, says := range []string{"2 deliveries on the way, 1 of them held", "breaker_open", "HTTP 502", "attempt 3", "after a decision", "&lt;b&gt;One"} {
		require.Contains(t, page, says)
	}
	require.NotContains(t, r.page(session, "/undelivered?status=held"), "breaker_open")
	require.Equal(t, http.StatusUnprocessableEntity, r.browse("GET", "/console/t/acme/undelivered?status=odd", "", session).Code)
}

// TestConsoleEndpoint shows a day in pictures and the latest attempts, and lists all of them.
func TestConsoleEndpoint(t *testing.T) {
	t.Parallel()
	r := newRigAtMidday(t)
	session := r.signIn(r.token)
	id := r.endpoint(`{"url":"https://one.example/"}`)
	require.NotContains(t, r.page(session, "/endpoints/"+id), "<svg", "nothing was attempted")
	for n := range 60 {
		r.attempted("acme", id, n, 1, map[bool]int{true: 200, false: 500}[n%3 > 0], 60+n, int64(n))
	}
	page := r.page(session, "/endpoints/"+id)
	for _, says := range []string{"60 attempts: 40 taken, 0 refused, 20 failed", "p95", "Latest attempts", `<title>`, `<desc id="latency-says">`} {
		require.Contains(t, page, says)
	}
	require.Equal(t, 10, strings.Count(page, `<tr><th scope="row">`))
	all := r.page(session, "/endpoints/"+id+"/attempts")
	require.Equal(t, 50, strings.Count(all, `<tr><th scope="row">`))
	next := regexp.MustCompile(`href="/console/t/acme(/endpoints/[^"]*cursor=[^"]*)"`).FindStringSubmatch(all)
	require.NotNil(t, next)
	require.Equal(t, 10, strings.Count(r.page(session, strings.ReplaceAll(next[1], "&amp;", "&")), `<tr><th scope="row">`))
	require.Equal(t, 20, strings.Count(r.page(session, "/endpoints/"+id+"/attempts?failed=1"), `<tr><th scope="row">`))
}

// TestConsoleShowsDataAtAButton: to those whose token says so, and the audit says who it was.
func TestConsoleShowsDataAtAButton(t *testing.T) {
	t.Parallel()
	r := newRigAtMidday(t)
	posted := read[api.AcceptedEvent](t, r.do("POST", "/events", `{"type":"a.b","data":{"id":1.10,"name":"<i>Jane"}}`), 202)
	session := r.signIn(r.token)
	data := "/console/t/acme/events/" + posted.ID + "/data"
	require.NotContains(t, r.page(session, "/events/"+posted.ID), "Jane")
	require.Contains(t, r.page(session, "/events/"+posted.ID), "Show what it says")

	w := r.browse("POST", data, "", session)
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	require.Contains(t, w.Body.String(), "&#34;id&#34;: 1.10,\n")
	require.Contains(t, w.Body.String(), "&lt;i&gt;Jane")
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	require.Equal(t, []string{"acme payload-read " + posted.ID + " by tester"}, r.registry.recorded)
	require.Equal(t, http.StatusNotFound, r.browse("GET", data, "", session).Code, "no link makes anybody read")
	require.Equal(t, http.StatusForbidden, r.browse("POST", data, "", session, "Sec-Fetch-Site", "cross-site").Code)

	without := r.signIn(sign(t, everything())) // which has not that scope
	require.Contains(t, r.page(without, "/events/"+posted.ID), "scope events:data")
	require.NotContains(t, r.page(without, "/events/"+posted.ID), "Show what it says")
	require.Equal(t, http.StatusForbidden, r.browse("POST", data, "", without).Code)
	require.Len(t, r.registry.recorded, 1)
}

// TestConsoleEventAsksForNoEndpoint: names come with the event, however many endpoints it has.
func TestConsoleEventAsksForNoEndpoint(t *testing.T) {
	t.Parallel()
	r := newRigWith(t, func(*gateway.Config) {})
	for n := range 60 {
		r.endpoint(fmt.Sprintf(`{"url":"https://e%d.example/","event_types":["a.b"],"description":"No. %d"}`, n, n))
	}
	posted := read[api.AcceptedEvent](t, r.do("POST", "/events", `{"type":"a.b","data":1}`), 202)
	run := r.temporal.Run(posted.WorkflowID)
	run.Fresh, run.Silent = true, serviceerror.NewWorkflowNotReady("no")
	session := r.signIn(sign(t, jwt.MapClaims(everything())))
	before := r.registry.reads
	page := r.page(session, "/events/"+posted.ID)
	require.Equal(t, before, r.registry.reads)
	require.Equal(t, 50, strings.Count(page, `aria-label="Delivery to No. `))
	require.Contains(t, page, "10 deliveries more")
	require.Equal(t, 10, strings.Count(r.page(session, "/events/"+posted.ID+"?from=50"), `aria-label="Delivery to No. `))
}
