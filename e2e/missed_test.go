package e2e

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
	"hookloop/internal/webhook"
)

type recovery struct {
	Status, Reason              string
	DryRun                      bool `json:"dry_run"`
	Found, Redelivered, Skipped int
}

// recover asks for a recovery and waits for its end.
func (a app) recover(t *testing.T, id, body string) recovery {
	t.Helper()
	path := "/endpoints/" + id + "/recover"
	a.call(t, http.StatusAccepted, http.MethodPost, path, body, nil)
	var r recovery
	eventually(t, "the recovery ends", func() bool {
		a.call(t, http.StatusOK, http.MethodGet, path, "", &r)
		return r.Status != "running"
	})
	return r
}

// found counts what a recovery would redeliver, once visibility knows as much.
func (a app) found(t *testing.T, id, body string, want int) {
	t.Helper()
	eventually(t, "what was missed is counted", func() bool {
		var r recovery
		a.call(t, http.StatusAccepted, http.MethodPost, "/endpoints/"+id+"/recover", body, &r)
		return r.DryRun && r.Found == want
	})
}

// disabled is an endpoint that a person has given up, and which answers well again.
func (a app) disabled(t *testing.T, types string) (*endpointtest.Server, endpoint) {
	t.Helper()
	s, e := a.listen(t, endpointtest.Config{Script: "410:1 200"}, `,"event_types":["`+types+`"],"schedule":["0s","24h"]`)
	a.post(t, `{"type":"`+types+`","data":"first"}`)
	a.approval(t, e.ID, webhook.ApprovalAwaiting)
	a.call(t, http.StatusAccepted, http.MethodPost, "/approvals/"+e.ID+"/reject", `{"reason":"given up"}`, nil)
	a.approval(t, e.ID, webhook.ApprovalRejected)
	return s, e
}

// TestWhatADisabledEndpointMissed stands with the events, and a recovery brings it once the
// endpoint is back.
func TestWhatADisabledEndpointMissed(t *testing.T) {
	t.Parallel()
	a := app{start(t, filepath.Join(t.TempDir(), "data"))}
	s, e := a.disabled(t, "order.paid")
	other, _ := a.listen(t, endpointtest.Config{}, `,"event_types":["order.late"]`)
	_, second := a.disabled(t, "order.late")

	missed := a.ended(t, a.post(t, `{"type":"order.paid","data":{"n":1.10}}`).ID)
	require.Equal(t, "failed", missed.Status, "an endpoint wants it and did not get it")
	require.Len(t, missed.Deliveries, 1)
	require.Equal(t, delivery{EndpointID: e.ID, Status: "rejected", Reason: "the endpoint was disabled", Attempts: missed.Deliveries[0].Attempts}, missed.Deliveries[0])
	require.Empty(t, missed.Deliveries[0].Attempts)
	both := a.ended(t, a.post(t, `{"type":"order.late","data":2}`).ID)
	require.Equal(t, "failed", both.Status)
	require.Equal(t, "delivered rejected", both.Deliveries[0].Status+" "+both.Deliveries[1].Status)
	receipts(t, other, 2)

	path := "/endpoints/" + e.ID
	a.call(t, http.StatusConflict, http.MethodPost, path+"/recover", `{"since":"1h"}`, nil)
	a.found(t, e.ID, `{"since":"1h","dry_run":true}`, 2) // the one that was rejected while it waited, and the one after it
	a.call(t, http.StatusAccepted, http.MethodPost, path+"/resume", `{}`, nil)
	a.found(t, e.ID, `{"since":"1h","dry_run":true}`, 2)
	require.Equal(t, recovery{Status: "completed", Found: 2, Redelivered: 2}, a.recover(t, e.ID, `{"since":"1h","rate_per_second":100}`))
	got := receipts(t, s, 3) // the 410 among them
	require.ElementsMatch(t, []string{`{"n":1.10}`, `"first"`, `"first"`}, dataOf(got))
	for _, r := range got {
		if strings.Contains(string(r.Body), "1.10") {
			require.Equal(t, missed.ID, r.Header.Get("webhook-id"))
		}
	}
	require.Equal(t, "delivered", a.ended(t, missed.ID).Status)
	require.Equal(t, recovery{Status: "completed"}, a.recover(t, e.ID, `{"since":"1h"}`), "nothing twice")

	a.call(t, http.StatusAccepted, http.MethodPost, "/endpoints/"+second.ID+"/resume", `{}`, nil)
	a.call(t, http.StatusAccepted, http.MethodPost, "/events/"+both.ID+"/redeliver", "", nil)
	require.Equal(t, "delivered", a.ended(t, both.ID).Status)
}

func dataOf(got []endpointtest.Receipt) (all []string) {
	for _, r := range got {
		_, data, _ := strings.Cut(string(r.Body), `"data":`)
		all = append(all, strings.TrimSuffix(data, "}"))
	}
	return all
}

// TestUnmatchedEventsReachAnEndpointMadeLater: those of types that it wants, and not what Hookloop
// itself told.
func TestUnmatchedEventsReachAnEndpointMadeLater(t *testing.T) {
	t.Parallel()
	a := app{start(t, filepath.Join(t.TempDir(), "data"))}
	_, gone := a.disabled(t, "other") // Hookloop has told of it, and no endpoint wanted to know
	a.call(t, http.StatusNoContent, http.MethodDelete, "/endpoints/"+gone.ID, "", nil)
	paid, late := a.post(t, `{"type":"order.paid","data":1}`), a.post(t, `{"type":"order.late","data":2}`)
	a.post(t, `{"type":"unwanted","data":3}`)
	for _, e := range []accepted{paid, late} {
		require.Equal(t, "unmatched", a.ended(t, e.ID).Status)
	}

	s, e := a.listen(t, endpointtest.Config{}, `,"event_types":["order.*"]`)
	a.found(t, e.ID, `{"since":"1h","unmatched":true,"dry_run":true}`, 2)
	a.found(t, e.ID, `{"since":"1h","dry_run":true}`, 0)
	require.Equal(t, recovery{Status: "completed", Found: 2, Redelivered: 2}, a.recover(t, e.ID, `{"since":"1h","unmatched":true,"rate_per_second":100}`))
	ids := []string{}
	for _, r := range receipts(t, s, 2) {
		ids = append(ids, r.Header.Get("webhook-id"))
	}
	require.ElementsMatch(t, []string{paid.ID, late.ID}, ids)
	shown := a.ended(t, paid.ID)
	require.Equal(t, "delivered", shown.Status)
	require.Equal(t, []string{e.ID, "delivered"}, []string{shown.Deliveries[0].EndpointID, shown.Deliveries[0].Status})
	require.Equal(t, recovery{Status: "completed"}, a.recover(t, e.ID, `{"since":"1h","unmatched":true}`), "nothing twice")

	_, everything := a.listen(t, endpointtest.Config{}, "")
	a.found(t, everything.ID, `{"since":"1h","unmatched":true,"dry_run":true}`, 3)
}
