package registrytest

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"

	"hookloop/internal/keyring"
	"hookloop/internal/registry"
	"hookloop/internal/signature"
	"hookloop/internal/webhook"
)

func rotatedSecrets(t *testing.T, s Store) {
	r := open(t, s)
	e := endpoint(1)
	create(t, r, e)
	now := born.Add(time.Hour)
	for range 2 {
		next := signature.NewSecret()
		e.Rotate(next, now, 24*time.Hour)
		changed(t, r, 1, func(e *webhook.Endpoint) { e.Rotate(next, now, 24*time.Hour) })
	}
	got := must(r.Endpoint(t.Context(), tenant, id(1)))(t)
	require.Len(t, got.Secrets, 3)
	require.Equal(t, e.Secrets, got.Secrets)
	require.Len(t, got.SigningSecrets(now.Add(23*time.Hour)), 3)
	require.Len(t, got.SigningSecrets(now.Add(24*time.Hour)), 1)
}

// secretsSealed looks for every secret there ever was in all the store holds, while it is open
// (a write-ahead log is part of it) and after it was closed.
func secretsSealed(t *testing.T, s Store) {
	r := s.Open(t, NewSealer(t))
	var secrets []signature.Secret
	for n := range 20 {
		e := full(n)
		e.Headers["Authorization"] = headerOfTheirs
		for _, secret := range e.Secrets {
			secrets = append(secrets, secret.Secret)
		}
		create(t, r, e)
	}
	next := signature.NewSecret()
	secrets = append(secrets, next)
	changed(t, r, 1, func(e *webhook.Endpoint) { e.Rotate(next, born, time.Hour) })
	require.NoError(t, r.DeleteEndpoint(t.Context(), tenant, id(2)))

	requireSealed(t, s.Raw(t), secrets)
	require.NotContains(t, string(s.Raw(t)), headerOfTheirs)
	require.NoError(t, r.Close())
	requireSealed(t, s.Raw(t), secrets)
}

// headerOfTheirs is a credential an endpoint wants to see: sealed as secrets are.
const headerOfTheirs = "Basic aG9va2xvb3A6czNjcjN0"

func requireSealed(t *testing.T, raw []byte, secrets []signature.Secret) {
	t.Helper()
	require.True(t, bytes.Contains(raw, []byte(id(1))), "this is not all the store holds")
	require.False(t, bytes.Contains(raw, []byte("whsec_")))
	for _, secret := range secrets {
		encoded := strings.TrimPrefix(secret.Reveal(), "whsec_")
		key := must(base64.StdEncoding.DecodeString(encoded))(t)
		for _, form := range [][]byte{key, []byte(encoded[:16]), []byte(hex.EncodeToString(key)[:16])} {
			require.False(t, bytes.Contains(raw, form), "a secret lies open")
		}
	}
}

func otherKey(t *testing.T, s Store) {
	first := s.Open(t, NewSealer(t))
	e := endpoint(1)
	create(t, first, e)
	require.NoError(t, first.Close())

	r := open(t, s)
	_, err := r.Endpoint(t.Context(), tenant, id(1))
	require.ErrorIs(t, err, registry.ErrOtherKey)
	require.EqualError(t, err, "endpoint "+id(1)+": sealed with another key")
	_, err = r.Endpoints(t.Context(), tenant, webhook.EndpointQuery{Limit: 1})
	require.EqualError(t, err, "endpoint "+id(1)+": sealed with another key")
	_, err = r.UpdateEndpoint(t.Context(), tenant, id(1), func(*webhook.Endpoint) error { return nil })
	require.ErrorIs(t, err, registry.ErrOtherKey)
	requireMatch(t, r, "a", 1) // needs no secrets
}

// rotatedKey seals with a second key what the first had sealed, one endpoint at a time.
func rotatedKey(t *testing.T, s Store) {
	old := must(keyring.New())(t)
	first := s.Open(t, sealerOf(t, old))
	e, kept := endpoint(1), endpoint(2)
	create(t, first, e, kept)
	require.NoError(t, first.Close())

	both, next := addKey(t, old)
	second := s.Open(t, sealerOf(t, both))
	require.Equal(t, e.Secrets, must(second.UpdateEndpoint(t.Context(), tenant, id(1), func(*webhook.Endpoint) error { return nil }))(t).Secrets)
	require.Equal(t, kept, must(second.Endpoint(t.Context(), tenant, id(2)))(t))
	require.NoError(t, second.Close())

	r := openWith(t, s, sealerOf(t, next))
	require.Equal(t, e.Secrets, must(r.Endpoint(t.Context(), tenant, id(1)))(t).Secrets)
	_, err := r.Endpoint(t.Context(), tenant, id(2))
	require.ErrorIs(t, err, registry.ErrOtherKey)
}

// addKey gives a keyset with a new primary key beside the old one, and one with the new key alone.
func addKey(t *testing.T, old []byte) (both, next []byte) {
	t.Helper()
	handle := must(insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(old))))(t)
	was := must(handle.Primary())(t)
	m := keyset.NewManagerFromHandle(handle)
	require.NoError(t, m.SetPrimary(must(m.Add(aead.AES256GCMKeyTemplate()))(t)))
	both = write(t, m)
	require.NoError(t, m.Delete(was.KeyID()))
	return both, write(t, m)
}

func write(t *testing.T, m *keyset.Manager) []byte {
	t.Helper()
	handle := must(m.Handle())(t)
	var b bytes.Buffer
	require.NoError(t, insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&b)))
	return b.Bytes()
}
