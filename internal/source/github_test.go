package source_test

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

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
		"json":            {json, "application/json", "issues", "issues.opened", "guid", withID("guid", json), json},
		"no content type": {json, "", "issues", "issues.opened", "guid", withID("guid", json), json},
		"form":            {form, githubForm, "issues", "issues.opened", "guid", withID("guid", form), json},
		"form, charset":   {form, "Application/X-WWW-Form-Urlencoded; charset=utf-8", "issues", "issues.opened", "guid", withID("guid", form), json},
		"no action":       {`{"zen":"x"}`, "application/json", "ping", "ping", "guid", withID("guid", `{"zen":"x"}`), `{"zen":"x"}`},
		"strange action":  {`{"action":{}}`, "application/json", "push", "push", "guid", withID("guid", `{"action":{}}`), `{"action":{}}`},
		"no event header": {json, "application/json", "", "", "guid", withID("guid", json), json},
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

// withID is the identity of a delivery with an id: two of the same bytes are two.
func withID(id, body string) string { return fmt.Sprintf("%q %q", id, hashOf(body)) }

// TestGitHubTellsDeliveriesApart: a member who is added, removed and added again makes the
// same bytes twice. The same delivery comes again with its id.
func TestGitHubTellsDeliveriesApart(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "github", `{"secrets":["`+secret+`"]}`)
	first := requireOnly(t, p, post(`{"a":1}`, "X-GitHub-Event", "push", "X-GitHub-Delivery", "1"))
	again := requireOnly(t, p, post(`{"a":1}`, "X-GitHub-Event", "push", "X-GitHub-Delivery", "1"))
	another := requireOnly(t, p, post(`{"a":1}`, "X-GitHub-Event", "push", "X-GitHub-Delivery", "2"))
	forged := requireOnly(t, p, post(`{"a":2}`, "X-GitHub-Event", "push", "X-GitHub-Delivery", "1"))
	require.Equal(t, first.ID(), again.ID())
	require.NotEqual(t, first.ID(), another.ID())
	require.NotEqual(t, first.ID(), forged.ID())
	require.Zero(t, first.SameFor)
	none := requireOnly(t, p, post(`{"a":1}`, "X-GitHub-Event", "push"))
	require.Equal(t, 10*time.Minute, none.SameFor)
}

func TestGitHubContext(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "github", `{"secrets":["`+secret+`"]}`)
	i := requireOnly(t, p, post(`{"a":1}`, "X-GitHub-Event", "push", "X-GitHub-Delivery", "1", "X-GitHub-Hook-Id", "7",
		"X-GitHub-Hook-Installation-Target-Id", "9", "X-GitHub-Hook-Installation-Target-Type", "integr\xffation"))
	require.JSONEq(t, `{"delivery_id":"1","event":"push","hook_id":"7","installation_target_id":"9"}`, string(i.Context))
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
