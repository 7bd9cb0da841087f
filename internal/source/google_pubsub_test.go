package source_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"hookloop/internal/source"
)

const (
	pubsubConfig = `{"audience":"https://hooks.example/in/src_1","email":"push@proj.iam.gserviceaccount.com"}`
	pubsubBody   = `{"message":{"data":"aGk=","messageId":"12","message_id":"12"},"subscription":"projects/p/subscriptions/s"}`
)

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
	for _, headers := range [][]string{unwrapped[:2], unwrapped[2:], {"X-Goog-Pubsub-Message-Id", "\xff", unwrapped[2], unwrapped[3]}} {
		_, err := p.Read(post("{}", headers...))
		requireStatus(t, http.StatusBadRequest, err)
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
