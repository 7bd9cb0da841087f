package source_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"hookloop/internal/source"
)

const (
	pubsubConfig = `{"audience":"https://hooks.example/in/src_1","email":"push@proj.iam.gserviceaccount.com"}`
	pubsubBody   = `{"message":{"data":"aGk=","messageId":"12","message_id":"12"},"subscription":"projects/p/subscriptions/s"}`
)

// fakeGoogle publishes keys and signs with them.
type fakeGoogle struct {
	key     *rsa.PrivateKey
	fetched atomic.Int64
	serve   func() ([]byte, error)
}

func newGoogle(t testing.TB) *fakeGoogle {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	g := &fakeGoogle{key: key}
	g.publish("key-1")
	return g
}

// publish makes Google show its one key under these ids.
func (g *fakeGoogle) publish(ids ...string) {
	keys := make([]map[string]string, len(ids))
	for i, id := range ids {
		keys[i] = map[string]string{
			"kid": id, "kty": "RSA", "alg": "RS256", "use": "sig",
			"n": base64.RawURLEncoding.EncodeToString(g.key.N.Bytes()),
			"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(g.key.E)).Bytes()),
		}
	}
	document, _ := json.Marshal(map[string]any{"keys": keys})
	g.serve = func() ([]byte, error) { return document, nil }
}

func (g *fakeGoogle) fail() {
	g.serve = func() ([]byte, error) { return nil, errors.New("fetch from www.googleapis.com: connection refused") }
}

func (g *fakeGoogle) Get(_ context.Context, url string) ([]byte, error) {
	g.fetched.Add(1)
	if url != googleKeysURL {
		return nil, errors.New("not Google's")
	}
	return g.serve()
}

func (g *fakeGoogle) provider(t testing.TB, config string) source.Provider {
	t.Helper()
	all, err := source.New(source.Config{Fetch: g})
	require.NoError(t, err)
	p, err := all.Provider("google-pubsub", json.RawMessage(config))
	require.NoError(t, err)
	return p
}

// claims are those of a good token of ten minutes before at, with some changed; nil takes one away.
func claims(at time.Time, changes map[string]any) jwt.MapClaims {
	c := jwt.MapClaims{
		"iss": "https://accounts.google.com", "aud": "https://hooks.example/in/src_1", "sub": "1",
		"email": "push@proj.iam.gserviceaccount.com", "email_verified": true,
		"iat": at.Add(-10 * time.Minute).Unix(), "exp": at.Add(50 * time.Minute).Unix(),
	}
	for name, value := range changes {
		c[name] = value
		if value == nil {
			delete(c, name)
		}
	}
	return c
}

func (g *fakeGoogle) sign(t testing.TB, kid any, c jwt.Claims) string {
	t.Helper()
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, c)
	token.Header["kid"] = kid
	signed, err := token.SignedString(g.key)
	require.NoError(t, err)
	return signed
}

func (g *fakeGoogle) push(t testing.TB, at time.Time, kid string) source.Request {
	t.Helper()
	r := post(pubsubBody, "Authorization", "Bearer "+g.sign(t, kid, claims(at, nil)))
	r.Now = at
	return r
}

func TestPubSubConfigs(t *testing.T) {
	t.Parallel()
	requireBadConfigs(t, "google-pubsub", map[string]string{
		`{}`:                          "config.audience",
		`{"audience":"a"}`:            "config.email",
		`{"audience":"a","email":""}`: "config.email",
		`{"email":"e"}`:               "config.audience",
		`{"audience":"a","email":"e","issuers":[""]}`: "config.issuers",
		`{"audience":["a"],"email":"e"}`:              "config.audience",
		`{"audience":"a","email":"e","jwks":{}}`:      "config.jwks",
	})
	requireShown(t, "google-pubsub", pubsubConfig, pubsubConfig)
	requireShown(t, "google-pubsub", `{"audience":"a","email":"e","issuers":["i"]}`, `{"audience":"a","email":"e","issuers":["i"]}`)
}

func TestPubSubClaims(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	p := g.provider(t, pubsubConfig)
	own := g.provider(t, strings.TrimSuffix(pubsubConfig, "}")+`,"issuers":["https://idp.example"]}`)
	seconds := func(d time.Duration) int64 { return receivedAt.Add(d).Unix() }
	for name, c := range map[string]struct {
		changes map[string]any
		genuine bool
	}{
		"good":                   {nil, true},
		"the issuer's old name":  {map[string]any{"iss": "accounts.google.com"}, true},
		"other issuer":           {map[string]any{"iss": "https://accounts.google.com.evil.example"}, false},
		"issuer with a slash":    {map[string]any{"iss": "https://accounts.google.com/"}, false},
		"no issuer":              {map[string]any{"iss": nil}, false},
		"other audience":         {map[string]any{"aud": "https://hooks.example/in/src_2"}, false},
		"no audience":            {map[string]any{"aud": nil}, false},
		"empty audience":         {map[string]any{"aud": ""}, false},
		"expires in a second":    {map[string]any{"exp": seconds(time.Second)}, true},
		"expired just now":       {map[string]any{"exp": seconds(0)}, false},
		"never expires":          {map[string]any{"exp": nil}, false},
		"expires in words":       {map[string]any{"exp": "soon"}, false},
		"an hour old":            {map[string]any{"iat": seconds(-time.Hour), "exp": seconds(time.Second)}, true},
		"issued a minute ahead":  {map[string]any{"iat": seconds(time.Minute)}, true},
		"issued further ahead":   {map[string]any{"iat": seconds(time.Minute + time.Second)}, false},
		"issued at no time":      {map[string]any{"iat": nil}, false},
		"not valid yet":          {map[string]any{"nbf": seconds(time.Minute)}, false},
		"other account":          {map[string]any{"email": "push@evil.iam.gserviceaccount.com"}, false},
		"account in capitals":    {map[string]any{"email": "PUSH@proj.iam.gserviceaccount.com"}, false},
		"no account":             {map[string]any{"email": nil}, false},
		"account not verified":   {map[string]any{"email_verified": false}, false},
		"account verified, no":   {map[string]any{"email_verified": nil}, false},
		"account verified, text": {map[string]any{"email_verified": "true"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := post(pubsubBody, "Authorization", "Bearer "+g.sign(t, "key-1", claims(receivedAt, c.changes)))
			if err := p.Verify(t.Context(), r); c.genuine {
				require.NoError(t, err)
			} else {
				requireStatus(t, http.StatusUnauthorized, err)
			}
			requireStatus(t, http.StatusUnauthorized, own.Verify(t.Context(), r))
		})
	}
	r := post(pubsubBody, "Authorization", "Bearer "+g.sign(t, "key-1", claims(receivedAt, map[string]any{"iss": "https://idp.example"})))
	require.NoError(t, own.Verify(t.Context(), r))
}

func TestPubSubTokens(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	p := g.provider(t, pubsubConfig)
	good := g.sign(t, "key-1", claims(receivedAt, nil))
	parts := strings.Split(good, ".")
	unsigned, err := jwt.NewWithClaims(jwt.SigningMethodNone, claims(receivedAt, nil)).SignedString(jwt.UnsafeAllowNoneSignatureType)
	require.NoError(t, err)
	other := jwt.NewWithClaims(jwt.SigningMethodRS512, claims(receivedAt, nil))
	other.Header["kid"] = "key-1"
	stronger, err := other.SignedString(g.key)
	require.NoError(t, err)
	confused := jwt.NewWithClaims(jwt.SigningMethodHS256, claims(receivedAt, nil))
	confused.Header["kid"] = "key-1"
	hmacked, err := confused.SignedString(g.key.N.Bytes())
	require.NoError(t, err)
	for name, c := range map[string]struct {
		header  string
		genuine bool
	}{
		"good":               {"Bearer " + good, true},
		"in small letters":   {"bearer " + good, true},
		"none":               {"", false},
		"nothing but a word": {"Bearer", false},
		"empty":              {"Bearer ", false},
		"another scheme":     {"Basic " + good, false},
		"without a scheme":   {good, false},
		"two tokens":         {"Bearer " + good + " " + good, false},
		"two parts":          {"Bearer " + parts[0] + "." + parts[1], false},
		"four parts":         {"Bearer " + good + "." + parts[2], false},
		"no signature":       {"Bearer " + parts[0] + "." + parts[1] + ".", false},
		"another signature":  {"Bearer " + parts[0] + "." + parts[1] + "." + strings.Repeat("A", len(parts[2])), false},
		"not Base64":         {"Bearer %.%.%", false},
		"not JSON":           {"Bearer e30x.e30x.e30x", false},
		"alg none":           {"Bearer " + unsigned, false},
		"alg RS512":          {"Bearer " + stronger, false},
		"alg HS256":          {"Bearer " + hmacked, false},
		"a kid of no text":   {"Bearer " + g.sign(t, 7, claims(receivedAt, nil)), false},
		"an empty kid":       {"Bearer " + g.sign(t, "", claims(receivedAt, nil)), false},
		"another's key":      {"Bearer " + newGoogle(t).sign(t, "key-1", claims(receivedAt, nil)), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := p.Verify(t.Context(), post(pubsubBody, "Authorization", c.header))
			if c.genuine {
				require.NoError(t, err)
				return
			}
			requireStatus(t, http.StatusUnauthorized, err)
		})
	}
}

func TestPubSubFetchesNothingForOtherAlgorithms(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	unsigned, err := jwt.NewWithClaims(jwt.SigningMethodNone, claims(receivedAt, nil)).SignedString(jwt.UnsafeAllowNoneSignatureType)
	require.NoError(t, err)
	requireStatus(t, http.StatusUnauthorized, g.provider(t, pubsubConfig).Verify(t.Context(), post("", "Authorization", "Bearer "+unsigned)))
	require.Zero(t, g.fetched.Load())
}

func TestGoogleKeysAreKept(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	p := g.provider(t, pubsubConfig)
	steps := []struct {
		after   time.Duration
		kid     string
		genuine bool
		fetched int64
	}{
		{0, "key-1", true, 1},
		{59 * time.Minute, "key-1", true, 1},
		{59 * time.Minute, "key-2", false, 2},                // an unknown key: asked at once,
		{59*time.Minute + 59*time.Second, "key-2", false, 2}, // and then once a minute
		{60 * time.Minute, "key-3", false, 3},
		{119 * time.Minute, "key-1", true, 3},
		{120 * time.Minute, "key-1", true, 4},
	}
	for _, s := range steps {
		err := p.Verify(t.Context(), g.push(t, receivedAt.Add(s.after), s.kid))
		if s.genuine {
			require.NoError(t, err, s.after)
		} else {
			requireStatus(t, http.StatusUnauthorized, err)
		}
		require.Equal(t, s.fetched, g.fetched.Load(), s.after)
	}
	g.publish("key-1", "key-2")
	require.NoError(t, p.Verify(t.Context(), g.push(t, receivedAt.Add(122*time.Minute), "key-2")), "Google changed its key")
	g.publish("key-2")
	requireStatus(t, http.StatusUnauthorized, p.Verify(t.Context(), g.push(t, receivedAt.Add(183*time.Minute), "key-1")))
}

func TestGoogleKeysOutOfReach(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	p := g.provider(t, pubsubConfig)
	verify := func(after time.Duration, kid string) error {
		return p.Verify(t.Context(), g.push(t, receivedAt.Add(after), kid))
	}
	g.fail()
	require.ErrorIs(t, verify(0, "key-1"), source.ErrUnavailable)
	require.ErrorIs(t, verify(9*time.Second, "key-1"), source.ErrUnavailable)
	require.Equal(t, int64(1), g.fetched.Load(), "a failure is not repeated with every request")
	for _, broken := range []string{"", "<html>", "{}", `{"keys":[]}`, `{"keys":[{"kty":"EC"},7,{"kty":"RSA","kid":"key-1","n":"AQ","e":"AQAB","use":"enc"}]}`} {
		g.serve = func() ([]byte, error) { return []byte(broken), nil }
		require.ErrorIs(t, g.provider(t, pubsubConfig).Verify(t.Context(), g.push(t, receivedAt, "key-1")), source.ErrUnavailable, broken)
	}
	g.publish("key-1")
	require.NoError(t, verify(10*time.Second, "key-1"))

	g.fail()
	require.NoError(t, verify(23*time.Hour, "key-1"), "the keys of before are as good as any")
	require.ErrorIs(t, verify(23*time.Hour, "key-2"), source.ErrUnavailable, "it may be a new one")
	require.ErrorIs(t, verify(25*time.Hour, "key-1"), source.ErrUnavailable, "but not forever")
}

func TestGoogleKeysAreFetchedOnceForAll(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	requests := []source.Request{g.push(t, receivedAt, "key-1"), g.push(t, receivedAt, "key-1"), g.push(t, receivedAt, "key-1")}
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan struct{})
		serve := g.serve
		g.serve = func() ([]byte, error) { <-answer; return serve() }
		p := g.provider(t, pubsubConfig)
		results := make(chan error, len(requests))
		ctx, cancel := context.WithCancel(t.Context())
		go func() { results <- p.Verify(ctx, requests[0]) }()
		synctest.Wait()
		for _, r := range requests[1:] {
			go func() { results <- p.Verify(t.Context(), r) }()
		}
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-results, source.ErrUnavailable, "whoever asked first has gone")
		close(answer)
		require.NoError(t, <-results)
		require.NoError(t, <-results)
		require.Equal(t, int64(1), g.fetched.Load())
	})
}

func TestPubSubMessages(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "google-pubsub", pubsubConfig)
	unwrapped := []string{"X-Goog-Pubsub-Message-Id", "12", "X-Goog-Pubsub-Subscription-Name", "projects/p/subscriptions/s"}
	for body, headers := range map[string][]string{
		pubsubBody: nil,
		`{"subscription":"projects/p/subscriptions/s","message":{"message_id":"12"},"deliveryAttempt":5}`: nil,
		`{"subscription":"projects/p/subscriptions/s","message":{"messageId":12}}`:                        nil,
		`{"a":  "\u00e9"}`: unwrapped,
		`7`:                unwrapped,
	} {
		item := requireOnly(t, p, post(body, headers...))
		require.Equal(t, source.Item{Type: "pubsub.message", Key: "projects/p/subscriptions/s:12", Data: json.RawMessage(body)}, item)
	}
	for body, headers := range map[string][]string{
		"": nil, "[]": nil, "{}": nil, "hi": unwrapped,
		`{"subscription":"s"}`:                             nil,
		`{"subscription":"s","message":{}}`:                nil,
		`{"subscription":"s","message":{"messageId":""}}`:  nil,
		`{"subscription":7,"message":{"messageId":"1"}}`:   nil,
		`{"message":{"messageId":"1"}}`:                    nil,
		`{"subscription":"s","message":[{"messageId":1}]}`: nil,
		`{"subscription":"s","message":{"messageId":"1"}`:  nil,
	} {
		_, err := p.Read(post(body, headers...))
		requireStatus(t, http.StatusBadRequest, err)
	}
}

func FuzzPubSubToken(f *testing.F) {
	g := newGoogle(f)
	p := g.provider(f, pubsubConfig)
	good := g.sign(f, "key-1", claims(receivedAt, nil))
	f.Add("Bearer " + good)
	f.Add("Bearer eyJhbGciOiJSUzI1NiIsImtpZCI6W119.eyJleHAiOjFlMzA4LCJhdWQiOjd9.AA")
	f.Fuzz(func(t *testing.T, header string) {
		if strings.Contains(header, good) {
			t.Skip()
		}
		require.Error(t, p.Verify(t.Context(), post(pubsubBody, "Authorization", header)))
	})
}
