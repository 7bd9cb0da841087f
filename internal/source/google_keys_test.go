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
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/published"
	"hookloop/internal/source"
)

// keySet is what cmd gives sources.
func keySet(f source.Fetcher, url string) *published.KeySet {
	return published.NewKeySet(source.FreshGoogleKeys, source.OldestGoogleKeys, func(ctx context.Context) ([]byte, error) {
		return f.Get(ctx, url)
	})
}

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
	all, err := source.New(source.Config{Fetch: g, GoogleKeys: keySet(g, googleKeysURL)})
	require.NoError(t, err)
	p, err := all.Provider("google-pubsub", json.RawMessage(config))
	require.NoError(t, err)
	return p
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
		{59*time.Minute + 19*time.Second, "key-2", false, 2}, // and then every twenty seconds
		{59*time.Minute + 20*time.Second, "key-3", false, 3},
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
	require.ErrorIs(t, verify(900*time.Millisecond, "key-1"), source.ErrUnavailable)
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
		require.ErrorIs(t, <-results, source.ErrUnavailable, "the first caller has gone")
		close(answer)
		require.NoError(t, <-results)
		require.NoError(t, <-results)
		require.Equal(t, int64(1), g.fetched.Load())
	})
}
