package source_test

import (
	"crypto/sha1"
	"encoding/hex"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

const githubForm = "application/x-www-form-urlencoded"

func TestGitHubSHA1(t *testing.T) {
	t.Parallel()
	const body = `{"yo":true}`
	old := "sha1=" + hex.EncodeToString(macOf(sha1.New, secret, body))
	strict := newProvider(t, "github", `{"secrets":["`+secret+`"]}`)
	lenient := newProvider(t, "github", `{"secrets":["`+secret+`"],"allow_sha1":true}`)
	requireStatus(t, http.StatusUnauthorized, strict.Verify(t.Context(), post(body, "X-Hub-Signature", old)))
	require.NoError(t, lenient.Verify(t.Context(), post(body, "X-Hub-Signature", old)))
	require.NoError(t, lenient.Verify(t.Context(), post(body, "X-Hub-Signature-256", "sha256="+hexMAC(secret, body))))
	requireStatus(t, http.StatusUnauthorized, lenient.Verify(t.Context(), post(body, "X-Hub-Signature", "sha1=yo")))
	requireStatus(t, http.StatusUnauthorized, lenient.Verify(t.Context(), post(body)))
	downgrade := post(body, "X-Hub-Signature", old, "X-Hub-Signature-256", "sha256=00")
	requireStatus(t, http.StatusUnauthorized, lenient.Verify(t.Context(), downgrade))
	wrongPlace := post(body, "X-Hub-Signature-256", old)
	requireStatus(t, http.StatusUnauthorized, lenient.Verify(t.Context(), wrongPlace))
}

func TestGitHubEvents(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "github", `{"secrets":["`+secret+`"]}`)
	const json = `{"action":"opened","issue":{"title":"Ünï <3 + %"}}`
	form := "x=1&payload=" + url.QueryEscape(json) + "&payload=%7B%7D"
	for name, tc := range map[string]struct {
		body, contentType, event  string
		wantType, wantKey, wantID string
		wantData                  string
	}{
		"json":            {json, "application/json", "issues", "issues.opened", "guid", hashOf(json), json},
		"no content type": {json, "", "issues", "issues.opened", "guid", hashOf(json), json},
		"form":            {form, githubForm, "issues", "issues.opened", "guid", hashOf(form), json},
		"form, charset":   {form, "Application/X-WWW-Form-Urlencoded; charset=utf-8", "issues", "issues.opened", "guid", hashOf(form), json},
		"no action":       {`{"zen":"x"}`, "application/json", "ping", "ping", "guid", hashOf(`{"zen":"x"}`), `{"zen":"x"}`},
		"strange action":  {`{"action":{}}`, "application/json", "push", "push", "guid", hashOf(`{"action":{}}`), `{"action":{}}`},
		"no event header": {json, "application/json", "", "", "guid", hashOf(json), json},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := requireOnly(t, p, post(tc.body, "Content-Type", tc.contentType, "X-GitHub-Event", tc.event, "X-GitHub-Delivery", "guid"))
			require.Equal(t, []string{tc.wantType, tc.wantKey, tc.wantID, tc.wantData}, []string{i.Type, i.Key, i.ID(), string(i.Data)})
		})
	}
	require.Equal(t, hashOf(json), requireOnly(t, p, post(json, "X-GitHub-Event", "issues")).Key, "no delivery id")
	require.Equal(t, hashOf(json), requireOnly(t, p, post(json, "X-GitHub-Delivery", "a\xff b")).Key, "no id looks like this")
}

// The headers are not signed: whoever caught one request must not make new events of it.
func TestGitHubEventKeepsItsIdentityUnderOtherHeaders(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "github", `{"secrets":["`+secret+`"]}`)
	first := requireOnly(t, p, post(`{"a":1}`, "X-GitHub-Event", "push", "X-GitHub-Delivery", "1"))
	again := requireOnly(t, p, post(`{"a":1}`, "X-GitHub-Event", "delete", "X-GitHub-Delivery", "2"))
	require.Equal(t, first.ID(), again.ID())
}

// Nor is the content type: what stands in an issue's title must not become the payload.
func TestGitHubJSONIsNeverAForm(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "github", `{"secrets":["`+secret+`"]}`)
	const body = `{"title":"x&payload=%7B%22action%22%3A%22forged%22%7D&y"}`
	i := requireOnly(t, p, post(body, "Content-Type", githubForm, "X-GitHub-Event", "issues"))
	require.Equal(t, []string{"issues", body}, []string{i.Type, string(i.Data)})
}

func TestGitHubFormsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "github", `{"secrets":["`+secret+`"]}`)
	for _, body := range []string{"", "payload", "payload=", "payload=%7", "%zz=1&payload=%7B%7D", "payload=[]", "Payload=%7B%7D"} {
		_, err := p.Read(post(body, "Content-Type", githubForm))
		requireStatus(t, http.StatusBadRequest, err)
	}
}
