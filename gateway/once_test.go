package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/api"
	"hookloop/internal/webhook"
)

const idempotencyKey = "Idempotency-Key"

// TestAnEndpointIsMadeOnce: a client that did not get the answer asks again, and gets the secret,
// too.
func TestAnEndpointIsMadeOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const body = `{"url":"https://a.example","event_types":["a"]}`
	first := r.do("POST", "/endpoints", body, idempotencyKey, "key-1")
	e := read[endpoint](t, first, 201)
	again := r.do("POST", "/endpoints", body, idempotencyKey, "key-1")
	require.Equal(t, 201, again.Code)
	require.Equal(t, first.Body.String(), again.Body.String())
	require.Equal(t, first.Header().Get("Location"), again.Header().Get("Location"))

	p := refused(t, r.do("POST", "/endpoints", `{"url":"https://b.example"}`, idempotencyKey, "key-1"), 409, api.IdempotencyConflict)
	require.Contains(t, p.Detail, e.ID)
	require.NotEqual(t, e.ID, read[endpoint](t, r.do("POST", "/endpoints", body, idempotencyKey, "key-2"), 201).ID)
	require.NotEqual(t, e.ID, read[endpoint](t, r.do("POST", "=/v1/tenants/other/endpoints", body, idempotencyKey, "key-1"), 201).ID)
	require.NotEqual(t, e.ID, read[endpoint](t, r.do("POST", "/endpoints", body), 201).ID)

	require.Equal(t, 200, r.do("PATCH", "/endpoints/"+e.ID, `{"description":"changed since"}`).Code)
	rotated := read[struct{ Secret string }](t, r.do("POST", "/endpoints/"+e.ID+"/secret/rotate", ""), 200).Secret
	now := read[endpoint](t, r.do("POST", "/endpoints", body, idempotencyKey, "key-1"), 201)
	require.Equal(t, []string{e.ID, "changed since", rotated}, []string{now.ID, now.Description, now.Secret}, "as it is now")
	require.Equal(t, 204, r.do("DELETE", "/endpoints/"+e.ID, "").Code)
	p = refused(t, r.do("POST", "/endpoints", body, idempotencyKey, "key-1"), 409, api.IdempotencyConflict)
	require.Contains(t, p.Detail, "was deleted")
	require.NotContains(t, r.log.String(), "key-1")
}

func TestKeysThatAreNone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for path, body := range map[string]string{
		"/endpoints": `{"url":"https://a.example"}`, "/sources": `{"provider":"github","config":{"secrets":["s3cret-of-github"]}}`,
	} {
		for _, key := range []string{strings.Repeat("k", 256), strings.Repeat("k", 1<<16), "two words", "ü", "tab\tbed", " "} {
			p := refused(t, r.do("POST", path, body, idempotencyKey, key), 422, webhook.Invalid)
			require.Equal(t, "Idempotency-Key", p.Errors[0].Field)
			require.Less(t, len(p.Detail), 200)
		}
		require.Equal(t, 201, r.do("POST", path, body, idempotencyKey, strings.Repeat("k", 255)).Code)
		refused(t, r.do("POST", path, `{"url":7}`, idempotencyKey, "k"), 422, webhook.Invalid)
		require.Equal(t, 201, r.do("POST", path, body, idempotencyKey, "k").Code, "what was refused has made nothing")
	}
	r.registry.down = errTest
	refused(t, r.do("POST", "/endpoints", `{"url":"https://a.example"}`, idempotencyKey, "l"), 503, api.Unavailable)
}

func TestASourceIsMadeOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const body = `{"provider":"github","name":"code","config":{"secrets":["s3cret-of-github"]}}`
	first := r.do("POST", "/sources", body, idempotencyKey, "key-1")
	require.Equal(t, 201, first.Code, first.Body.String())
	again := r.do("POST", "/sources", body, idempotencyKey, "key-1")
	require.Equal(t, 201, again.Code)
	require.JSONEq(t, first.Body.String(), again.Body.String())
	require.NotContains(t, again.Body.String(), "s3cret")
	refused(t, r.do("POST", "/sources", strings.Replace(body, "s3cret", "other", 1), idempotencyKey, "key-1"), 409, api.IdempotencyConflict)
	require.Equal(t, 201, r.do("POST", "/endpoints", `{"url":"https://a.example"}`, idempotencyKey, "key-1").Code, "of each kind one")
	id := read[struct{ ID string }](t, first, 201).ID
	require.Equal(t, http.StatusNoContent, r.do("DELETE", "/sources/"+id, "").Code)
	refused(t, r.do("POST", "/sources", body, idempotencyKey, "key-1"), 409, api.IdempotencyConflict)
}

// TestHeaderValuesAreForThoseWhoMaySetThem: they hold credentials.
func TestHeaderValuesAreForThoseWhoMaySetThem(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.endpoint(`{"url":"https://a.example","headers":{"Authorization":"Bearer s3cret"}}`)
	for _, path := range []string{"/endpoints", "/endpoints/" + id} {
		require.Contains(t, r.do("GET", path, "").Body.String(), "Bearer s3cret")
	}
	claims := everything()
	claims["scope"] = "endpoints:read events:read"
	r.token = sign(t, claims)
	for _, path := range []string{"/endpoints", "/endpoints/" + id} {
		w := r.do("GET", path, "")
		require.Equal(t, 200, w.Code)
		require.Contains(t, w.Body.String(), `"headers":{"Authorization":"***"}`)
		require.NotContains(t, w.Body.String(), "s3cret")
	}
}

// TestMergePatch: RFC 7396 has a name for the body of PATCH, which is no name for others.
func TestMergePatch(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.endpoint(`{"url":"https://a.example"}`)
	const kind = "application/merge-patch+json"
	require.Equal(t, 200, r.do("PATCH", "/endpoints/"+id, `{"description":"d"}`, "Content-Type", kind).Code)
	require.Equal(t, 200, r.do("PATCH", "/endpoints/"+id, `{"description":"d"}`, "Content-Type", kind+"; charset=UTF-8").Code)
	src := read[struct{ ID string }](t, r.do("POST", "/sources", `{"provider":"github","config":{"secrets":["s3cret-of-github"]}}`), 201).ID
	require.Equal(t, 200, r.do("PATCH", "/sources/"+src, `{"name":"n"}`, "Content-Type", kind).Code)
	refused(t, r.do("POST", "/endpoints", `{"url":"https://a.example"}`, "Content-Type", kind), 415, api.UnsupportedMediaType)
	refused(t, r.do("PATCH", "/endpoints/"+id, `[]`, "Content-Type", "application/json-patch+json"), 415, api.UnsupportedMediaType)
}
