package codec_test

import (
	"bytes"
	"encoding/base64"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
	commonpb "go.temporal.io/api/common/v1"
	"google.golang.org/protobuf/proto"

	"hookloop/internal/codec"
	"hookloop/internal/keyring"
)

// secret stands in what is encrypted, and must not stand anywhere else.
const secret = "hunter2"

func newKey(t testing.TB) []byte {
	t.Helper()
	key, err := keyring.New()
	require.NoError(t, err)
	return key
}

func open(t testing.TB, key []byte) *codec.Codec {
	t.Helper()
	c, err := codec.New(key)
	require.NoError(t, err)
	return c
}

func newCodec(t testing.TB) *codec.Codec {
	t.Helper()
	return open(t, newKey(t))
}

// change does what an operator does with Tink's tools.
func change(t testing.TB, key []byte, do func(*keyset.Manager)) []byte {
	t.Helper()
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(key)))
	require.NoError(t, err)
	m := keyset.NewManagerFromHandle(handle)
	do(m)
	handle, err = m.Handle()
	require.NoError(t, err)
	return written(t, handle)
}

func written(t testing.TB, handle *keyset.Handle) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&b)))
	return b.Bytes()
}

// add puts another key into a keyset, and says its id.
func add(t testing.TB, key []byte, kind *tinkpb.KeyTemplate) (more []byte, id uint32) {
	t.Helper()
	more = change(t, key, func(m *keyset.Manager) {
		var err error
		id, err = m.Add(kind)
		require.NoError(t, err)
	})
	return more, id
}

func payload(text string) *commonpb.Payload {
	return &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("json/plain")}, Data: []byte(text)}
}

func one(t testing.TB, do func([]*commonpb.Payload) ([]*commonpb.Payload, error), p *commonpb.Payload) *commonpb.Payload {
	t.Helper()
	got, err := do([]*commonpb.Payload{p})
	require.NoError(t, err)
	require.Len(t, got, 1)
	return got[0]
}

func keyID(p *commonpb.Payload) string { return string(p.GetMetadata()["encryption-key-id"]) }

func requireEqual(t testing.TB, want, got *commonpb.Payload) {
	t.Helper()
	require.True(t, proto.Equal(want, got), "want %v\ngot  %v", want, got)
}

// A keyset for tests alone, and what its key encrypted.
const (
	keyForever = `{"primaryKeyId":3947339582, "key":[{"keyData":{"typeUrl":"type.googleapis.com/google.crypto.tink.AesGcmKey", ` +
		`"value":"GiBH4UHUQXOAQfgZSJ4sfL+CHOJKyRrOs5sPmCGN0TrnCw==", "keyMaterialType":"SYMMETRIC"}, ` +
		`"status":"ENABLED", "keyId":3947339582, "outputPrefixType":"TINK"}]}`
	sealedForever = "AetHnz6yMnqNcjBg2QUmaSrCbS4nYDTVUJzDn7z9/xIb28sz9nZAYANlK9vke4MWLYaQcme3DUj7iT1fNY2ovMbf" +
		"qZTSHvn8Mb3pai7u1VpCbJCUrsssZRpFDisMoTCW"
)

func forever(t testing.TB) (*codec.Codec, *commonpb.Payload) {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(sealedForever)
	require.NoError(t, err)
	return open(t, []byte(keyForever)), &commonpb.Payload{
		Metadata: map[string][]byte{"encoding": []byte("binary/encrypted"), "encryption-key-id": []byte("3947339582")},
		Data:     data,
	}
}
