package e2e

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
	"hookloop/internal/npmtest"
	"hookloop/internal/webhook"
)

// TestUIDecides approves endpoints that keep failing in the Temporal UI, as an operator does, each
// case in a tenant of its own.
func TestUIDecides(t *testing.T) {
	t.Parallel()
	ui := operator{browser: findBrowser(t), dir: npmtest.Install(t, "browser")}
	p := start(t, filepath.Join(t.TempDir(), "data"))
	for name, test := range map[string]func(*testing.T, operator, app){
		"signal": signalsApproval,
		"update": updatesApproval,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mine := *p
			mine.Tenant = "ui-" + name
			test(t, ui, app{&mine})
		})
	}
}

// signalsApproval sends what costs the least effort: a signal without input.
func signalsApproval(t *testing.T, ui operator, a app) {
	s, e, ids := a.broken(t)
	seen := ui.decide(t, a, e.ID, uiOrder{Kind: "Signal", Name: "approve", Then: "^released$"})
	require.Subset(t, seen.Row, []string{a.p.Tenant, e.ID, "awaiting-approval"})
	require.Subset(t, seen.Offered[0], []string{"approve", "reject"})
	for _, text := range []string{"approval of " + e.ID, "failing since", "HTTP 503", "deliveries waiting", "approve", "reject"} {
		require.Contains(t, seen.Details[0], text)
	}
	a.letGo(t, s, e.ID, ids)
}

// updatesApproval first says something that makes no sense.
func updatesApproval(t *testing.T, ui operator, a app) {
	s, e, ids := a.broken(t)
	seen := ui.decide(t, a, e.ID,
		uiOrder{Kind: "Signal", Name: "approve", Input: `"please"`, Then: "was ignored"},
		uiOrder{Kind: "Update", Name: "approve", Input: `{"by":"alice","reason":"mended"}`, Then: "^released$"})
	require.Contains(t, seen.Details[1], "awaiting-approval", "it still asks")
	require.NotContains(t, seen.Details[1], "please", "what was said may be a secret")
	require.ElementsMatch(t, []string{"approve", "reject", "Custom"}, seen.Offered[1])
	require.Contains(t, seen.Details[2], "by alice: mended")
	r := a.letGo(t, s, e.ID, ids)
	require.Equal(t, &webhook.Decision{By: "alice", Reason: "mended"}, r.Decision)
}

// failures open a breaker.
const failures = 5

// broken has an endpoint that failed until its breaker opened and people were asked. It has mended
// since, and 13 deliveries are held.
func (a app) broken(t *testing.T) (*endpointtest.Server, endpoint, []string) {
	t.Helper()
	s, e := a.listen(t, endpointtest.Config{Script: "503:5 200"}, `,"schedule":["0s","2s","24h"],"approval":{"after":"1s"}`)
	var ids []string
	post := func(n int) {
		for range n {
			ids = append(ids, a.post(t, `{"type":"contact.updated","data":{"id":1}}`).ID)
		}
	}
	post(failures)
	a.approval(t, e.ID, webhook.ApprovalAwaiting)
	post(8)
	for _, id := range ids {
		a.isHeld(t, id)
	}
	require.Len(t, s.Receipts(), failures, "while held, nothing is sent")
	return s, e, ids
}

// letGo waits until all that was held has arrived, once.
func (a app) letGo(t *testing.T, s *endpointtest.Server, endpointID string, ids []string) webhook.ApprovalReport {
	t.Helper()
	receipts(t, s, failures+len(ids))
	r := a.approval(t, endpointID, webhook.ApprovalReleased)
	require.Equal(t, len(ids), r.Released)
	require.Equal(t, webhook.EndpointActive, a.endpointState(t, endpointID).State)
	for _, id := range ids {
		require.Equal(t, webhook.Delivered, a.settled(t, id).Status)
	}
	require.ElementsMatch(t, ids, order(s, failures), "each once")
	return r
}

// uiOrder is one use of the dialog that sends a "Signal" or an "Update"; Then is what the details
// say once it was heard.
type uiOrder struct {
	Kind  string `json:"kind"`
	Name  string `json:"name"`
	Input string `json:"input"`
	Then  string `json:"then"`
}

// decision is what the operator saw: the approval in the list, what each dialog offered, and the
// details before the first order and after each.
type decision struct {
	Row, Details, Outside []string
	Offered               [][]string
}

func (o operator) decide(t *testing.T, a app, endpointID string, orders ...uiOrder) (seen decision) {
	t.Helper()
	text, err := json.Marshal(orders)
	require.NoError(t, err)
	o.run(t, &seen, "approval.mjs", a.p.UI, pictures(t), endpointID, string(text))
	require.Empty(t, seen.Outside)
	return seen
}
