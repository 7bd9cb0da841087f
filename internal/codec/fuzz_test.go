package codec_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"

	"hookloop/internal/codec"
)

// FuzzDecode: of anything in a history, Decode neither panics nor makes up a payload.
func FuzzDecode(f *testing.F) {
	c, sealed := forever(f) // fuzzing workers are other processes: they must not draw their own
	f.Add("binary/encrypted", keyID(sealed), sealed.GetData())
	f.Add("binary/encrypted", keyID(sealed), sealed.GetData()[:32])
	f.Add("binary/encrypted", keyID(sealed), []byte{})
	f.Add("binary/encrypted", "1", sealed.GetData())
	f.Add("binary/encrypted", "", []byte(nil))
	f.Add("json/plain", keyID(sealed), []byte("{}"))
	f.Fuzz(func(t *testing.T, encoding, id string, data []byte) {
		p := &commonpb.Payload{
			Metadata: map[string][]byte{"encoding": []byte(encoding), "encryption-key-id": []byte(id)}, Data: data,
		}
		got, err := c.Decode([]*commonpb.Payload{p})
		if encoding != "binary/encrypted" {
			require.NoError(t, err)
			require.Same(t, p, got[0])
			return
		}
		if err == nil { // then it is the one that was encrypted here
			requireEqual(t, payload(oddJSON), got[0])
			require.Equal(t, sealed.GetData(), data)
			return
		}
		require.Nil(t, got)
		if id == keyID(sealed) {
			require.ErrorIs(t, err, codec.ErrDamaged)
		} else {
			require.ErrorIs(t, err, codec.ErrUnknownKey)
		}
		require.Less(t, len(err.Error()), 400)
	})
}
