package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// TestApproval lets people decide, each case in a tenant of its own.
func TestApproval(t *testing.T) {
	t.Parallel()
	p := start(t, filepath.Join(t.TempDir(), "data"))
	for name, test := range map[string]func(*testing.T, app){
		"approve":            approves,
		"failed-probe":       failsProbe,
		"reject":             rejects,
		"nobody-decides":     rejectsItself,
		"gone":               asksAtOnce,
		"fails-rarely":       asksWithoutABreaker,
		"pause-and-resume":   pausesAndResumes,
		"pause-a-release":    pausesRelease,
		"delete":             deletesHeld,
		"url-edited":         probesNewURL,
		"two-at-once":        decidesOnce,
		"subscribers":        tellsSubscribers,
		"terminated":         outlivesTermination,
		"many-fail-together": opensOneEpisode,
		"rate":               keepsPace,
		"refuses-everything": asksAboutRefusals,
		"nothing-there":      failsProbeWithNothingThere,
		"poisoned-probe":     passesPoisonedProbe,
		"exhausted":          tellsOfExhaustedDeliveries,
		"cancel-requested":   outlivesCancellation,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mine := *p
			mine.Tenant = name
			test(t, app{&mine})
		})
	}
}

// approval waits until an endpoint's approval stands like that.
func (a app) approval(t *testing.T, endpointID string, want webhook.ApprovalStatus) (r webhook.ApprovalReport) {
	t.Helper()
	eventually(t, "the approval is "+string(want), func() bool {
		var now webhook.ApprovalReport
		status, body := a.try(t.Context(), http.MethodGet, "/approvals/"+endpointID, "", nil)
		if status != http.StatusOK || json.Unmarshal(body, &now) != nil {
			return false
		}
		r = now
		return r.Status == want
	})
	return r
}

type endpointState struct {
	State  webhook.EndpointState
	Reason string `json:"state_reason"`
}

func (a app) endpointState(t *testing.T, id string) (e endpointState) {
	t.Helper()
	a.call(t, http.StatusOK, http.MethodGet, "/endpoints/"+id, "", &e)
	return e
}

// isHeld waits until a delivery waits for a person.
func (a app) isHeld(t *testing.T, id string) webhook.DeliveryReport {
	t.Helper()
	return a.delivery(t, id, "is held", func(d webhook.DeliveryReport) bool { return d.Status == webhook.Held })
}

// asked has an endpoint that failed until people were asked, and n deliveries held for it, the
// first of which was tried once.
func (a app) asked(t *testing.T, script string, n int) (*endpointtest.Server, endpoint, []string) {
	t.Helper()
	s, e := a.listen(t, endpointtest.Config{Script: script}, `,"schedule":["0s","50ms","24h"],"approval":{"after":"1s"}`)
	ids := []string{a.post(t, `{"type":"contact.updated","data":0}`).ID}
	a.isHeld(t, ids[0])
	a.approval(t, e.ID, webhook.ApprovalAwaiting)
	for i := range n - 1 {
		ids = append(ids, a.post(t, `{"type":"contact.updated","data":`+strconv.Itoa(i+1)+`}`).ID)
	}
	for _, id := range ids {
		a.isHeld(t, id)
	}
	return s, e, ids
}

// order gives the events in the order of their first receipt from the n-th on.
func order(s *endpointtest.Server, n int) (ids []string) {
	for _, r := range s.Receipts()[n:] {
		ids = append(ids, r.ID)
	}
	return ids
}

func approves(t *testing.T, a app) {
	s, e, ids := a.asked(t, "410:1", 12)
	require.Len(t, s.Receipts(), 1, "while held, nothing is sent")
	r := a.approval(t, e.ID, webhook.ApprovalAwaiting)
	require.Equal(t, "it answered HTTP 410 and wants no more", r.Reason)
	require.Equal(t, []webhook.Answer{{At: r.LastAnswers[0].At, EventID: ids[0], StatusCode: 410}}, r.LastAnswers)
	state := a.endpointState(t, e.ID)
	require.Equal(t, webhook.EndpointHeld, state.State)
	require.Equal(t, r.Reason, state.Reason)

	a.call(t, http.StatusAccepted, http.MethodPost, "/approvals/"+e.ID+"/approve", `{"reason":"mended","rate_per_second":100}`, nil)
	r = a.approval(t, e.ID, webhook.ApprovalReleased)
	require.Equal(t, 12, r.Released)
	require.Equal(t, "dev", r.Decision.By)
	require.Equal(t, webhook.EndpointActive, a.endpointState(t, e.ID).State)
	for _, id := range ids {
		require.Equal(t, webhook.Delivered, a.settled(t, id).Status)
	}
	got := order(s, 1)
	require.Len(t, got, 12, "each once")
	require.Equal(t, ids[0], got[0], "the oldest is the probe")
	require.ElementsMatch(t, ids, got)
}

// asksWithoutABreaker: an endpoint that is sent one event fails three times, and its schedule is
// spent.
func asksWithoutABreaker(t *testing.T, a app) {
	s, e := a.listen(t, endpointtest.Config{Script: "503:3 200"}, `,"schedule":["0s","50ms","50ms"],"approval":{"after":"1s"}`)
	id := a.post(t, `{"type":"contact.updated","data":0}`).ID
	r := a.approval(t, e.ID, webhook.ApprovalAwaiting)
	require.Contains(t, r.Reason, "it has been failing since")
	require.Len(t, r.LastAnswers, 1)
	require.Equal(t, webhook.Exhausted, a.settled(t, id).Status)

	next := a.post(t, `{"type":"contact.updated","data":1}`).ID
	a.isHeld(t, next)
	require.Len(t, s.Receipts(), 3, "while held, nothing is sent")
	a.call(t, http.StatusAccepted, http.MethodPost, "/approvals/"+e.ID+"/approve", "", nil)
	a.approval(t, e.ID, webhook.ApprovalReleased)
	require.Equal(t, webhook.Delivered, a.settled(t, next).Status)
}

func failsProbe(t *testing.T, a app) {
	s, e, ids := a.asked(t, "410:2 200", 3)
	a.call(t, http.StatusAccepted, http.MethodPost, "/approvals/"+e.ID+"/approve", "", nil)
	eventually(t, "people are asked again", func() bool {
		return a.approval(t, e.ID, webhook.ApprovalAwaiting).Reason == "the probe failed: HTTP 410"
	})
	require.Len(t, s.Receipts(), 2)
	d := a.isHeld(t, ids[0])
	require.Equal(t, "the probe failed: HTTP 410", d.Reason)
	require.Len(t, d.Attempts, 2)
	a.call(t, http.StatusAccepted, http.MethodPost, "/approvals/"+e.ID+"/approve", "", nil)
	require.Equal(t, 3, a.approval(t, e.ID, webhook.ApprovalReleased).Released)
	require.Len(t, receipts(t, s, 5), 5)
}

func rejects(t *testing.T, a app) {
	s, e, ids := a.asked(t, "410:1", 3)
	a.call(t, http.StatusAccepted, http.MethodPost, "/approvals/"+e.ID+"/reject", `{"reason":"customer left"}`, nil)
	a.approval(t, e.ID, webhook.ApprovalRejected)
	state := a.endpointState(t, e.ID)
	require.Equal(t, webhook.EndpointDisabled, state.State)
	require.Equal(t, "rejected by dev: customer left", state.Reason)
	for _, id := range ids {
		d := a.settled(t, id)
		require.Equal(t, webhook.Rejected, d.Status)
		require.Equal(t, "the endpoint is disabled: rejected by dev: customer left", d.Reason)
	}
	require.Empty(t, a.post(t, `{"type":"contact.updated","data":0}`).Deliveries)
	require.Len(t, s.Receipts(), 1)

	a.call(t, http.StatusAccepted, http.MethodPost, "/endpoints/"+e.ID+"/resume", `{"reason":"they are back"}`, nil)
	a.approval(t, e.ID, webhook.ApprovalReleased)
	eventually(t, "all that was rejected is found", func() bool {
		var found struct{ Found int }
		a.call(t, http.StatusAccepted, http.MethodPost, "/endpoints/"+e.ID+"/recover", `{"since":"2026-01-01T00:00:00Z","dry_run":true}`, &found)
		return found.Found == 4 // and what was accepted while it was disabled
	})
	a.call(t, http.StatusAccepted, http.MethodPost, "/endpoints/"+e.ID+"/recover", `{"since":"2026-01-01T00:00:00Z","rate_per_second":100}`, nil)
	require.Len(t, receipts(t, s, 5), 5)
}

func rejectsItself(t *testing.T, a app) {
	s, e := a.listen(t, endpointtest.Config{Script: "410"}, `,"approval":{"timeout":"2s"}`)
	id := a.post(t, `{"type":"contact.updated","data":0}`).ID
	r := a.approval(t, e.ID, webhook.ApprovalRejected)
	require.Equal(t, "rejected: no decision within 2s", r.Reason)
	require.Equal(t, webhook.Rejected, a.settled(t, id).Status)
	require.Len(t, s.Receipts(), 1)
	// It is rejected before its subscribers are told, and has ended after.
	require.NoError(t, a.p.dial(t).GetWorkflow(t.Context(), workflows.ApprovalWorkflowID(a.p.Tenant, e.ID), "").Get(t.Context(), nil))
	status, body := a.try(t.Context(), http.MethodPost, "/approvals/"+e.ID+"/approve", "", nil)
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, string(body), "the approval has ended (rejected: rejected: no decision within 2s)")
}

func asksAtOnce(t *testing.T, a app) {
	_, e := a.listen(t, endpointtest.Config{Script: "500", Header: http.Header{"Webhook-Delivery": {"disable"}}}, "")
	a.post(t, `{"type":"contact.updated","data":0}`)
	r := a.approval(t, e.ID, webhook.ApprovalAwaiting)
	require.Equal(t, 7*24*time.Hour, r.DecideBy.Sub(*r.AskedAt))
}

func pausesAndResumes(t *testing.T, a app) {
	s, e := a.listen(t, endpointtest.Config{}, "")
	a.call(t, http.StatusAccepted, http.MethodPost, "/endpoints/"+e.ID+"/pause", `{"reason":"maintenance"}`, nil)
	var ids []string
	for range 5 {
		ids = append(ids, a.post(t, `{"type":"contact.updated","data":0}`).ID)
	}
	for _, id := range ids {
		require.Equal(t, "the endpoint is paused by dev: maintenance", a.isHeld(t, id).Reason)
	}
	require.Empty(t, s.Receipts())
	a.call(t, http.StatusAccepted, http.MethodPost, "/endpoints/"+e.ID+"/resume", "", nil)
	require.Len(t, receipts(t, s, 5), 5)
	for _, id := range ids {
		require.Equal(t, webhook.Delivered, a.settled(t, id).Status)
	}
	a.approval(t, e.ID, webhook.ApprovalReleased)
	a.call(t, http.StatusConflict, http.MethodPost, "/endpoints/"+e.ID+"/resume", "", nil)
}

func pausesRelease(t *testing.T, a app) {
	s, e, ids := a.asked(t, "410:1", 6)
	a.call(t, http.StatusAccepted, http.MethodPost, "/approvals/"+e.ID+"/approve", `{"rate_per_second":0.1}`, nil)
	a.approval(t, e.ID, webhook.ApprovalReleasing)
	a.call(t, http.StatusAccepted, http.MethodPost, "/endpoints/"+e.ID+"/pause", `{"reason":"too early"}`, nil)
	r := a.approval(t, e.ID, webhook.ApprovalCancelled)
	require.Equal(t, "the endpoint was paused by dev: too early", r.Reason)
	sent := len(s.Receipts())
	require.Less(t, sent, 7)
	require.Equal(t, webhook.EndpointPaused, a.endpointState(t, e.ID).State)
	a.isHeld(t, ids[5])
	a.call(t, http.StatusAccepted, http.MethodPost, "/endpoints/"+e.ID+"/resume", `{"rate_per_second":100}`, nil)
	a.approval(t, e.ID, webhook.ApprovalReleased)
	require.ElementsMatch(t, ids, order(s, 1), "each once")
}

func deletesHeld(t *testing.T, a app) {
	s, e, ids := a.asked(t, "410:1", 3)
	a.call(t, http.StatusNoContent, http.MethodDelete, "/endpoints/"+e.ID, "", nil)
	for _, id := range ids {
		d := a.settled(t, id)
		require.Equal(t, webhook.Cancelled, d.Status)
		require.Equal(t, "the endpoint was deleted", d.Reason)
	}
	require.Contains(t, a.approval(t, e.ID, webhook.ApprovalCancelled).Reason, "the endpoint was deleted")
	require.Len(t, s.Receipts(), 1)
	a.call(t, http.StatusConflict, http.MethodPost, "/approvals/"+e.ID+"/approve", "", nil)
}

func probesNewURL(t *testing.T, a app) {
	old, e, ids := a.asked(t, "410", 2)
	moved := endpointtest.Start(t, endpointtest.Config{})
	a.call(t, http.StatusOK, http.MethodPatch, "/endpoints/"+e.ID, `{"url":"`+moved.URL+`"}`, nil)
	a.call(t, http.StatusAccepted, http.MethodPost, "/approvals/"+e.ID+"/approve", "", nil)
	a.approval(t, e.ID, webhook.ApprovalReleased)
	for _, id := range ids {
		require.Equal(t, webhook.Delivered, a.settled(t, id).Status)
	}
	require.Len(t, old.Receipts(), 1)
	require.Len(t, moved.Receipts(), 2)
}

func decidesOnce(t *testing.T, a app) {
	_, e, _ := a.asked(t, "410:1", 2)
	answers := make(chan string)
	for _, decision := range []string{"approve", "reject", "approve", "reject"} {
		go func() {
			status, body := a.try(t.Context(), http.MethodPost, "/approvals/"+e.ID+"/"+decision, `{"reason":"`+decision+`"}`, nil)
			answers <- strconv.Itoa(status) + " " + string(body)
		}()
	}
	took := 0
	for range 4 {
		answer := <-answers
		if strings.HasPrefix(answer, "202 ") {
			took++
			continue
		}
		require.Contains(t, answer, "409 ")
		require.Regexp(t, "another decision has just been taken|it was (approved|rejected) by dev|the approval has ended", answer)
	}
	require.Equal(t, 1, took)
}

func tellsSubscribers(t *testing.T, a app) {
	watcher, _ := a.listen(t, endpointtest.Config{}, `,"event_types":["endpoint.held","endpoint.released","endpoint.recovered"]`)
	_, e, _ := a.asked(t, "410:1", 2)
	held := receipts(t, watcher, 1)[0]
	require.Contains(t, string(held.Body), `"type":"endpoint.held"`)
	require.Contains(t, string(held.Body), e.ID)
	a.call(t, http.StatusAccepted, http.MethodPost, "/approvals/"+e.ID+"/approve", "", nil)
	all := receipts(t, watcher, 3)
	require.Contains(t, string(all[1].Body), `"type":"endpoint.released"`)
	require.Contains(t, string(all[2].Body), `"type":"endpoint.recovered"`)
}

func outlivesTermination(t *testing.T, a app) {
	s, e, ids := a.asked(t, "410:1", 2)
	c := a.p.dial(t)
	require.NoError(t, c.TerminateWorkflow(t.Context(), workflows.ApprovalWorkflowID(a.p.Tenant, e.ID), "", "no"))
	require.Contains(t, a.approval(t, e.ID, webhook.ApprovalCancelled).Reason, "resume the endpoint")
	a.call(t, http.StatusAccepted, http.MethodPost, "/endpoints/"+e.ID+"/resume", "", nil)
	a.approval(t, e.ID, webhook.ApprovalReleased)
	require.ElementsMatch(t, ids, order(s, 1))
}

func opensOneEpisode(t *testing.T, a app) {
	const n = 200
	_, e := a.listen(t, endpointtest.Config{Script: "503"}, `,"schedule":["0s","1s","1s","24h"],"approval":{"after":"4s"}`)
	for range n {
		a.post(t, `{"type":"contact.updated","data":0}`)
	}
	a.approval(t, e.ID, webhook.ApprovalAwaiting)
	id := workflows.ApprovalWorkflowID(a.p.Tenant, e.ID)
	require.Less(t, historyLength(t, a.p, id), 100, "a bounded number of signals")
}

// keepsPace measures the release from the approval to its last delivery. A slow machine may be
// late, and none may be early.
func keepsPace(t *testing.T, a app) {
	const n, rate = 61, 10
	s, e, _ := a.asked(t, "410:1", n)
	approved := time.Now()
	a.call(t, http.StatusAccepted, http.MethodPost, "/approvals/"+e.ID+"/approve", `{"rate_per_second":`+strconv.Itoa(rate)+`}`, nil)
	a.approval(t, e.ID, webhook.ApprovalReleased)
	const spans = n - 2 // the failure came before, the probe and the first of the others come at once
	all := receipts(t, s, n+1)
	t.Logf("%.2f a second", spans/all[n].At.Sub(all[2].At).Seconds())
	require.GreaterOrEqual(t, all[n].At.Sub(approved).Seconds(), 0.9*spans/rate)
}

// TestCrashDuringApproval kills the process in every phase: nothing is forgotten, nothing sent
// twice but what was in flight.
func TestCrashDuringApproval(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data)
	again := func() app {
		p.kill(syscall.SIGKILL)
		p = start(t, data)
		return app{p}
	}
	s, e := app{p}.listen(t, endpointtest.Config{Script: "410:1"}, `,"schedule":["0s","24h"]`)
	ids := []string{app{p}.post(t, `{"type":"contact.updated","data":0}`).ID}
	app{p}.approval(t, e.ID, webhook.ApprovalAwaiting)
	a := again()
	for i := range 39 {
		ids = append(ids, a.post(t, `{"type":"contact.updated","data":`+strconv.Itoa(i)+`}`).ID)
	}
	for _, id := range ids {
		a.isHeld(t, id)
	}
	a = again()
	a.call(t, http.StatusAccepted, http.MethodPost, "/approvals/"+e.ID+"/approve", `{"rate_per_second":5}`, nil)
	crashes := []int{2, 12} // after so many receipts
	for _, n := range crashes {
		arrive(t, s, n)
		a = again()
	}
	arrive(t, s, 1+len(ids))
	a.approval(t, e.ID, webhook.ApprovalReleased)
	for _, id := range ids {
		require.Equal(t, webhook.Delivered, a.settled(t, id).Status)
	}
	require.LessOrEqual(t, len(order(s, 1)), len(ids)+2*len(crashes), "twice only what was in flight at a crash")
	got := distinct(s.Receipts()[1:])
	require.Len(t, got, len(ids))
	for id, times := range got {
		require.LessOrEqual(t, times, 1+len(crashes), "%s is sent again once for a crash", id)
	}
}

// arrive waits longer than anything else: an attempt that was in flight at a crash is missed after
// its time-out, most of a minute.
func arrive(t *testing.T, s *endpointtest.Server, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	_, err := s.Wait(ctx, n)
	require.NoError(t, err, "%d of %d arrived", len(s.Receipts()), n)
}
