package source_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/source"
	"hookloop/internal/webhook"
)

var receivedAt = time.Unix(1_769_860_800, 0)

// configure makes a provider that has nothing to fetch.
func configure(name, config string) (source.Provider, error) {
	all, err := source.New(source.Config{Fetch: &shelf{}})
	if err != nil {
		return nil, err
	}
	return all.Provider(name, json.RawMessage(config))
}

func newProvider(t testing.TB, name, config string) source.Provider {
	t.Helper()
	p, err := configure(name, config)
	require.NoError(t, err)
	return p
}

// post is a request with headers given as names and values in turn.
func post(body string, headers ...string) source.Request {
	h := http.Header{}
	for i := 0; i < len(headers); i += 2 {
		h.Add(headers[i], headers[i+1])
	}
	return source.Request{Method: http.MethodPost, Header: h, Body: []byte(body), Now: receivedAt}
}

func macOf(h func() hash.Hash, key string, parts ...string) []byte {
	m := hmac.New(h, []byte(key))
	for _, p := range parts {
		m.Write([]byte(p))
	}
	return m.Sum(nil)
}

func hexMAC(key string, parts ...string) string {
	return hex.EncodeToString(macOf(sha256.New, key, parts...))
}

func base64MAC(key string, parts ...string) string {
	return base64.StdEncoding.EncodeToString(macOf(sha256.New, key, parts...))
}

// hashOf is how keys made of content are written.
func hashOf(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// requireStatus says that err refuses with this status, and shows nothing of the secret.
func requireStatus(t testing.TB, status int, err error) {
	t.Helper()
	refusal, ok := errors.AsType[*source.Refusal](err)
	require.True(t, ok, "%v", err)
	require.Equal(t, status, refusal.Status)
	require.NotContains(t, refusal.Reason, secret)
}

// secret is the third party's in these tests.
const secret = "s3cr3t-of-theirs"

// requireOnly reads a request that holds one event.
func requireOnly(t testing.TB, p source.Provider, r source.Request) source.Item {
	t.Helper()
	received, err := p.Read(r)
	require.NoError(t, err)
	require.Len(t, received.Items, 1)
	require.NoError(t, webhook.CheckData(received.Items[0].Data))
	return received.Items[0]
}

// badConfigs says which field of which config is to blame.
func requireBadConfigs(t *testing.T, provider string, fields map[string]string) {
	t.Helper()
	for config, field := range fields {
		_, err := configure(provider, config)
		invalid, ok := errors.AsType[*webhook.Error](err)
		require.True(t, ok, "%s: %v", config, err)
		require.Equal(t, webhook.Invalid, invalid.Code)
		require.Equal(t, field, invalid.Field, "%s: %v", config, err)
		require.NotContains(t, err.Error(), secret)
	}
}
