package keyring_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/keyring"
)

// TestRingOpensWhatItSealed, and no other ring does.
func TestRingOpensWhatItSealed(t *testing.T) {
	t.Parallel()
	rings := make([]*keyring.Ring, 2)
	for i := range rings {
		key, err := keyring.New()
		require.NoError(t, err)
		rings[i], err = keyring.Read(key)
		require.NoError(t, err)
		require.Equal(t, []uint32{rings[i].Primary}, rings[i].Keys)
	}
	sealed, err := rings[0].Encrypt([]byte("hunter2"), []byte("place"))
	require.NoError(t, err)
	require.NotContains(t, string(sealed), "hunter2")
	opened, err := rings[0].Decrypt(sealed, []byte("place"))
	require.NoError(t, err)
	require.Equal(t, "hunter2", string(opened))
	_, err = rings[0].Decrypt(sealed, []byte("another place"))
	require.Error(t, err)
	_, err = rings[1].Decrypt(sealed, []byte("place"))
	require.Error(t, err)
}

// TestWhatIsNoKeysetIsNotQuoted: a key that was mistyped is a key all the same.
func TestWhatIsNoKeysetIsNotQuoted(t *testing.T) {
	t.Parallel()
	key, err := keyring.New()
	require.NoError(t, err)
	for _, text := range []string{
		"", "{}", "hunter2", string(key[:len(key)/2]),
		strings.Replace(string(key), `"value":"`, `"value":"hunter2`, 1), strings.Replace(string(key), "ENABLED", "DISABLED", 1),
	} {
		_, err := keyring.Read([]byte(text))
		require.ErrorIs(t, err, keyring.ErrKeyset)
		require.NotContains(t, err.Error(), "hunter2")
	}
}
