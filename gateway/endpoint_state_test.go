package gateway_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/api"
	"hookloop/internal/webhook"
)

// in puts an endpoint into a state, as a workflow does.
func (r *rig) in(state webhook.EndpointState, reason string) (id string) {
	r.t.Helper()
	id = r.endpoint(`{"url":"https://example.com"}`)
	_, err := r.registry.UpdateEndpoint(r.t.Context(), "acme", id, func(e *webhook.Endpoint) error {
		e.State, e.StateReason, e.Releasing = state, reason, time.Now().Add(time.Hour)
		return nil
	})
	require.NoError(r.t, err)
	return id
}

func ended(id string, kind webhook.EndKind, reason string) approvalCall {
	return approvalCall{verb: "end", tenant: "acme", endpointID: id, end: webhook.End{Kind: kind, Instruction: webhook.Instruction{By: "tester", Reason: reason}}}
}

func TestPause(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]struct{ reason, shown string }{
		"":                          {"", "paused by tester"},
		`{"reason":"moving house"}`: {"moving house", "paused by tester: moving house"},
	} {
		for _, state := range []webhook.EndpointState{webhook.EndpointActive, webhook.EndpointHeld} {
			r := newRig(t)
			id := r.in(state, "it fails")
			e := read[endpoint](t, r.do("POST", "/endpoints/"+id+"/pause", body), 202)
			require.Equal(t, "paused", e.State)
			require.Equal(t, want.shown, e.StateReason)
			require.Equal(t, 3, e.Version)
			require.True(t, r.registry.all["acme/"+id].Releasing.IsZero())
			require.Equal(t, e, read[endpoint](t, r.do("GET", "/endpoints/"+id, ""), 200))
			require.Equal(t, []approvalCall{ended(id, webhook.EndPaused, want.reason)}, r.approvals.calls)
		}
	}
}

func TestPauseTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.in(webhook.EndpointActive, "")
	r.approvals.down = errors.New("away")
	refused(t, r.do("POST", "/endpoints/"+id+"/pause", `{"reason":"first"}`), 503, api.Unavailable)
	r.approvals.down = nil
	before := read[endpoint](t, r.do("GET", "/endpoints/"+id, ""), 200)
	require.Equal(t, "paused by tester: first", before.StateReason)

	require.Equal(t, before, read[endpoint](t, r.do("POST", "/endpoints/"+id+"/pause", `{"reason":"second"}`), 202))
	require.Equal(t, []approvalCall{ended(id, webhook.EndPaused, "first"), ended(id, webhook.EndPaused, "second")}, r.approvals.calls,
		"a repeat does what the first could not")
}

func TestPauseThatCannotBe(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.in(webhook.EndpointDisabled, "rejected")
	p := refused(t, r.do("POST", "/endpoints/"+id+"/pause", ""), 409, webhook.Conflict)
	require.Contains(t, p.Detail, "is disabled; resume it first")
	refused(t, r.do("POST", "/endpoints/"+failingEndpoint+"/pause", ""), 404, webhook.NotFound)
	refused(t, r.do("POST", "=/v1/tenants/other/endpoints/"+id+"/pause", ""), 404, webhook.NotFound)
	r.registry.down = errTest
	refused(t, r.do("POST", "/endpoints/"+id+"/pause", ""), 503, api.Unavailable)
	require.Empty(t, r.approvals.calls)
}

func TestResume(t *testing.T) {
	t.Parallel()
	for _, state := range []webhook.EndpointState{webhook.EndpointHeld, webhook.EndpointPaused, webhook.EndpointDisabled} {
		r := newRig(t)
		id := r.in(state, "as it was")
		e := read[endpoint](t, r.do("POST", "/endpoints/"+id+"/resume", `{"reason":"mended","rate_per_second":2}`), 202)
		require.Equal(t, "held", e.State, "the workflow makes it active once it takes something")
		require.Equal(t, map[bool]string{true: "as it was", false: "resumed by tester; its oldest delivery goes first"}[state == webhook.EndpointHeld], e.StateReason)
		require.Equal(t, []approvalCall{{
			verb: "resume", tenant: "acme", endpointID: id,
			decision: webhook.Decision{By: "tester", Reason: "mended", RatePerSecond: 2},
		}}, r.approvals.calls)
	}
}

func TestResumeThatCannotBe(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.in(webhook.EndpointActive, "")
	p := refused(t, r.do("POST", "/endpoints/"+id+"/resume", ""), 409, webhook.Conflict)
	require.Contains(t, p.Detail, "is active already")
	refused(t, r.do("POST", "/endpoints/"+failingEndpoint+"/resume", ""), 404, webhook.NotFound)
	require.Empty(t, r.approvals.calls)

	id = r.in(webhook.EndpointHeld, "")
	r.approvals.down = webhook.Errorf(webhook.Conflict, "it is being probed")
	require.Contains(t, refused(t, r.do("POST", "/endpoints/"+id+"/resume", ""), 409, webhook.Conflict).Detail, "probed")
	r.approvals.down = errTest
	refused(t, r.do("POST", "/endpoints/"+id+"/resume", ""), 503, api.Unavailable)
	r.registry.down = errTest
	refused(t, r.do("POST", "/endpoints/"+id+"/resume", ""), 503, api.Unavailable)
}

func TestDeleteEndsTheEpisode(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.in(webhook.EndpointHeld, "it fails")
	require.Equal(t, 204, r.do("DELETE", "/endpoints/"+id, "").Code)
	require.Equal(t, []approvalCall{ended(id, webhook.EndDeleted, "the endpoint was deleted")}, r.approvals.calls)
	refused(t, r.do("DELETE", "/endpoints/"+id, ""), 404, webhook.NotFound)
	require.Len(t, r.approvals.calls, 1)
}

func TestDeleteDoesNotNeedTemporal(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.in(webhook.EndpointHeld, "it fails")
	r.approvals.down = errTest
	require.Equal(t, 204, r.do("DELETE", "/endpoints/"+id, "").Code)
	require.Contains(t, r.log.String(), "level=WARN")
	require.Contains(t, r.log.String(), id)
	refused(t, r.do("GET", "/endpoints/"+id, ""), 404, webhook.NotFound)
}

// TestDeleteOutlivesItsRequest: the client may be gone before the deliveries are told.
func TestDeleteOutlivesItsRequest(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.in(webhook.EndpointActive, "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	req := httptest.NewRequestWithContext(ctx, "DELETE", "/v1/tenants/acme/endpoints/"+id, http.NoBody)
	req.Header.Set("Authorization", "Bearer "+r.token)
	r.handler.ServeHTTP(httptest.NewRecorder(), req)
	require.Len(t, r.approvals.calls, 1)
}
