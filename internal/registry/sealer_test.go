package registry_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/mac"

	"hookloop/internal/keyring"
	"hookloop/internal/registry"
	"hookloop/internal/signature"
	"hookloop/internal/webhook"
)

func newSealer(t testing.TB) *registry.Sealer {
	t.Helper()
	key, err := keyring.New()
	require.NoError(t, err)
	s, err := registry.NewSealer(key)
	require.NoError(t, err)
	return s
}

func TestSealer(t *testing.T) {
	t.Parallel()
	s, other := newSealer(t), newSealer(t)
	plain, place := []byte("whsec_very secret"), []byte("acme/ep_1")
	sealed, err := s.Seal(plain, place)
	require.NoError(t, err)
	again, err := s.Seal(plain, place)
	require.NoError(t, err)
	require.NotEqual(t, sealed, again, "the same secret twice must not show")
	require.NotContains(t, string(sealed), "secret")

	got, err := s.Open(sealed, place)
	require.NoError(t, err)
	require.Equal(t, plain, got)

	_, err = other.Open(sealed, place)
	require.ErrorIs(t, err, registry.ErrOtherKey)
	_, err = s.Open(sealed, []byte("acme/ep_2"))
	require.ErrorIs(t, err, registry.ErrSeal)
	for i := range sealed {
		_, err = s.Open(append(bytes.Clone(sealed[:i]), sealed[i]^1), place)
		require.Error(t, err)
	}
	_, err = s.Open(nil, place)
	require.Error(t, err)
}

func TestSecretsOpenForTheirEndpointOnly(t *testing.T) {
	t.Parallel()
	s := newSealer(t)
	secrets := []webhook.EndpointSecret{{Secret: signature.NewSecret()}}
	sealed, err := s.SealSecrets("acme", "ep_1", secrets)
	require.NoError(t, err)

	got, err := s.OpenSecrets("acme", "ep_1", sealed)
	require.NoError(t, err)
	require.Equal(t, secrets, got)
	for _, row := range [][2]string{{"acme", "ep_2"}, {"other", "ep_1"}, {"", "acme/ep_1"[1:]}} {
		_, err = s.OpenSecrets(row[0], row[1], sealed)
		require.ErrorIs(t, err, registry.ErrSeal)
	}
	for _, text := range []string{"", "{}", `[{"secret":"whsec_AAAA"}]`, `[{"secret":"hunter2"}]`} {
		odd, err := s.Seal([]byte(text), []byte("acme/ep_1"))
		require.NoError(t, err)
		_, err = s.OpenSecrets("acme", "ep_1", odd)
		require.ErrorIs(t, err, registry.ErrSeal)
		require.NotContains(t, err.Error(), "hunter2")
	}
}

func TestNewSealerRefusesWhatIsNoKeyset(t *testing.T) {
	t.Parallel()
	key, err := keyring.New()
	require.NoError(t, err)
	handle, err := keyset.NewHandle(mac.HMACSHA256Tag256KeyTemplate())
	require.NoError(t, err)
	var wrongKind bytes.Buffer
	require.NoError(t, insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&wrongKind)))

	for name, text := range map[string]string{
		"nothing":     "",
		"not JSON":    "hunter2",
		"no keys":     "{}",
		"cut off":     string(key[:len(key)/2]),
		"other type":  wrongKind.String(),
		"broken key":  strings.Replace(string(key), `"value":"`, `"value":"hunter2`, 1),
		"no such id":  strings.Replace(string(key), `"primaryKeyId":`, `"primaryKeyId":1`, 1),
		"not enabled": strings.Replace(string(key), "ENABLED", "DISABLED", 1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := registry.NewSealer([]byte(text))
			require.ErrorIs(t, err, keyring.ErrKeyset)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func BenchmarkOpenSecrets(b *testing.B) {
	s := newSealer(b)
	sealed, err := s.SealSecrets("acme", "ep_1", []webhook.EndpointSecret{{Secret: signature.NewSecret()}})
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.OpenSecrets("acme", "ep_1", sealed); err != nil {
			b.Fatal(err)
		}
	}
}

func TestSealHeaders(t *testing.T) {
	t.Parallel()
	s := newSealer(t)
	headers := map[string]string{"Authorization": "Basic x", "x-ü": ""}
	sealed, err := s.SealHeaders("acme", "ep_1", headers)
	require.NoError(t, err)
	require.NotContains(t, sealed, "Basic")
	got, err := s.OpenHeaders("acme", "ep_1", sealed)
	require.NoError(t, err)
	require.Equal(t, headers, got)
	none, err := s.SealHeaders("acme", "ep_1", nil)
	require.NoError(t, err)
	require.Empty(t, none)
	for _, bad := range []string{"%", "AAAA", `{"a":"in clear"}`, sealed[:len(sealed)-8]} {
		_, err = s.OpenHeaders("acme", "ep_1", bad)
		require.Error(t, err)
	}
	_, err = s.OpenHeaders("acme", "ep_2", sealed)
	require.Error(t, err)

	same, err := s.ResealHeaders("acme", "ep_1", sealed)
	require.NoError(t, err)
	require.Equal(t, sealed, same)
	for _, bad := range []string{"%", "AAAA", `{"a":"in clear"}`, sealed[:len(sealed)-8]} {
		left, err := s.ResealHeaders("acme", "ep_1", bad)
		require.Error(t, err)
		require.Equal(t, bad, left)
	}
}
