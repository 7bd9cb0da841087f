package e2e

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
	"hookloop/internal/npmtest"
)

// sdks are third parties' own libraries, installed in a folder.
type sdks struct{ dir string }

// job is something for a library to sign or to verify.
type job struct {
	Library string            `json:"library"`
	Do      string            `json:"do"`
	Secret  string            `json:"secret,omitempty"`
	Body    string            `json:"body"`
	Headers map[string]string `json:"headers"`
	At      int64             `json:"at,omitempty"` // when it was signed

	Certificates map[string]string `json:"certificates,omitempty"` // of Google: PEM by key id
	Audience     string            `json:"audience,omitempty"`
	Email        string            `json:"email,omitempty"`
}

type result struct {
	Headers map[string]string
	Verdict string
}

func (s sdks) do(t *testing.T, what string, jobs ...job) (results []result) {
	t.Helper()
	for i := range jobs {
		jobs[i].Do = what
	}
	in, err := json.Marshal(jobs)
	require.NoError(t, err)
	c := exec.CommandContext(t.Context(), "node", "judge.mjs")
	c.Dir = s.dir
	c.Stdin = bytes.NewReader(in)
	c.Stderr = t.Output()
	out, err := c.Output()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(out, &results))
	require.Len(t, results, len(jobs))
	return results
}

// thirdParty is one whose library signs with a secret.
type thirdParty struct {
	provider, library string
	secret, other     string
	headers           map[string]string // besides those of the signature
	body              string
	eventType         string
	timed             bool // the signature has a time, and does not hold for long
}

// awkward is JSON that changes when a program reads it and writes it again.
const awkward = `"z":1.10, "a":12345678901234567890, "u":"Zo\u00eb <&> é \/", "e":1E+2,"n":null`

const (
	standardSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	standardOther  = "whsec_b3RoZXItb3RoZXItb3RoZXItb3RoZXI="
)

var thirdParties = map[string]thirdParty{
	"stripe": {
		provider: "stripe", library: "stripe", secret: standardSecret, other: standardOther, timed: true,
		body: `{"id": "evt_1", "object": "event", "type": "invoice.paid", ` + awkward + `}`, eventType: "stripe.invoice.paid",
	},
	"standardwebhooks": {
		provider: "standard-webhooks", library: "standardwebhooks", secret: standardSecret, other: standardOther, timed: true,
		body: `{"type": "contact.updated", "data": {` + awkward + `}}`, eventType: "standard_webhooks.contact.updated",
	},
	"svix": {
		provider: "standard-webhooks", library: "svix", secret: standardSecret, other: standardOther, timed: true,
		body: `{"type": "contact.updated", "data": {` + awkward + `}}`, eventType: "standard_webhooks.contact.updated",
	},
	"github": {
		provider: "github", library: "github", secret: "It's a Secret to Everybody", other: "to nobody",
		headers: map[string]string{"x-github-event": "issues", "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958"},
		body:    `{"action": "opened", ` + awkward + `}`, eventType: "github.issues.opened",
	},
	"shopify": {
		provider: "shopify", library: "shopify", secret: "hush", other: "loud",
		headers: map[string]string{
			"x-shopify-topic": "orders/create", "x-shopify-shop-domain": "a.myshopify.com", "x-shopify-api-version": "2026-01",
			"x-shopify-webhook-id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
		},
		body: `{"id": 1, ` + awkward + `}`, eventType: "shopify.orders.create",
	},
	"shopify, the newer headers": {
		provider: "shopify", library: "shopify", secret: "hush", other: "loud",
		headers: map[string]string{
			"shopify-topic": "Product", "shopify-action": "update", "shopify-shop-domain": "a.myshopify.com",
			"shopify-api-version": "2026-01", "shopify-webhook-id": "1", "shopify-event-id": "2",
		},
		body: `{"id": 1, ` + awkward + `}`, eventType: "shopify.product.update",
	},
}

// TestSourceJudges lets third parties' own libraries send to us, over HTTP: what they sign is an
// event, byte for byte, and what they refuse is refused. It is not parallel with other tests, for
// Google's keys come from a server of its own that the environment names.
func TestSourceJudges(t *testing.T) {
	judges := sdks{npmtest.Install(t, "sdks")}
	google := startGoogle(t)
	t.Setenv("HOOKLOOP_GOOGLE_KEYS_URL", google.url)
	p := start(t, filepath.Join(t.TempDir(), "data"))
	tenant := func(name string) app {
		mine := *p
		mine.Tenant = strings.NewReplacer(", ", "-", " ", "-").Replace(name)
		return app{&mine}
	}
	for name, third := range thirdParties {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			third.judge(t, tenant(name), judges)
		})
	}
	t.Run("google", func(t *testing.T) {
		t.Parallel()
		google.judge(t, tenant("google"), judges)
	})
}

// judge sends what the library signs, and then what neither it nor we must accept.
func (p thirdParty) judge(t *testing.T, a app, judges sdks) {
	s, _ := a.listen(t, endpointtest.Config{}, "")
	in := a.createSource(t, p.provider, `{"secrets":["`+p.secret+`"]}`)
	good, forged, stale := p.signed(t, judges)
	tampered := good
	tampered.Body = strings.Replace(good.Body, "1.10", "9.10", 1)
	requests := []job{good, tampered, forged}
	if p.timed {
		requests = append(requests, stale)
	}
	for i := range requests {
		requests[i].Secret = p.secret
	}
	requireOnlyFirst(t, in, judges, requests)
	a.requireOneEvent(t, s, p.eventType, p.body)
}

// requireOnlyFirst expects that the library and we accept the first request and refuse the others.
func requireOnlyFirst(t *testing.T, in string, judges sdks, requests []job) {
	t.Helper()
	for i, judged := range judges.do(t, "verify", requests...) {
		status := post(t, in, requests[i].Headers, requests[i].Body)
		if i == 0 {
			require.Equal(t, "ok", judged.Verdict)
			require.Equal(t, http.StatusOK, status)
		} else {
			require.NotEqual(t, "ok", judged.Verdict, "request %d", i)
			require.Equal(t, http.StatusUnauthorized, status, "request %d, of which the library says %q", i, judged.Verdict)
		}
	}
}

// signed gives a request as the library signs it, one that it signs with another secret, and one of
// six minutes ago.
func (p thirdParty) signed(t *testing.T, judges sdks) (good, forged, stale job) {
	t.Helper()
	now := time.Now()
	good = job{Library: p.library, Secret: p.secret, Body: p.body, Headers: p.headers, At: now.Unix()}
	forged, stale = good, good
	forged.Secret = p.other
	stale.At = now.Add(-6 * time.Minute).Unix()
	all := judges.do(t, "sign", good, forged, stale)
	for i, j := range []*job{&good, &forged, &stale} {
		j.Headers = all[i].Headers
		maps.Copy(j.Headers, p.headers)
	}
	return good, forged, stale
}

func (a app) createSource(t *testing.T, provider, config string) (ingestURL string) {
	t.Helper()
	var source struct {
		IngestURL string `json:"ingest_url"`
	}
	a.call(t, http.StatusCreated, http.MethodPost, "/sources", `{"provider":"`+provider+`","config":`+config+`}`, &source)
	return source.IngestURL
}

// post sends as a third party would.
func post(t *testing.T, url string, headers map[string]string, body string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	resp, err := appClient.Do(r)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	return resp.StatusCode
}

// requireOneEvent expects that one event was delivered, with their bytes for its data.
func (a app) requireOneEvent(t *testing.T, s *endpointtest.Server, eventType, data string) {
	t.Helper()
	got := receipts(t, s, 1)
	require.Len(t, got, 1)
	var envelope struct {
		Type string
		Data json.RawMessage
	}
	require.NoError(t, json.Unmarshal(got[0].Body, &envelope))
	require.Equal(t, eventType, envelope.Type)
	require.Equal(t, data, string(envelope.Data))
	var e passed
	a.call(t, http.StatusOK, http.MethodGet, "/events/"+got[0].ID, "", &e)
	require.Equal(t, eventType, e.Type)
	require.NotNil(t, e.Origin)
}

// google is a Google with keys of the test's own.
type google struct {
	url           string // of its keys
	key, stranger *rsa.PrivateKey
}

const (
	googleAudience = "https://hooks.example.test"
	googleEmail    = "push@project.iam.gserviceaccount.com"
)

func startGoogle(t *testing.T) google {
	t.Helper()
	var g google
	var err error
	g.key, err = rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	g.stranger, err = rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	document := `{"keys":[{"kty":"RSA","use":"sig","alg":"RS256","kid":"1","n":"` + base64.RawURLEncoding.EncodeToString(g.key.N.Bytes()) +
		`","e":"` + base64.RawURLEncoding.EncodeToString(big.NewInt(int64(g.key.E)).Bytes()) + `"}]}`
	keys := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, document) }))
	t.Cleanup(keys.Close)
	g.url = keys.URL
	return g
}

// judge pushes with tokens of which Google's library must say the same as we.
func (g google) judge(t *testing.T, a app, judges sdks) {
	s, _ := a.listen(t, endpointtest.Config{}, "")
	in := a.createSource(t, "google-pubsub", `{"audience":"`+googleAudience+`","email":"`+googleEmail+`"}`)
	const body = `{"message":{"data":"SGVsbG8=","messageId":"1","message_id":"1",` + awkward + `},"subscription":"projects/p/subscriptions/s"}`
	hour := func(n time.Duration) any { return time.Now().Add(n * time.Hour).Unix() }
	tokens := []string{token(t, g.key, nil), token(t, g.stranger, nil)}
	for _, claims := range []jwt.MapClaims{
		{"aud": "https://elsewhere.example.test"},
		{"iss": "https://accounts.example.test"},
		{"iat": hour(-2), "exp": hour(-1)},
		{"iat": hour(1), "exp": hour(2)},
		{"email": "push@elsewhere.iam.gserviceaccount.com"},
		{"email_verified": false},
	} {
		tokens = append(tokens, token(t, g.key, claims))
	}
	var requests []job
	for _, token := range tokens {
		requests = append(requests, job{
			Library: "google", Body: body, Headers: map[string]string{"authorization": "Bearer " + token},
			Certificates: map[string]string{"1": certificate(t, g.key)}, Audience: googleAudience, Email: googleEmail,
		})
	}
	requireOnlyFirst(t, in, judges, requests)
	a.requireOneEvent(t, s, "google_pubsub.pubsub.message", body)
}

// token says who pushes, with changes to what Google would say.
func token(t *testing.T, key *rsa.PrivateKey, change jwt.MapClaims) string {
	t.Helper()
	claims := jwt.MapClaims{
		"iss": "https://accounts.google.com", "aud": googleAudience, "email": googleEmail, "email_verified": true,
		"sub": "1", "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}
	maps.Copy(claims, change)
	unsigned := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	unsigned.Header["kid"] = "1"
	signed, err := unsigned.SignedString(key)
	require.NoError(t, err)
	return signed
}

// certificate is the public key as Google's library wants it.
func certificate(t *testing.T, key *rsa.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}
