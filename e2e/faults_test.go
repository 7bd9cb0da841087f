package e2e

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
	"hookloop/internal/signature"
	"hookloop/internal/webhook"
)

// The first attempt meets the bad wire, and the next is made when an operator asks for it: how long
// it takes to mend the wire is the machine's affair. Only an attempt that is to run out of time has
// little of it.
const (
	faultSchedule = `,"timeout":"30s","schedule":["0s","24h"]`
	shortSchedule = `,"timeout":"3s","schedule":["0s","24h"]`
)

// TestFaults spoils the network between worker and endpoint. What the endpoint got and what the
// record says must agree, and the event arrives once the network is sound again.
func TestFaults(t *testing.T) {
	t.Parallel()
	p := start(t, filepath.Join(t.TempDir(), "data"))
	for name, test := range map[string]func(*testing.T, app){
		"down":        endpointDown,
		"tls":         distrustsCertificate,
		"no-tls":      speaksNoTLS,
		"broken-body": breaksBody,
		"dripping":    dripsBody,
		"black-hole":  losesRequest,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mine := *p
			mine.Tenant = name
			test(t, app{&mine})
		})
	}
	for name, tc := range map[string]struct {
		fault
		failure  webhook.Failure
		sentence string
	}{
		"reset":        {fault{"reset_peer", "downstream", `{"timeout":0}`}, webhook.FailureReset, "connection broken before there was an answer"},
		"half-header":  {fault{"limit_data", "downstream", `{"bytes":17}`}, webhook.FailureReset, "connection broken before there was an answer"},
		"half-line":    {fault{"limit_data", "downstream", `{"bytes":20}`}, webhook.FailureOther, "no valid HTTP answer"},
		"byte-by-byte": {fault{"slicer", "downstream", `{"average_size":1,"size_variation":0,"delay":1000000}`}, webhook.FailureTimeout, "no answer within 3s"},
		"latency":      {fault{"latency", "downstream", `{"latency":60000}`}, webhook.FailureTimeout, "no answer within 3s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mine := *p
			mine.Tenant = name
			answerLost(t, app{&mine}, tc.fault, tc.failure, tc.sentence)
		})
	}
}

// listenBehind is listen with a wire before the endpoint.
func (a app) listenBehind(t *testing.T, cfg endpointtest.Config, more string) (*endpointtest.Server, endpoint, wire) {
	t.Helper()
	s := endpointtest.Start(t, cfg)
	w := startWire(t, s.URL)
	e := a.createEndpoint(t, `{"url":"http://`+w.Listen+`/"`+more+`}`)
	secret, err := signature.ParseSecret(e.Secret)
	require.NoError(t, err)
	s.Trust(secret)
	return s, e, w
}

// mend makes the wire sound, and has the next attempt made, with all the time there can be.
func (a app) mend(t *testing.T, w wire, id, endpointID string) {
	t.Helper()
	w.mend()
	a.call(t, http.StatusOK, http.MethodPatch, "/endpoints/"+endpointID, `{"timeout":"30s"}`, nil)
	hurry(t, a, id, endpointID)
}

// answerLost: the endpoint took the event but its answer did not come back. That is a failed
// attempt, made again under the same id.
func answerLost(t *testing.T, a app, f fault, failure webhook.Failure, sentence string) {
	schedule := faultSchedule
	if failure == webhook.FailureTimeout {
		schedule = shortSchedule
	}
	s, made, w := a.listenBehind(t, endpointtest.Config{}, schedule)
	w.spoil(f)
	e := a.post(t, `{"type":"contact.updated","data":1}`)
	a.attempted(t, e.ID, 1)
	a.mend(t, w, e.ID, made.ID)
	d := a.settled(t, e.ID)
	require.Equal(t, webhook.Delivered, d.Status)
	require.Len(t, d.Attempts, 2)
	require.Zero(t, d.Attempts[0].StatusCode)
	require.Equal(t, failure, d.Attempts[0].Failure)
	require.Equal(t, sentence, d.Attempts[0].Error)
	require.Equal(t, 200, d.Attempts[1].StatusCode)
	arrivedAs(t, s, e.ID, 2)
}

// arrivedAs: the endpoint got n requests and all of them were this event.
func arrivedAs(t *testing.T, s *endpointtest.Server, id string, n int) {
	t.Helper()
	got := s.Receipts()
	require.Len(t, got, n, "as many as attempts were recorded")
	for _, r := range got {
		require.NoError(t, r.Verified)
		require.Equal(t, id, r.ID)
	}
}

// endpointDown for longer than some steps of the schedule: attempts that reached no server are
// recorded as such, and the first one that can arrive does.
func endpointDown(t *testing.T, a app) {
	s, _, w := a.listenBehind(t, endpointtest.Config{}, `,"schedule":["0s","50ms","50ms","1s","1s","1m"]`)
	w.Stop()
	e := a.post(t, `{"type":"contact.updated","data":1}`)
	a.attempted(t, e.ID, 3)
	require.NoError(t, w.Start())
	d := a.settled(t, e.ID)
	require.Equal(t, webhook.Delivered, d.Status)
	for _, made := range d.Attempts[:len(d.Attempts)-1] {
		require.Equal(t, webhook.FailureRefused, made.Failure)
		require.Equal(t, "connection refused", made.Error)
	}
	arrivedAs(t, s, e.ID, 1)
}

// distrustsCertificate: one that no authority has signed ends the attempt before anything is sent.
func distrustsCertificate(t *testing.T, a app) {
	asked := make(chan string, 10)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- r.Header.Get("webhook-id")
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshakes that fail
	s.StartTLS()
	t.Cleanup(s.Close)
	failsTLS(t, a, s.URL, "certificate is signed by an unknown authority")
	require.Empty(t, asked)
}

func speaksNoTLS(t *testing.T, a app) {
	s := endpointtest.Start(t, endpointtest.Config{})
	failsTLS(t, a, strings.Replace(s.URL, "http:", "https:", 1), "the server does not speak TLS")
	require.Empty(t, s.Receipts())
}

func failsTLS(t *testing.T, a app, url, sentence string) {
	t.Helper()
	a.createEndpoint(t, `{"url":"`+url+`","schedule":["0s","50ms"]}`)
	d := a.settled(t, a.post(t, `{"type":"contact.updated","data":1}`).ID)
	require.Equal(t, webhook.Exhausted, d.Status)
	require.Len(t, d.Attempts, 2)
	for _, made := range d.Attempts {
		require.Equal(t, webhook.FailureTLS, made.Failure)
		require.Equal(t, sentence, made.Error)
	}
}

// breaksBody: the status came, so the endpoint has answered, whatever becomes of the rest.
func breaksBody(t *testing.T, a app) {
	s, _, w := a.listenBehind(t, endpointtest.Config{Body: strings.Repeat("x", 3000)}, faultSchedule)
	w.spoil(fault{"limit_data", "downstream", `{"bytes":500}`})
	e := a.post(t, `{"type":"contact.updated","data":1}`)
	d := a.settled(t, e.ID)
	require.Equal(t, webhook.Delivered, d.Status)
	require.Len(t, d.Attempts, 1)
	require.Equal(t, 200, d.Attempts[0].StatusCode)
	require.Regexp(t, `^x{1,499}$`, d.Attempts[0].ResponseBody, "what there was of it")
	arrivedAs(t, s, e.ID, 1)
}

// dripsBody: a body of one byte a second ends with the attempt's time, and what came of it is kept.
func dripsBody(t *testing.T, a app) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for second := time.NewTicker(time.Second); ; {
			_, _ = io.WriteString(w, "x")
			_ = http.NewResponseController(w).Flush()
			select {
			case <-second.C:
			case <-r.Context().Done():
				second.Stop()
				return
			}
		}
	}))
	t.Cleanup(s.Close)
	a.createEndpoint(t, `{"url":"`+s.URL+`","timeout":"3s","schedule":["0s"]}`)
	d := a.settled(t, a.post(t, `{"type":"contact.updated","data":1}`).ID)
	require.Equal(t, webhook.Delivered, d.Status)
	require.Regexp(t, `^x+$`, d.Attempts[0].ResponseBody)
	require.GreaterOrEqual(t, d.Attempts[0].DurationMS, int64(2900))
}

// losesRequest: nothing of the request arrives, so there is no receipt of that attempt.
func losesRequest(t *testing.T, a app) {
	s, made, w := a.listenBehind(t, endpointtest.Config{}, shortSchedule)
	w.spoil(fault{"timeout", "upstream", `{"timeout":0}`})
	e := a.post(t, `{"type":"contact.updated","data":1}`)
	a.attempted(t, e.ID, 1)
	a.mend(t, w, e.ID, made.ID)
	d := a.settled(t, e.ID)
	require.Equal(t, webhook.Delivered, d.Status)
	require.Len(t, d.Attempts, 2)
	require.Equal(t, webhook.FailureTimeout, d.Attempts[0].Failure)
	require.Equal(t, "no answer within 3s", d.Attempts[0].Error)
	arrivedAs(t, s, e.ID, 1)
}
