package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
	"hookloop/internal/signature"
)

// listen starts a scripted endpoint that verifies, and registers it.
func (a app) listen(t *testing.T, cfg endpointtest.Config, more string) (*endpointtest.Server, endpoint) {
	t.Helper()
	s := endpointtest.Start(t, cfg)
	e := a.createEndpoint(t, `{"url":"`+s.URL+`"`+more+`}`)
	secret, err := signature.ParseSecret(e.Secret)
	require.NoError(t, err)
	s.Trust(secret)
	return s, e
}

func receipts(t *testing.T, s *endpointtest.Server, n int) []endpointtest.Receipt {
	t.Helper()
	got := receiptsUnverified(t, s, n)
	for _, r := range got {
		require.NoError(t, r.Verified)
	}
	return got
}

// TestDeliver shares one process: each test has a tenant of its own.
func TestDeliver(t *testing.T) {
	t.Parallel()
	p := start(t, filepath.Join(t.TempDir(), "data"))
	for name, test := range map[string]func(*testing.T, app){
		"signed and byte for byte":      deliversBytes,
		"Mautic's contact payload":      deliversMautic,
		"only to matching endpoints":    matches,
		"to 0, 1 and 64 endpoints":      fansOut,
		"50 posts of one key":           idempotencyRace,
		"another body under one key":    idempotencyConflict,
		"a failed first attempt":        retries,
		"the schedule is spent":         exhausts,
		"a rotated secret overlaps":     rotates,
		"a test event to one endpoint":  testsEndpoint,
		"redirects are not followed":    refusesRedirect,
		"lists by type and status":      lists,
		"an endpoint deleted meanwhile": deletes,
		"what was refused is no echo":   refusedIsNoEcho,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mine := *p
			mine.Tenant = strings.ToLower(strings.NewReplacer("/", "-", " ", "-", ",", "", "'", "", "_", "-").Replace(name))
			test(t, app{&mine})
		})
	}
}

func deliversBytes(t *testing.T, a app) {
	s, _ := a.listen(t, endpointtest.Config{Body: "thanks"}, "")
	const data = `{ "z":1.10, "a":12345678901234567890, "u":"Zo\u00eb <&> é", "e":1E+2,"n":null }`
	e := a.post(t, `{"timestamp":"2026-01-31T12:00:00+01:00","type":"contact.updated","data":`+data+`}`)
	require.Len(t, e.Deliveries, 1)
	got := receipts(t, s, 1)[0]
	require.Equal(t, e.ID, got.ID)
	require.Equal(t, `{"type":"contact.updated","timestamp":"2026-01-31T11:00:00Z","data":`+data+`}`, string(got.Body))
	require.Equal(t, "application/json", got.Header.Get("Content-Type"))
	require.Regexp(t, `^Hookloop/`, got.Header.Get("User-Agent"))

	done := a.ended(t, e.ID)
	require.Equal(t, "delivered", done.Status)
	require.Equal(t, "delivered", done.Deliveries[0].Status)
	require.Equal(t, 200, done.Deliveries[0].Attempts[0].StatusCode)
	require.Equal(t, "thanks", done.Deliveries[0].Attempts[0].ResponseBody)
}

func deliversMautic(t *testing.T, a app) {
	content, err := os.ReadFile("testdata/mautic-contact.json")
	require.NoError(t, err)
	s, _ := a.listen(t, endpointtest.Config{}, "")
	a.post(t, `{"type":"mautic.lead_post_save_update","data":`+string(content)+`}`)
	var body struct{ Data json.RawMessage }
	require.NoError(t, json.Unmarshal(receipts(t, s, 1)[0].Body, &body))
	require.Equal(t, string(content), string(body.Data))
}

func matches(t *testing.T, a app) {
	contacts, _ := a.listen(t, endpointtest.Config{}, `,"event_types":["contact.updated"]`)
	all, _ := a.listen(t, endpointtest.Config{}, "")
	a.post(t, `{"type":"order.paid","data":1}`)
	e := a.post(t, `{"type":"contact.updated","data":2}`)
	receipts(t, all, 2)
	require.Equal(t, e.ID, receipts(t, contacts, 1)[0].ID)
	require.Len(t, contacts.Receipts(), 1)
}

func fansOut(t *testing.T, a app) {
	none := a.ended(t, a.post(t, `{"type":"fan.out","data":0}`).ID)
	require.Equal(t, "unmatched", none.Status, "an event without endpoints is still an event")
	require.Empty(t, none.Deliveries)
	s := endpointtest.Start(t, endpointtest.Config{})
	for n := 1; n <= 64; n++ {
		a.createEndpoint(t, fmt.Sprintf(`{"url":"%s/%d"}`, strings.TrimSuffix(s.URL, "/"), n))
		if n != 1 && n != 64 {
			continue
		}
		before := len(s.Receipts())
		e := a.ended(t, a.post(t, `{"type":"fan.out","data":0}`).ID)
		require.Equal(t, "delivered", e.Status)
		require.Len(t, e.Deliveries, n)
		require.Len(t, s.Receipts(), before+n)
	}
}

func idempotencyRace(t *testing.T, a app) {
	s, _ := a.listen(t, endpointtest.Config{}, "")
	ids := make(chan accepted, 50)
	var posts sync.WaitGroup
	for range 50 {
		posts.Go(func() {
			post := func() (int, []byte) {
				return a.try(t.Context(), http.MethodPost, "/events", `{"type":"order.paid","data":{"id":7}}`,
					http.Header{"Idempotency-Key": {"order-7"}})
			}
			status, body := post()
			for bytes.Contains(body, []byte(`"overloaded"`)) { // so many at once are too many for a slow machine
				status, body = post()
			}
			var e accepted
			if status == http.StatusAccepted && json.Unmarshal(body, &e) == nil {
				ids <- e
			}
		})
	}
	posts.Wait()
	close(ids)
	firsts := map[bool]int{}
	same := map[string]int{}
	for e := range ids {
		firsts[e.Duplicate]++
		same[e.ID]++
		require.Len(t, e.Deliveries, 1)
	}
	require.Equal(t, map[bool]int{false: 1, true: 49}, firsts)
	require.Len(t, same, 1)
	for id := range same {
		require.Equal(t, "delivered", a.ended(t, id).Status)
	}
	require.Len(t, s.Receipts(), 1)
}

func idempotencyConflict(t *testing.T, a app) {
	key := http.Header{"Idempotency-Key": {"k"}}
	status, _ := a.try(t.Context(), http.MethodPost, "/events", `{"type":"order.paid","data":{"id":7}}`, key)
	require.Equal(t, http.StatusAccepted, status)
	status, body := a.try(t.Context(), http.MethodPost, "/events", `{"type":"order.paid","data":{"id":8}}`, key)
	require.Equal(t, http.StatusConflict, status)
	require.Contains(t, string(body), `"idempotency_conflict"`)
}

func retries(t *testing.T, a app) {
	s, _ := a.listen(t, endpointtest.Config{Script: "503 drop 200", Body: "later"}, `,"schedule":["0s","100ms","100ms","1h"]`)
	e := a.post(t, `{"type":"contact.updated","data":{"n":1.10}}`)
	got := receipts(t, s, 3)
	for _, r := range got {
		require.Equal(t, e.ID, r.ID, "webhook-id is the same on every attempt")
		require.Equal(t, string(got[0].Body), string(r.Body))
	}
	done := a.ended(t, e.ID)
	require.Equal(t, "delivered", done.Status)
	d := done.Deliveries[0]
	require.Empty(t, d.WorkflowID, "early retries are the event's own")
	require.Len(t, d.Attempts, 3)
	require.Equal(t, []int{503, 0, 200}, []int{d.Attempts[0].StatusCode, d.Attempts[1].StatusCode, d.Attempts[2].StatusCode})
	require.Equal(t, "later", d.Attempts[0].ResponseBody)
	require.NotEmpty(t, d.Attempts[1].Error)
}

func exhausts(t *testing.T, a app) {
	s, _ := a.listen(t, endpointtest.Config{Script: "500"}, `,"schedule":["0s","50ms","50ms"]`)
	done := a.ended(t, a.post(t, `{"type":"contact.updated","data":1}`).ID)
	require.Equal(t, "failed", done.Status)
	require.Equal(t, "exhausted", done.Deliveries[0].Status)
	require.Len(t, s.Receipts(), 3)
}

func rotates(t *testing.T, a app) {
	s, e := a.listen(t, endpointtest.Config{}, "")
	var next struct{ Secret string }
	a.call(t, http.StatusOK, http.MethodPost, "/endpoints/"+e.ID+"/secret/rotate", `{"overlap":"1h"}`, &next)
	require.NotEqual(t, e.Secret, next.Secret)
	a.post(t, `{"type":"contact.updated","data":1}`)
	got := receipts(t, s, 1)[0] // verified with the old secret
	require.Len(t, strings.Fields(got.Header.Get("webhook-signature")), 2)
	secret, err := signature.ParseSecret(next.Secret)
	require.NoError(t, err)
	require.NoError(t, signature.Verify([]signature.Secret{secret}, got.Header, got.Body, got.At))
}

func testsEndpoint(t *testing.T, a app) {
	s, e := a.listen(t, endpointtest.Config{}, `,"event_types":["contact.updated"]`)
	other, _ := a.listen(t, endpointtest.Config{}, "")
	a.call(t, http.StatusAccepted, http.MethodPost, "/endpoints/"+e.ID+"/test", "", nil)
	require.Contains(t, string(receipts(t, s, 1)[0].Body), `"hookloop.test"`)
	require.Empty(t, other.Receipts())
}

func refusesRedirect(t *testing.T, a app) {
	other := endpointtest.Start(t, endpointtest.Config{})
	a.listen(t, endpointtest.Config{Script: "302", Header: http.Header{"Location": {other.URL}}}, `,"schedule":["0s"]`)
	done := a.ended(t, a.post(t, `{"type":"contact.updated","data":1}`).ID)
	require.Equal(t, "failed", done.Status)
	require.Equal(t, 302, done.Deliveries[0].Attempts[0].StatusCode)
	require.Empty(t, other.Receipts())
}

func lists(t *testing.T, a app) {
	s, _ := a.listen(t, endpointtest.Config{Script: "500"}, `,"schedule":["0s","24h"],"event_types":["order.paid"]`)
	good := a.post(t, `{"type":"contact.updated","data":1}`)
	bad := a.post(t, `{"type":"order.paid","data":1}`)
	receipts(t, s, 1)
	one := func(query, id, status string) {
		eventually(t, query, func() bool { // the list follows the events by a moment
			var l struct{ Data []event }
			a.call(t, http.StatusOK, http.MethodGet, "/events?"+query, "", &l)
			return len(l.Data) == 1 && l.Data[0].ID == id && l.Data[0].Status == status
		})
	}
	one("type=contact.updated", good.ID, "unmatched")
	one("status=unmatched", good.ID, "unmatched")
	one("status=delivering&type=order.paid", bad.ID, "delivering")
}

func deletes(t *testing.T, a app) {
	s, e := a.listen(t, endpointtest.Config{Script: "500"}, `,"schedule":["0s"`+strings.Repeat(`,"1s"`, 25)+`]`) // it goes on for a while
	ev := a.post(t, `{"type":"contact.updated","data":1}`)
	receipts(t, s, 1)
	a.call(t, http.StatusNoContent, http.MethodDelete, "/endpoints/"+e.ID, "", nil)
	done := a.ended(t, ev.ID)
	require.Equal(t, "failed", done.Status)
	require.Equal(t, "cancelled", done.Deliveries[0].Status)
	require.Equal(t, "the endpoint was deleted", done.Deliveries[0].Reason)
}

// TestFanOutToAThousand runs alone: it is what one event may cost at the most.
func TestFanOutToAThousand(t *testing.T) {
	p := start(t, filepath.Join(t.TempDir(), "data"))
	a := app{p}
	s := endpointtest.Start(t, endpointtest.Config{})
	var clients sync.WaitGroup
	for first := range 8 {
		clients.Go(func() {
			for n := first; n < 1000; n += 8 {
				a.createEndpoint(t, fmt.Sprintf(`{"url":"%s/%d"}`, strings.TrimSuffix(s.URL, "/"), n))
			}
		})
	}
	clients.Wait()
	status, body := a.try(t.Context(), http.MethodPost, "/endpoints", `{"url":"`+s.URL+`"}`, nil)
	require.Equal(t, http.StatusTooManyRequests, status, "the 1001st: %s", body)
	begun := time.Now()
	e := a.post(t, `{"type":"fan.out","data":{"n":1000}}`)
	require.Len(t, e.Deliveries, 1000)
	receipts := receiptsUnverified(t, s, 1000)
	t.Logf("an event reached 1000 endpoints in %s", time.Since(begun).Round(time.Millisecond))
	paths := map[string]bool{}
	for _, r := range receipts {
		require.Equal(t, e.ID, r.ID)
		paths[r.Header.Get("webhook-signature")] = true
	}
	require.Len(t, paths, 1000, "every endpoint signs with a secret of its own")
	done := a.ended(t, e.ID)
	require.Equal(t, "delivered", done.Status)
	require.Less(t, historyLength(t, p, e.WorkflowID), 1200, "a line for each endpoint, and a few tasks")
}

// receiptsUnverified has patience for each receipt, not for all: on a slow machine many take long.
func receiptsUnverified(t *testing.T, s *endpointtest.Server, n int) []endpointtest.Receipt {
	t.Helper()
	got := s.Receipts()
	for len(got) < n {
		ctx, cancel := withPatience(t)
		all, err := s.Wait(ctx, len(got)+1)
		cancel()
		require.NoError(t, err, "%d of %d receipts", len(got), n)
		got = all
	}
	return got
}
