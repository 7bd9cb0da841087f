package sender_test

import (
	"context"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
	"hookloop/internal/sender"
	"hookloop/internal/signature"
	"hookloop/internal/webhook"
)

// TestMain lets far more tests run at once than there are processors, unless -parallel says
// otherwise: many wait for an endpoint that hangs.
func TestMain(m *testing.M) {
	flag.Parse()
	if at := flag.Lookup("test.parallel"); at.Value.String() == at.DefValue {
		_ = at.Value.Set("16") // it is a number
	}
	os.Exit(m.Run())
}

var sentAt = time.Date(2026, 1, 31, 12, 0, 0, 5, time.UTC)

func newSender(t testing.TB, cfg sender.Config) *sender.Sender {
	t.Helper()
	cfg.AllowLoopback = true
	s, err := sender.New(cfg)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return s
}

func delivery(url string) webhook.Delivery {
	return webhook.Delivery{
		Event:   webhook.Event{Tenant: "acme", ID: "evt_1", Type: "contact.updated", Timestamp: sentAt.Add(-time.Hour)},
		Content: webhook.Content{Data: []byte(`{"b": 1.10,"a":"\u00e9"}`)},
		Endpoint: webhook.Endpoint{
			ID: "ep_1", Tenant: "acme", URL: url, State: webhook.EndpointActive, Version: 3,
			Secrets: []webhook.EndpointSecret{{Secret: signature.NewSecret()}},
		},
	}
}

func TestSendSignsWithEveryLiveSecret(t *testing.T) {
	t.Parallel()
	srv := endpointtest.Start(t, endpointtest.Config{Body: "thanks"})
	s := newSender(t, sender.Config{Now: func() time.Time { return sentAt }, UserAgent: "Hookloop/1.2.3"})
	d := delivery(srv.URL + "/hooks?token=1")
	fresh, overlapping, expired := signature.NewSecret(), signature.NewSecret(), signature.NewSecret()
	d.Endpoint.Secrets = []webhook.EndpointSecret{
		{Secret: fresh}, {Secret: overlapping, ExpiresAt: sentAt.Add(time.Second)}, {Secret: expired, ExpiresAt: sentAt},
	}

	began := time.Now()
	a, err := s.Send(t.Context(), d, 2)
	require.NoError(t, err)
	require.LessOrEqual(t, a.DurationMS, time.Since(began).Milliseconds())
	a.DurationMS = 0
	require.Equal(t, webhook.Attempt{Number: 2, At: sentAt, StatusCode: 200, ResponseBody: "thanks", EndpointVersion: 3}, a)

	got := srv.MustWait(t, 1)[0]
	require.Equal(t, `{"type":"contact.updated","timestamp":"2026-01-31T11:00:00.000000005Z","data":{"b": 1.10,"a":"\u00e9"}}`, string(got.Body))
	require.Equal(t, "application/json", got.Header.Get("Content-Type"))
	require.Equal(t, "Hookloop/1.2.3", got.Header.Get("User-Agent"))
	require.Equal(t, "evt_1", got.ID)
	require.Equal(t, strconv.FormatInt(sentAt.Unix(), 10), got.Header.Get("webhook-timestamp"))
	require.Empty(t, got.Header.Get("Accept-Encoding"))
	verify := func(secret signature.Secret) error {
		return signature.Verify([]signature.Secret{secret}, got.Header, got.Body, sentAt)
	}
	require.NoError(t, verify(fresh))
	require.NoError(t, verify(overlapping))
	require.ErrorIs(t, verify(expired), signature.ErrNoMatch)
}

func TestOwnHeadersNeverOverrideOurs(t *testing.T) {
	t.Parallel()
	srv := endpointtest.Start(t, endpointtest.Config{})
	s := newSender(t, sender.Config{})
	d := delivery(srv.URL)
	d.Endpoint.Headers = map[string]string{
		"authorization": "Bearer abc", "X-Tenant": "7",
		"WEBHOOK-ID": "evt_forged", "webhook-signature": "v1,forged", "Content-Type": "text/plain", "user-agent": "forged",
		"Host": "inside.example", "Connection": "close", "Content-Length": "1", "Transfer-Encoding": "gzip", "Expect": "100-continue",
		"Accept-Encoding": "gzip", "Proxy-Authorization": "x", "Traceparent": "x",
	}
	srv.Trust(d.Endpoint.SigningSecrets(time.Now())...)
	a, err := s.Send(t.Context(), d, 1)
	require.NoError(t, err)
	require.Equal(t, 200, a.StatusCode)

	got := srv.MustWait(t, 1)[0]
	require.NoError(t, got.Verified)
	require.Equal(t, "Bearer abc", got.Header.Get("Authorization"))
	require.Equal(t, "7", got.Header.Get("X-Tenant"))
	require.Equal(t, "evt_1", got.ID)
	for _, name := range []string{"Expect", "Accept-Encoding", "Proxy-Authorization", "Traceparent", "Connection"} {
		require.Empty(t, got.Header.Get(name), name)
	}
}

func TestAnswersAreAttempts(t *testing.T) {
	t.Parallel()
	var followed bool
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed = true }))
	t.Cleanup(other.Close)
	for _, status := range []int{200, 204, 299, 301, 302, 307, 308, 400, 404, 408, 410, 429, 500, 503, 599} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			srv := endpointtest.Start(t, endpointtest.Config{
				Script: strconv.Itoa(status), Header: http.Header{"Retry-After": {"120"}, "Location": {other.URL}},
			})
			a, err := newSender(t, sender.Config{}).Send(t.Context(), delivery(srv.URL), 1)
			require.NoError(t, err)
			require.Equal(t, status, a.StatusCode)
			require.Empty(t, a.Failure)
			require.Empty(t, a.Error)
			want := 2 * time.Minute
			if status/100 == 2 {
				want = 0
			}
			require.Equal(t, want, a.RetryAfter())
		})
	}
	t.Cleanup(func() { require.False(t, followed, "a redirect was followed") })
}

func TestStateIsNotItsBusiness(t *testing.T) {
	t.Parallel()
	s := newSender(t, sender.Config{})
	for _, state := range []webhook.EndpointState{webhook.EndpointHeld, webhook.EndpointPaused, webhook.EndpointDisabled} {
		d := delivery(endpointtest.Start(t, endpointtest.Config{}).URL)
		d.Endpoint.State = state
		a, err := s.Send(t.Context(), d, 1)
		require.NoError(t, err, "activities have asked already, and a probe goes to a held endpoint")
		require.True(t, a.Succeeded())
	}
}

func TestCallerStopping(t *testing.T) {
	t.Parallel()
	srv := endpointtest.Start(t, endpointtest.Config{Script: "hang:6"})
	s := newSender(t, sender.Config{})
	for n := range 6 { // more than trip a breaker
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			_, err := s.Send(ctx, delivery(srv.URL), 1)
			done <- err
		}()
		srv.MustWait(t, n+1)
		cancel()
		requireDeferral(t, <-done, webhook.DeferStopping, "the worker stopped")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Send(ctx, delivery(srv.URL), 1)
	requireDeferral(t, err, webhook.DeferStopping, "")
	require.Len(t, srv.Receipts(), 6, "nothing is sent once stopped")

	a, err := s.Send(t.Context(), delivery(srv.URL), 1)
	require.NoError(t, err, "stopping is not the endpoint's fault")
	require.Equal(t, 200, a.StatusCode)
}

func TestNoSecretIsAnError(t *testing.T) {
	t.Parallel()
	d := delivery("http://127.0.0.1:1")
	d.Endpoint.Secrets = nil
	_, err := newSender(t, sender.Config{}).Send(t.Context(), d, 1)
	require.EqualError(t, err, "endpoint ep_1: no secret to sign with")
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	_, err := sender.New(sender.Config{MaxInFlight: -1})
	require.EqualError(t, err, "sender: at most -1 attempts in flight")
}

func requireDeferral(t *testing.T, err error, reason webhook.DeferReason, detail string) {
	t.Helper()
	var d *webhook.Deferral
	require.ErrorAs(t, err, &d)
	require.Equal(t, reason, d.Reason)
	require.Contains(t, d.Detail, detail)
}
