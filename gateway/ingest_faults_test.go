package gateway_test

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/api"
	"hookloop/gateway"
	"hookloop/internal/echo"
	"hookloop/internal/quota"
	"hookloop/internal/webhook"
)

const hubSource = `{"provider":"github","config":{"secrets":["k"]},"application":"hub","echo":{"key":".id","value":".name"}}`

// TestIngestStartsNothingItKnowsTooLittleOf: started anyway, an event would come twice, or go back
// to the application that it comes from. Its sender sends it again.
func TestIngestStartsNothingItKnowsTooLittleOf(t *testing.T) {
	t.Parallel()
	for _, asked := range []string{"Arrivals", "Withheld", "Rule"} {
		t.Run(asked, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			id := r.source(hubSource)
			r.sources.fail(asked)
			refused(t, r.fromGitHub(id, "k", "push", `{"id":7,"name":"blue"}`), 503, api.Unavailable)
			require.Zero(t, r.temporal.Starts())
			r.sources.fail("")
			require.Equal(t, 200, r.fromGitHub(id, "k", "push", `{"id":7,"name":"blue"}`).Code)
			require.Equal(t, 1, r.temporal.Starts())
		})
	}
}

// TestWhatTheRegistryMissedIsWrittenLater: else a repeat that comes after Temporal has forgotten
// the event would be another one. A gateway that stops writes what it still has.
func TestWhatTheRegistryMissedIsWrittenLater(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.source(githubSource)
	_, stop := r.serve()
	for _, event := range []string{"push", "issues"} {
		require.Equal(t, 200, r.fromGitHub(id, "s3cr3t-new", event, `{"event":"`+event+`"}`).Code)
		if event == "push" {
			r.sources.fail("TakeArrivals")
			refused(t, r.do("GET", "/sources/"+id, ""), 503, api.Unavailable)
			r.sources.fail("")
			require.Equal(t, int64(1), r.write(id).Accepted, "counted once")
		}
	}
	stop()
	r.temporal.Forget()
	another := newRigOver(t, func(b *behind) { b.temporal = r.temporal }, func(c *gateway.Config) { c.Sources = r.sources })
	for _, event := range []string{"push", "issues"} {
		require.Equal(t, 200, another.fromGitHub(id, "s3cr3t-new", event, `{"event":"`+event+`"}`).Code)
	}
	require.Equal(t, 2, r.temporal.Starts())
	require.Equal(t, int64(2), another.write(id).Accepted)
}

// TestAnApplicationGetsBackWhatItLost: a delivery that was late has overwritten a newer value. Only
// the application's own endpoints get that once more, as an event of its own.
func TestAnApplicationGetsBackWhatItLost(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		wants     string // by the application's own endpoint
		forgotten bool
	}{
		"it is brought once more":      {"contact.*", false},
		"it takes none of that type":   {"other", false},
		"nothing is left of the event": {"contact.*", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			own := r.endpoint(`{"url":"https://example.com/own","application":"hub","event_types":["` + tc.wants + `"]}`)
			other := r.endpoint(`{"url":"https://example.com/other"}`)
			id := r.source(hubSource)
			newer := read[acceptedEvent](t, r.do("POST", "/events", `{"type":"contact.updated","data":{"newer":1}}`), 202).ID
			wrote := func(event, value string, order int64) {
				require.NoError(t, r.sources.Remember(t.Context(), echo.Write{
					Value:   echo.Value{Tenant: "acme", Application: "hub", Key: "7", Hash: hashOf(t, `"`+value+`"`)},
					EventID: event, EndpointID: own, Order: order,
				}, time.Now()))
			}
			const red, blue = `{"id":7,"name":"red"}`, `{"id":7,"name":"blue"}`
			wrote("evt_late", "blue", 1)
			wrote(newer, "red", 2)
			require.Equal(t, 200, r.fromGitHub(id, "k", "reports", red).Code)
			if tc.forgotten {
				r.temporal.Forget()
			}
			before := r.temporal.Starts()
			require.Equal(t, 200, r.fromGitHub(id, "k", "overwritten", blue).Code)
			in := r.startedEvents()
			if tc.forgotten || tc.wants == "other" {
				require.Equal(t, before+1, r.temporal.Starts())
				require.Empty(t, in[blue].Event.Origin.EchoOf, "the others follow")
				require.Equal(t, []string{other}, in[blue].EndpointIDs)
				return
			}
			require.Equal(t, before+2, r.temporal.Starts())
			require.Equal(t, "evt_late", in[blue].Event.Origin.EchoOf)
			require.Empty(t, in[blue].EndpointIDs)
			repeats := 0
			for _, run := range r.temporal.Runs() {
				e, content := startedBy(t, run)
				if e.Event.Origin == nil || e.Event.Origin.Repeats == "" {
					continue
				}
				repeats++
				require.JSONEq(t, `{"newer":1}`, content)
				require.Equal(t, newer, e.Event.Origin.Repeats)
				require.NotEqual(t, newer, e.Event.ID, "receivers pass over an id they know")
				require.Equal(t, "contact.updated", e.Event.Type)
				require.Equal(t, []string{own}, e.EndpointIDs)
				require.EqualValues(t, 2, e.Event.Origin.Order)
			}
			require.Equal(t, 1, repeats)
			require.Contains(t, r.do("GET", "=/metrics", "").Body.String(), `hookloop_ingest_events_total{outcome="repeat",provider="github"} 1`)
		})
	}
}

// TestIngestKeepsDisabledEndpointsWithTheEvent, so that it can be redelivered to them; those of its
// own application did not want it.
func TestIngestKeepsDisabledEndpointsWithTheEvent(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var ids []string
	for _, application := range []string{"crm", "hub"} {
		id := r.endpoint(`{"url":"https://example.com/","application":"` + application + `"}`)
		_, err := r.registry.UpdateEndpoint(t.Context(), "acme", id, func(e *webhook.Endpoint) error {
			e.State = webhook.EndpointDisabled
			return nil
		})
		require.NoError(t, err)
		ids = append(ids, id)
	}
	require.Equal(t, 200, r.fromGitHub(r.source(hubSource), "k", "push", `{"n":1}`).Code)
	in := r.startedEvents()[`{"n":1}`]
	require.Equal(t, ids[:1], in.Disabled)
	require.Empty(t, in.EndpointIDs)
}

// TestIngestTakesOfTheQuota what a request brings: each event is a post, and its bytes count.
func TestIngestTakesOfTheQuota(t *testing.T) {
	t.Parallel()
	for name, l := range map[string]quota.Limits{"posts": {PostsPerSecond: 0.001}, "bytes": {BytesPerDay: 1000}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRigOf(t, l)
			id := r.source(githubSource)
			require.Equal(t, 200, r.fromGitHub(id, "s3cr3t-new", "push", `{"n":"`+strings.Repeat("x", 600)+`"}`).Code)
			refused(t, r.fromGitHub(id, "s3cr3t-new", "issues", `{"n":"`+strings.Repeat("y", 600)+`"}`), 429, api.QuotaExceeded)
			require.Equal(t, 1, r.temporal.Starts())
			require.Contains(t, r.do("GET", "=/metrics", "").Body.String(), `hookloop_ingest_requests_total{outcome="quota_exceeded",provider="github"} 1`)
		})
	}
}

// TestItemsThatNoHistoryHolds are refused, and named: Temporal would refuse them for ever.
func TestItemsThatNoHistoryHolds(t *testing.T) {
	t.Parallel()
	r := newRigWith(t, func(c *gateway.Config) { c.LargeItems = false })
	github := r.source(githubSource)
	sized := func(n int) string { return `{"a":"` + strings.Repeat("x", n-8) + `"}` }
	require.Equal(t, 200, r.fromGitHub(github, "s3cr3t-new", "push", sized(1<<20)).Code)
	refused(t, r.fromGitHub(github, "s3cr3t-new", "issues", sized(1<<20+1)), 422, webhook.Invalid)

	meta := r.source(`{"provider":"meta","config":{"secrets":["k"],"verify_token":"t"}}`)
	about := func(n int) int { // of all items
		body := `{"object":"page","entry":[{"id":"` + strings.Repeat("7", n) + `","time":1,"changes":[{"a":1}]}]}`
		return r.send("POST", meta, body, "X-Hub-Signature-256", "sha256="+hex.EncodeToString(sum("k", body))).Code
	}
	require.Equal(t, 200, about(15<<10))
	require.Equal(t, 422, about(16<<10))
	require.Equal(t, 2, r.temporal.Starts())
}

// TestIngestCountsWhatBecameOfItems, each once.
func TestIngestCountsWhatBecameOfItems(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.source(`{"provider":"mautic","config":{"secrets":["k"]}}`)
	deep := strings.Repeat("[", webhook.MaxDepth+1) + strings.Repeat("]", webhook.MaxDepth+1)
	for _, items := range []string{`{"n":1},{"n":2},` + deep, `{"n":2},{"n":3}`} {
		body := `{"mautic.page_on_hit":[` + items + `]}`
		require.Equal(t, 200, r.send("POST", id, body, "Webhook-Signature", base64.StdEncoding.EncodeToString(sum("k", body))).Code)
	}
	metrics := r.do("GET", "=/metrics", "").Body.String()
	for _, line := range []string{
		`hookloop_ingest_events_total{outcome="accepted",provider="mautic"} 3`,
		`hookloop_ingest_events_total{outcome="duplicate",provider="mautic"} 1`,
		`hookloop_ingest_events_total{outcome="refused",provider="mautic"} 1`,
		`hookloop_ingest_requests_total{outcome="accepted",provider="mautic"} 1`,
		`hookloop_ingest_requests_total{outcome="bad_events",provider="mautic"} 1`,
		`hookloop_events_accepted_total 3`,
	} {
		require.Contains(t, metrics, line)
	}
}
