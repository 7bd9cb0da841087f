package gateway_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/converter"

	"hookloop/api"
	"hookloop/internal/echo"
	"hookloop/internal/orchestrator/orchestratortest"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

func sum(secret, body string) []byte {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(body))
	return m.Sum(nil)
}

// send posts what a third party would; header are names and values.
func (r *rig) send(method, path, body string, header ...string) *httptest.ResponseRecorder {
	r.t.Helper()
	req := httptest.NewRequestWithContext(r.t.Context(), method, "/in/"+path, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, req)
	return w
}

func (r *rig) fromGitHub(id, secret, event, body string, header ...string) *httptest.ResponseRecorder {
	return r.send("POST", id, body, append([]string{
		"Content-Type", "application/json", "X-GitHub-Event", event, "X-GitHub-Delivery", "d-" + event,
		"X-Hub-Signature-256", "sha256=" + hex.EncodeToString(sum(secret, body)),
	}, header...)...)
}

func (r *rig) fromMautic(id, secret, body string) *httptest.ResponseRecorder {
	return r.send("POST", id, body, "Content-Type", "application/json", "Webhook-Signature", base64.StdEncoding.EncodeToString(sum(secret, body)))
}

// startedEvents are the inputs of all events, by their data.
func (r *rig) startedEvents() map[string]workflows.EventInput {
	r.t.Helper()
	all := map[string]workflows.EventInput{}
	for _, run := range r.temporal.Runs() {
		in, data := startedBy(r.t, run)
		all[data] = in
	}
	return all
}

// startedBy is the input of an event.
func startedBy(t testing.TB, run *orchestratortest.Run) (in workflows.EventInput, data string) {
	t.Helper()
	var raw converter.RawValue
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(run.Input, &in, &raw))
	return in, string(raw.Payload().GetData())
}

func TestIngestBecomesAnEvent(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	to := r.endpoint(`{"url":"https://example.com","event_types":["github.issues.opened"]}`)
	r.endpoint(`{"url":"https://example.com","event_types":["other"]}`)
	id := r.source(githubSource)
	body := `{"action":"opened",  "n":1.10,"u":"\u00e9"}`
	w := r.fromGitHub(id, "s3cr3t-old", "issues", body, "Hookloop-Hops", "3")
	require.Equal(t, 200, w.Code)
	require.Empty(t, w.Body.String())
	in := r.startedEvents()[body]
	require.Equal(t, []string{to}, in.EndpointIDs)
	require.Equal(t, "github.issues.opened", in.Event.Type)
	require.Equal(t, 3, in.Event.Hops)
	require.Equal(t, &webhook.Origin{SourceID: id, Provider: "github", Key: "d-issues"}, in.Event.Origin)

	require.Equal(t, 200, r.fromGitHub(id, "s3cr3t-new", "issues", body).Code)
	require.Equal(t, 200, r.fromGitHub(id, "s3cr3t-new", "issues", body, "X-GitHub-Delivery", "another").Code)
	require.Equal(t, 2, r.temporal.Starts(), "the same content under another id is another event")
}

// TestIngestStrangersLearnNothing: an unknown source and a wrong signature are answered alike, and
// cost no workflow.
func TestIngestStrangersLearnNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.source(githubSource)
	wrong := r.fromGitHub(id, "s3cr3t-guess", "issues", `{}`)
	require.Equal(t, 401, wrong.Code)
	for _, w := range []*httptest.ResponseRecorder{
		r.fromGitHub("src_"+strings.Repeat("0", 26), "s3cr3t-new", "issues", `{}`),
		r.fromGitHub("nonsense", "s3cr3t-new", "issues", `{}`),
		r.send("POST", id, `{}`),
		r.send("POST", id, `{}`, "X-Hub-Signature-256", "sha256=zz"),
		r.send("POST", id, `{}`, "X-Hub-Signature-256", ""),
		r.send("POST", id, ""),
	} {
		require.Equal(t, wrong.Code, w.Code)
		require.Equal(t, wrong.Body.String(), w.Body.String())
		require.Equal(t, wrong.Header(), w.Header())
	}
	require.Zero(t, r.temporal.Starts())
	require.NotContains(t, r.log.String(), "s3cr3t")
	require.Equal(t, 2, strings.Count(r.log.String(), "msg=ingest"), "one line for the source, and one for all that are none")
	metrics := r.do("GET", "=/metrics", "").Body.String()
	require.Contains(t, metrics, `hookloop_ingest_requests_total{outcome="refused",provider="github"} 5`)
	require.Contains(t, metrics, `hookloop_ingest_requests_total{outcome="refused",provider="unknown"} 2`)
}

func TestIngestSplitsABatch(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.source(`{"provider":"mautic","config":{"secrets":["k"]},"type_prefix":"crm"}`)
	var items []string
	for n := range 1000 {
		items = append(items, fmt.Sprintf(`{"contact":{"id":%d}}`, n))
	}
	items[17] = `{"contact":` + strings.Repeat("[", webhook.MaxDepth) + strings.Repeat("]", webhook.MaxDepth) + `}`
	body := `{"mautic.lead_post_save_update":[` + strings.Join(items, ",") + `],"timestamp":"x"}`
	w := r.fromMautic(id, "k", body)
	require.Equal(t, 200, w.Code, "it would forget the others, or send all of them for ever")
	require.Equal(t, 999, r.temporal.Starts())
	require.Equal(t, "crm.mautic.lead_post_save_update", r.startedEvents()[items[3]].Event.Type)

	items[17] = `{"contact":{"id":17}}`
	body = `{"mautic.lead_post_save_update":[` + strings.Join(items, ",") + `]}`
	require.Equal(t, 200, r.fromMautic(id, "k", body).Code)
	require.Equal(t, 1000, r.temporal.Starts(), "the repeat adds what was missing")
}

// TestIngestKeepsTheContext: the item is the data, and what the batch said of all of them stands
// beside it.
func TestIngestKeepsTheContext(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.source(`{"provider":"meta","config":{"secrets":["k"],"verify_token":"t"}}`)
	item := `{"field":"feed",  "value":{"item":"post","n":1.10}}`
	body := `{"object":"page","entry":[{"id":"7","time":1,"changes":[` + item + `]}]}`
	w := r.send("POST", id, body, "Content-Type", "application/json", "X-Hub-Signature-256", "sha256="+hex.EncodeToString(sum("k", body)))
	require.Equal(t, 200, w.Code)
	in := r.startedEvents()[item]
	require.Equal(t, "meta.page.feed", in.Event.Type)
	require.JSONEq(t, `{"object":"page","entry":{"id":"7","time":1}}`, string(in.Context))
}

// TestIngestWhileDown: a sender that repeats is told when, one that does not is cut off, and the
// repeat completes what was begun.
func TestIngestWhileDown(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	github, mautic := r.source(githubSource), r.source(`{"provider":"mautic","config":{"secrets":["k"]}}`)
	items := `{"mautic.form_on_submit":[{"n":1},{"n":2}]}`
	down := func() {
		r.t.Helper()
		w := r.fromGitHub(github, "s3cr3t-new", "push", `{"n":1}`)
		refused(t, w, 503, api.Unavailable)
		require.NotEmpty(t, w.Header().Get("Retry-After"))
		require.PanicsWithError(t, http.ErrAbortHandler.Error(), func() { r.fromMautic(mautic, "k", items) })
	}
	r.temporal.Down = serviceerror.NewUnavailable("no")
	down()
	r.temporal.Down = nil
	require.Equal(t, 200, r.fromGitHub(github, "s3cr3t-new", "push", `{"n":1}`).Code)
	require.Equal(t, 200, r.fromMautic(mautic, "k", items).Code)

	r.sources.down = errors.New("registry away")
	down()
	require.PanicsWithError(t, http.ErrAbortHandler.Error(), func() {
		r.fromGitHub("src_"+strings.Repeat("1", 26), "s", "push", `{}`)
	}, "the source is unknown: every sender repeats what got no answer")
	r.sources.down, r.registry.down = nil, errors.New("registry away")
	down2 := r.fromGitHub(github, "s3cr3t-new", "push", `{"n":2}`)
	refused(t, down2, 503, api.Unavailable)
	require.Equal(t, 3, r.temporal.Starts())
}

func TestIngestHandshakes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	meta := r.source(`{"provider":"meta","config":{"secrets":["k"],"verify_token":"t"}}`)
	w := r.send("GET", meta+"?hub.mode=subscribe&hub.verify_token=t&hub.challenge=%3Cb%3E", "")
	require.Equal(t, 200, w.Code)
	require.Equal(t, "<b>", w.Body.String())
	require.True(t, strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain"))
	require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	require.Equal(t, 403, r.send("GET", meta+"?hub.mode=subscribe&hub.verify_token=x&hub.challenge=1", "").Code)

	crc := r.source(`{"provider":"x","config":{"consumer_secret":"k"}}`)
	w = r.send("GET", crc+"?crc_token=abc", "")
	require.Equal(t, 200, w.Code)
	require.JSONEq(t, `{"response_token":"sha256=`+base64.StdEncoding.EncodeToString(sum("k", "abc"))+`"}`, w.Body.String())
	require.Equal(t, 400, r.send("GET", crc, "").Code)
	require.Zero(t, r.temporal.Starts())
}

func TestIngestRefusesWhatIsTooMuch(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.source(githubSource)
	refused(t, r.fromGitHub(id, "s3cr3t-new", "push", strings.Repeat("x", 25<<20+1)), 413, api.PayloadTooLarge)
	refused(t, r.fromGitHub(id, "s3cr3t-new", "push", `{}`, "Content-Encoding", "br"), 415, api.UnsupportedMediaType)
	refused(t, r.fromGitHub(id, "s3cr3t-new", "push", `{}`, "Content-Encoding", "gzip, gzip"), 415, api.UnsupportedMediaType)
	require.Equal(t, 400, r.fromGitHub(id, "s3cr3t-new", "push", `not json`).Code)
	refused(t, r.send("TRACE", id, ""), 405, api.MethodNotAllowed)
	refused(t, r.send("POST", id+"/", "{}"), 404, webhook.NotFound)
	refused(t, r.send("POST", "", "{}"), 404, webhook.NotFound)
	require.Zero(t, r.temporal.Starts())
}

// TestIngestKeepsFromItsApplication: an event does not go back to where it came from, unless asked.
func TestIngestKeepsFromItsApplication(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	own := r.endpoint(`{"url":"https://example.com/own","application":"hub"}`)
	asks := r.endpoint(`{"url":"https://example.com/asks","application":"hub","echo":true}`)
	other := r.endpoint(`{"url":"https://example.com/other","application":"crm"}`)
	id := r.source(`{"provider":"github","config":{"secrets":["k"]},"application":"hub"}`)
	require.Equal(t, 200, r.fromGitHub(id, "k", "push", `{"n":1}`).Code)
	in := r.startedEvents()[`{"n":1}`]
	require.ElementsMatch(t, []string{asks, other}, in.EndpointIDs)
	require.Equal(t, []string{own}, in.Withheld)
	require.Equal(t, "hub", in.Event.Origin.Application)
}

// TestIngestKnowsAnEcho: what was delivered to the application comes back once as an event that
// is not delivered.
func TestIngestKnowsAnEcho(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.endpoint(`{"url":"https://example.com/other"}`)
	id := r.source(`{"provider":"github","config":{"secrets":["k"]},"application":"hub","echo":{"key":".id","value":".name"}}`)
	wrote := echo.Write{Value: echo.Value{Tenant: "acme", Application: "hub", Key: "7", Hash: hashOf(t, `"blue"`)}, EventID: "evt_1", EndpointID: "ep_1"}
	require.NoError(t, r.sources.Remember(t.Context(), wrote, time.Now()))
	for n, body := range []string{`{"id":7,"name":"blue","n":1}`, `{"id":7,"name":"blue","n":2}`, `{"id":7,"name":"red"}`, `{"name":"blue"}`} {
		require.Equal(t, 200, r.fromGitHub(id, "k", "push", body).Code)
		in := r.startedEvents()[body]
		if n == 0 {
			require.Equal(t, "evt_1", in.Event.Origin.EchoOf)
			require.Empty(t, in.EndpointIDs)
			continue
		}
		require.Empty(t, in.Event.Origin.EchoOf, body)
		require.Len(t, in.EndpointIDs, 1)
	}
	require.Contains(t, r.do("GET", "=/metrics", "").Body.String(), `hookloop_ingest_events_total{outcome="echo",provider="github"} 1`)
}

// TestHopsOfAThirdParty: the most that any header says; who garbles it is not held up for it.
func TestHopsOfAThirdParty(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.source(githubSource)
	for value, want := range map[string]int{"8, 1": 8, "1,9": 9, "x": 0, "-3": 0, "": 0, "99999999999999": 1<<31 - 1} {
		body := `{"hops":"` + value + `"}`
		require.Equal(t, 200, r.fromGitHub(id, "s3cr3t-new", "push", body, "Hookloop-Hops", value).Code)
		require.Equal(t, want, r.startedEvents()[body].Event.Hops, value)
	}
}

func TestHopsOfAnApp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	require.Equal(t, 202, r.do("POST", "/events", `{"type":"a","data":1}`, "Hookloop-Hops", "8").Code)
	require.Equal(t, 8, r.startedEvents()["1"].Event.Hops)
	for _, bad := range []string{"-1", "x", "99999999999"} {
		refused(t, r.do("POST", "/events", `{"type":"a","data":1}`, "Hookloop-Hops", bad), 422, webhook.Invalid)
	}
}
