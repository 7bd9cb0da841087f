package gateway_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"

	"hookloop/api"
	"hookloop/gateway"
	"hookloop/internal/attemptlog"
	"hookloop/internal/orchestrator/orchestratortest"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// midday is when these tests play.
var midday = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newRigAtMidday(t *testing.T) *rig {
	t.Helper()
	r := newRigWith(t, func(c *gateway.Config) { c.Now = func() time.Time { return midday } })
	r.token = sign(t, with(jwt.MapClaims{"scope": strings.Join(api.Scopes(), " ")}))
	return r
}

// eventNamed is the id of the n-th event.
func eventNamed(n int) string { return fmt.Sprintf("evt_%026d", n) }

// attempted adds an attempt, so many minutes before midday.
func (r *rig) attempted(tenant, endpointID string, event, number, status, minutes int, ms int64) {
	r.attempts.rows = append(r.attempts.rows, attemptlog.NewRow(webhook.Event{Tenant: tenant, ID: eventNamed(event), Type: "order.paid"}, endpointID, "run", webhook.Attempt{
		Number: number, At: midday.Add(-time.Duration(minutes) * time.Minute), StatusCode: status, DurationMS: ms, Error: "said so",
	}))
}

// waits puts a delivery that goes on, and what it reports.
func (r *rig) waits(tenant, endpointID string, event int, outcome string, report webhook.DeliveryReport) {
	id := workflows.DeliveryWorkflowID(tenant, eventNamed(event), endpointID)
	report.EndpointID, report.WorkflowID = endpointID, id
	r.temporal.Put(&orchestratortest.Run{
		ID: id, Type: workflows.TypeDelivery, Start: midday.Add(time.Duration(event) * time.Second), Report: report,
		Attributes: map[string]string{
			"Tenant": tenant, "Endpoint": endpointID, "Outcome": outcome, "EventType": "order.paid",
			"Accepted": midday.Add(-time.Duration(event) * time.Minute).Format(workflows.AcceptedFormat),
		},
	})
}

func TestAttemptsOfAnEndpoint(t *testing.T) {
	t.Parallel()
	r := newRigAtMidday(t)
	mine, other := r.endpoint(`{"url":"https://one.example/"}`), r.endpoint(`{"url":"https://two.example/"}`)
	for n := range 5 {
		r.attempted("acme", mine, n, 1, 200, 50-n, 5)
	}
	r.attempted("acme", mine, 9, 1, 503, 5, 300)
	r.attempted("acme", other, 1, 1, 200, 1, 5)
	r.attempted("other", mine, 7, 1, 200, 1, 5)

	first := read[api.Page[api.AttemptItem]](t, r.do("GET", "/endpoints/"+mine+"/attempts?limit=4", ""), 200)
	require.Len(t, first.Data, 4)
	require.Equal(t, api.AttemptItem{
		EventID: eventNamed(9), EventType: "order.paid", Number: 1, At: midday.Add(-5 * time.Minute), Outcome: "fails", StatusCode: 503, DurationMS: 300, Error: "said so",
	}, first.Data[0])
	r.attempted("acme", mine, 10, 1, 200, 1, 5) // it is on no page behind the first
	second := read[api.Page[api.AttemptItem]](t, r.do("GET", "/endpoints/"+mine+"/attempts?limit=4&cursor="+*first.NextCursor, ""), 200)
	require.Len(t, second.Data, 2)
	require.Equal(t, eventNamed(0), second.Data[1].EventID)
	require.Nil(t, second.NextCursor)

	failed := read[api.Page[api.AttemptItem]](t, r.do("GET", "/endpoints/"+mine+"/attempts?failed=true", ""), 200)
	require.Len(t, failed.Data, 1)
	late := read[api.Page[api.AttemptItem]](t, r.do("GET", "/endpoints/"+mine+"/attempts?after=10m", ""), 200)
	require.Len(t, late.Data, 2)

	refused(t, r.do("GET", "/endpoints/"+other+"/attempts?cursor="+*first.NextCursor, ""), 422, webhook.Invalid)
	refused(t, r.do("GET", "/endpoints/"+mine+"/attempts?after=yesterday", ""), 422, webhook.Invalid)
	refused(t, r.do("GET", "/endpoints/ep_none/attempts", ""), 404, webhook.NotFound)
	r.registry.down = errors.New("disk on fire")
	refused(t, r.do("GET", "/endpoints/"+mine+"/attempts", ""), 503, api.Unavailable)
}

func TestStatsOfAnEndpoint(t *testing.T) {
	t.Parallel()
	r := newRigAtMidday(t)
	id := r.endpoint(`{"url":"https://one.example/"}`)
	for n := range 9 {
		r.attempted("acme", id, n, 1, 200, 30, 40)
	}
	r.attempted("acme", id, 9, 1, 503, 200, 4000)
	r.waits("acme", id, 9, "held", webhook.DeliveryReport{Status: webhook.Held})

	s := read[api.EndpointStats](t, r.do("GET", "/endpoints/"+id+"/stats", ""), 200)
	require.Equal(t, midday.Add(-24*time.Hour), s.Since)
	require.EqualValues(t, time.Hour, s.Bucket)
	require.Equal(t, []int64{10, 9, 1, 0}, []int64{s.Attempts, s.Took, s.Fails, s.Refuses})
	require.InDelta(t, 0.9, *s.Success, 1e-9)
	require.Len(t, s.Buckets, 2, "those without attempts are missing")
	require.Less(t, *s.P50MS, 51.0)
	require.Greater(t, *s.P95MS, 2500.0)
	require.Equal(t, 1, *s.Activity.Waiting)
	require.EqualValues(t, 9, s.Activity.LastHour.Attempts)
	require.InDelta(t, 9.0/60, s.Activity.LastHour.PerMinute, 1e-9)
	require.Equal(t, 503, s.Activity.LastError.StatusCode)

	s = read[api.EndpointStats](t, r.do("GET", "/endpoints/"+id+"/stats?since=1h", ""), 200)
	require.EqualValues(t, time.Minute, s.Bucket)
	require.EqualValues(t, 9, s.Attempts)
	require.Equal(t, midday.Add(-30*time.Minute), s.Buckets[0].At)
	s = read[api.EndpointStats](t, r.do("GET", "/endpoints/"+id+"/stats?since=20m", ""), 200)
	require.Zero(t, s.Attempts)
	require.Nil(t, s.Success, "nothing is no failure")
	require.Empty(t, s.Buckets)
	refused(t, r.do("GET", "/endpoints/"+id+"/stats?since=1h&until=2h", ""), 422, webhook.Invalid)
}

func TestStatsOfATenant(t *testing.T) {
	t.Parallel()
	r := newRigAtMidday(t)
	busy, slow, dead := r.endpoint(`{"url":"https://busy.example/x?token=1","description":"the busy one"}`), r.endpoint(`{"url":"https://slow.example/"}`), r.endpoint(`{"url":"https://dead.example/"}`)
	idle := r.endpoint(`{"url":"https://idle.example/"}`)
	for n := range 20 {
		r.attempted("acme", busy, n, 1, 200, 10, 20)
	}
	r.attempted("acme", slow, 1, 1, 200, 10, 9000)
	r.attempted("acme", dead, 1, 1, 503, 10, 5)
	r.attempted("acme", "ep_deleted", 1, 1, 200, 10, 5)
	r.attempted("other", busy, 1, 1, 500, 10, 5)
	_, err := r.registry.UpdateEndpoint(t.Context(), "acme", dead, func(e *webhook.Endpoint) error {
		e.State, e.StateReason = webhook.EndpointHeld, "it keeps failing"
		return nil
	})
	require.NoError(t, err)
	r.waits("acme", dead, 1, "held", webhook.DeliveryReport{Status: webhook.Held})
	r.waits("acme", dead, 2, "held", webhook.DeliveryReport{Status: webhook.Held})
	r.waits("acme", busy, 3, "retrying", webhook.DeliveryReport{Status: webhook.Retrying})
	r.waits("acme", busy, 4, string(webhook.ApprovalAwaiting), webhook.DeliveryReport{Status: webhook.Held})
	r.waits("other", busy, 5, "held", webhook.DeliveryReport{Status: webhook.Held})

	s := read[api.TenantStats](t, r.do("GET", "/stats", ""), 200)
	require.EqualValues(t, 23, s.Attempts, "those of deleted endpoints, too")
	require.Equal(t, api.EndpointCounts{Active: 3, Held: 1}, s.Endpoints)
	require.Equal(t, []int{3, 2, 1}, []int{s.Backlog.Waiting, s.Backlog.Held, s.Backlog.Parked})
	require.True(t, s.Backlog.Whole)
	require.Equal(t, midday.Add(-4*time.Minute), *s.Backlog.OldestAt)
	require.Equal(t, busy, s.Busiest[0].EndpointID)
	require.Equal(t, api.EndpointName{Host: "busy.example", Description: "the busy one", State: "active"}, s.Busiest[0].EndpointName)
	require.Len(t, s.Busiest, 3, "an endpoint without attempts is none of them")
	require.Equal(t, slow, s.Slowest[0].EndpointID)
	require.Empty(t, s.Failing, "the dead one is held")
	require.Len(t, s.Held, 1)
	require.Equal(t, []any{dead, "it keeps failing", 2, 503}, []any{s.Held[0].EndpointID, s.Held[0].StateReason, *s.Held[0].Waiting, s.Held[0].LastError.StatusCode})

	r.attempted("acme", idle, 1, 1, 404, 10, 5)
	s = read[api.TenantStats](t, r.do("GET", "/stats?top=1", ""), 200)
	require.Len(t, s.Busiest, 1)
	require.Equal(t, idle, s.Failing[0].EndpointID)

	r.temporal.Down = errors.New("away")
	require.Equal(t, 200, newRigAtMidday(t).do("GET", "/stats", "").Code)
	away := newRigAtMidday(t)
	away.temporal.Down = errors.New("away")
	s = read[api.TenantStats](t, away.do("GET", "/stats", ""), 200)
	require.Nil(t, s.Backlog, "what the registry knows is no worse for that")
	away.registry.down = errors.New("disk on fire")
	refused(t, away.do("GET", "/stats", ""), 503, api.Unavailable)
}

func TestEndpointsCarryHowTheyDo(t *testing.T) {
	t.Parallel()
	r := newRigAtMidday(t)
	id := r.endpoint(`{"url":"https://one.example:8443/x"}`)
	r.attempted("acme", id, 1, 1, 200, 90, 20)
	r.attempted("acme", id, 1, 1, 500, 10, 20)
	r.waits("acme", id, 1, "retrying", webhook.DeliveryReport{Status: webhook.Retrying})
	page := read[api.Page[api.Endpoint]](t, r.do("GET", "/endpoints", ""), 200)
	for _, e := range []api.Endpoint{page.Data[0], read[api.Endpoint](t, r.do("GET", "/endpoints/"+id, ""), 200)} {
		require.Equal(t, "one.example:8443", e.Host)
		require.Equal(t, midday.Add(-90*time.Minute), *e.Activity.LastSuccessAt)
		require.Equal(t, midday.Add(-10*time.Minute), e.Activity.LastError.At)
		require.Equal(t, []int{1, 0}, []int{*e.Activity.Waiting, *e.Activity.Held})
		require.EqualValues(t, 1, e.Activity.LastHour.Fails)
	}
	require.Len(t, r.temporal.Lists, 1, "one census for all")
	require.Nil(t, read[api.Endpoint](t, r.do("PATCH", "/endpoints/"+id, `{"description":"x"}`), 200).Activity)
}

func TestUndeliveredAndWhy(t *testing.T) {
	t.Parallel()
	r := newRigAtMidday(t)
	id := r.endpoint(`{"url":"https://one.example/","description":"the shop"}`)
	next := midday.Add(time.Hour)
	r.waits("acme", id, 1, "retrying", webhook.DeliveryReport{
		Status: webhook.Retrying, Reason: "HTTP 503", NextAttemptAt: &next, Attempts: []webhook.Attempt{{Number: 3, StatusCode: 503}},
	})
	r.waits("acme", id, 2, "held", webhook.DeliveryReport{Status: webhook.Held, Reason: "the endpoint is held"})
	r.waits("acme", "ep_deleted", 3, "retrying", webhook.DeliveryReport{Status: webhook.Retrying})
	r.waits("acme", id, 4, "retrying", webhook.DeliveryReport{Status: webhook.Delivered}) // since it was listed
	r.waits("other", id, 5, "held", webhook.DeliveryReport{Status: webhook.Held})
	r.temporal.Put(&orchestratortest.Run{
		ID: workflows.DeliveryWorkflowID("acme", eventNamed(6), id), Type: workflows.TypeDelivery, Status: enums.WORKFLOW_EXECUTION_STATUS_COMPLETED,
		Attributes: map[string]string{"Tenant": "acme", "Endpoint": id, "Outcome": "delivered"},
	})

	all := read[api.Page[api.Undelivered]](t, r.do("GET", "/undelivered", ""), 200).Data
	require.Len(t, all, 3)
	require.Equal(t, []string{eventNamed(3), eventNamed(2), eventNamed(1)}, []string{all[0].EventID, all[1].EventID, all[2].EventID})
	require.Nil(t, all[0].Endpoint, "it was deleted")
	require.Equal(t, &api.EndpointName{Host: "one.example", Description: "the shop", State: "active"}, all[1].Endpoint)
	require.Equal(t, "the endpoint is held", all[1].Reason)
	require.Equal(t, api.Undelivered{
		EventID: eventNamed(1), EventType: "order.paid", EndpointID: id, Endpoint: all[1].Endpoint, Status: "retrying", Reason: "HTTP 503",
		AcceptedAt: midday.Add(-time.Minute), NextAttemptAt: &next, Attempts: 3, LastAttempt: &webhook.Attempt{Number: 3, StatusCode: 503},
		WorkflowID: workflows.DeliveryWorkflowID("acme", eventNamed(1), id),
	}, all[2])
	held := read[api.Page[api.Undelivered]](t, r.do("GET", "/undelivered?status=held&endpoint="+id, ""), 200).Data
	require.Len(t, held, 1)
	page := read[api.Page[api.Undelivered]](t, r.do("GET", "/undelivered?limit=1", ""), 200)
	require.Empty(t, page.Data, "it was delivered since it was listed")
	page = read[api.Page[api.Undelivered]](t, r.do("GET", "/undelivered?limit=1&cursor="+*page.NextCursor, ""), 200)
	require.Equal(t, eventNamed(3), page.Data[0].EventID)

	r.temporal.Run(workflows.DeliveryWorkflowID("acme", eventNamed(2), id)).Silent = errors.New("no poller")
	held = read[api.Page[api.Undelivered]](t, r.do("GET", "/undelivered?status=held", ""), 200).Data
	require.Equal(t, "no worker could tell", held[0].Reason)
	refused(t, r.do("GET", "/undelivered?status=delivered", ""), 422, webhook.Invalid)
	refused(t, r.do("GET", "/undelivered?limit=101", ""), 422, webhook.Invalid)
}

func TestEventsOfAnEndpoint(t *testing.T) {
	t.Parallel()
	r := newRigAtMidday(t)
	id := r.endpoint(`{"url":"https://one.example/"}`)
	for n := 1; n <= 6; n++ {
		r.attempted("acme", id, n, 1, 200, 60-n, 5)
		outcome := []string{"delivered", "failed"}[n%2]
		if n == 2 {
			continue // Temporal knows it no more
		}
		r.temporal.Put(&orchestratortest.Run{
			ID: workflows.EventWorkflowID("acme", eventNamed(n)), Type: workflows.TypeEvent, Start: midday.Add(time.Duration(n) * time.Minute),
			Attributes: map[string]string{"Tenant": "acme", "EventType": "order.paid", "Outcome": outcome}, Status: enums.WORKFLOW_EXECUTION_STATUS_COMPLETED,
		})
	}
	r.attempted("acme", "ep_another", 7, 1, 200, 5, 5)
	list := func(query string) (ids []string, next *string) {
		p := read[api.Page[api.EventItem]](t, r.do("GET", "/events?endpoint="+id+query, ""), 200)
		for _, e := range p.Data {
			ids = append(ids, strings.TrimLeft(strings.TrimPrefix(e.ID, "evt_"), "0"))
		}
		return ids, p.NextCursor
	}
	ids, next := list("")
	require.Equal(t, []string{"6", "5", "4", "3", "1"}, ids, "the latest first")
	require.Nil(t, next)
	ids, next = list("&limit=2")
	require.Equal(t, []string{"6", "5"}, ids)
	ids, next = list("&limit=2&cursor=" + *next)
	require.Equal(t, []string{"4", "3"}, ids)
	ids, _ = list("&limit=2&cursor=" + *next)
	require.Equal(t, []string{"1"}, ids)
	ids, _ = list("&status=failed&limit=2")
	require.Equal(t, []string{"5", "3"}, ids)
	require.Len(t, read[api.Page[api.EventItem]](t, r.do("GET", "/events?endpoint_id="+id, ""), 200).Data, 5)
	refused(t, r.do("GET", "/events?endpoint="+id+"&endpoint_id=ep_01jzc8k0a2n4p6r8s0t2v4w6x8", ""), 422, webhook.Invalid)
	refused(t, r.do("GET", "/events?endpoint=ep_1", ""), 422, webhook.Invalid)
	refused(t, r.do("GET", "/events?endpoint=ep_01jzc8k0a2n4p6r8s0t2v4w6x8", ""), 404, webhook.NotFound)
}

func TestEventDataIsReadAsItCame(t *testing.T) {
	t.Parallel()
	r := newRigAtMidday(t)
	const data = `{ "b":1.10, "a":"<ü>" }`
	posted := read[api.AcceptedEvent](t, r.do("POST", "/events", `{"type":"a.b","data":`+data+`}`), 202)
	w := r.do("GET", "/events/"+posted.ID+"/data", "")
	require.Equal(t, 200, w.Code)
	require.Equal(t, data, w.Body.String())
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	require.Equal(t, []string{"acme payload-read " + posted.ID + " by tester"}, r.registry.recorded)
	require.NotContains(t, r.log.String(), "1.10")

	refused(t, r.do("GET", "/events/"+unknownEvent+"/data", ""), 404, webhook.NotFound)
	refused(t, r.do("GET", "=/v1/tenants/other/events/"+posted.ID+"/data", ""), 404, webhook.NotFound)
	r.token = sign(t, with(jwt.MapClaims{"scope": strings.ReplaceAll(strings.Join(api.Scopes(), " "), api.EventsData, "")}))
	refused(t, r.do("GET", "/events/"+posted.ID+"/data", ""), 403, api.MissingScope)
}

// TestNoRouteLeadsToAnotherTenant walks the API's document: with a token of another tenant, and
// with one of the tenant's own that asks for the endpoint and the event of another.
func TestNoRouteLeadsToAnotherTenant(t *testing.T) {
	t.Parallel()
	r := newRigAtMidday(t)
	id := r.endpoint(`{"url":"https://one.example/","description":"confidential"}`)
	source := r.source(githubSource)
	posted := read[api.AcceptedEvent](t, r.do("POST", "/events", `{"type":"a.b","data":"confidential"}`), 202)
	r.attempted("acme", id, 1, 1, 200, 5, 5)
	r.waits("acme", id, 1, "held", webhook.DeliveryReport{Status: webhook.Held, Reason: "confidential"})
	doc := read[document](t, r.do("GET", "=/openapi.json", ""), 200)
	theirs, mine := sign(t, with(jwt.MapClaims{"tenants": []string{"other"}, "scope": strings.Join(api.Scopes(), " ")})), r.token
	asked := 0
	for path, methods := range doc.Paths {
		for method := range methods {
			if method = strings.ToUpper(method); !strings.HasPrefix(path, "/v1/tenants/") {
				continue
			}
			of := strings.NewReplacer("{endpoint_id}", id, "{id}", id)
			switch {
			case strings.Contains(path, "/events/{id}"):
				of = strings.NewReplacer("{endpoint_id}", id, "{id}", posted.ID)
			case strings.Contains(path, "/sources/{id}"):
				of = strings.NewReplacer("{id}", source)
			}
			path := of.Replace(path)
			r.token = theirs
			refused(t, r.do(method, "="+strings.ReplaceAll(path, "{tenant}", "acme"), ""), 403, api.WrongTenant)
			r.token = mine
			w := r.do(method, "="+strings.ReplaceAll(path, "{tenant}", "other"), map[bool]string{true: "", false: "{}"}[method == http.MethodGet || method == http.MethodDelete])
			require.NotContains(t, w.Body.String(), "confidential", method+" "+path)
			require.NotContains(t, w.Body.String(), "one.example", method+" "+path)
			if method == http.MethodGet && w.Code == 200 { // a list, which has nothing
				var list struct{ Data []json.RawMessage }
				require.NoError(t, json.Unmarshal(w.Body.Bytes(), &list))
				require.Empty(t, list.Data, path)
			}
			asked++
		}
	}
	require.Greater(t, asked, 30)
}
