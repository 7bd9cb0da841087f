package gateway_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
)

func TestBadApprovalPolicies(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	existing := r.endpoint(`{"url":"https://example.com"}`)
	for policy, field := range map[string]string{
		`"1h"`:                        "approval",
		`["1h"]`:                      "approval",
		`{"after":"1h","after":"2h"}`: "approval",
		`{"before":"1h"}`:             "approval.before",
		`{"after":3600}`:              "approval.after",
		`{"after":"999ms"}`:           "approval.after",
		`{"after":"2160h1s"}`:         "approval.after",
		`{"timeout":"0s"}`:            "approval.timeout",
		`{"timeout":"7d"}`:            "approval.timeout",
	} {
		p := refused(t, r.do("POST", "/endpoints", `{"url":"https://example.com","approval":`+policy+`}`), 422, webhook.Invalid)
		require.Equal(t, field, p.Errors[0].Field, policy)
		p = refused(t, r.do("PATCH", "/endpoints/"+existing, `{"approval":`+policy+`}`), 422, webhook.Invalid)
		require.Equal(t, field, p.Errors[0].Field, policy)
	}
	require.Equal(t, 1, read[endpoint](t, r.do("GET", "/endpoints/"+existing, ""), 200).Version)
}

// TestDefaultsAreKeptAsDefaults lets a later version's defaults reach the endpoints that chose
// none.
func TestDefaultsAreKeptAsDefaults(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.endpoint(`{"url":"https://example.com","approval":{"after":"2h"}}`)
	require.Equal(t, approvalPolicy{"2h", "168h"}, read[endpoint](t, r.do("GET", "/endpoints/"+id, ""), 200).Approval)
	require.Zero(t, r.registry.all["acme/"+id].Approval.Timeout)
	require.Equal(t, 200, r.do("PATCH", "/endpoints/"+id, `{"approval":{"after":null}}`).Code)
	require.True(t, r.registry.all["acme/"+id].Approval.IsZero())
}
