package codec_test

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/mac"
	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
	commonpb "go.temporal.io/api/common/v1"
	"google.golang.org/protobuf/proto"

	"hookloop/internal/codec"
	"hookloop/internal/keyring"
)

func TestRoundTrips(t *testing.T) {
	t.Parallel()
	c := newCodec(t)
	for name, p := range map[string]*commonpb.Payload{
		"nothing at all":      {},
		"no metadata":         {Data: []byte(secret)},
		"no data":             {Metadata: map[string][]byte{"encoding": []byte("binary/null")}},
		"empty metadata":      {Metadata: map[string][]byte{"": {}, "a": nil}, Data: []byte{0}},
		"JSON":                payload(`{"b":1.10,  "a":12345678901234567890}`),
		"more metadata":       {Metadata: map[string][]byte{"encoding": []byte("json/protobuf"), "messageType": []byte("x")}, Data: []byte("{}")},
		"1 MiB":               payload(strings.Repeat("0123456789abcdef", 1<<16)),
		"stored elsewhere":    {ExternalPayloads: []*commonpb.Payload_ExternalPayloadDetails{{SizeBytes: 7}}},
		"encrypted elsewhere": one(t, newCodec(t).Encode, payload("{}")),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := proto.CloneOf(p)
			sealed := one(t, c.Encode, p)
			requireEqual(t, before, p)
			require.Len(t, sealed.GetMetadata(), 2)
			require.Equal(t, "binary/encrypted", string(sealed.GetMetadata()["encoding"]))
			requireEqual(t, p, one(t, c.Decode, sealed))
		})
	}
}

func TestManyPayloadsKeepTheirOrder(t *testing.T) {
	t.Parallel()
	c := newCodec(t)
	for _, n := range []int{0, 1, 1000} {
		in := make([]*commonpb.Payload, n)
		for i := range in {
			in[i] = payload(strconv.Itoa(i))
		}
		sealed, err := c.Encode(in)
		require.NoError(t, err)
		out, err := c.Decode(sealed)
		require.NoError(t, err)
		require.Len(t, out, n)
		for i := range in {
			requireEqual(t, in[i], out[i])
		}
	}
	none, err := c.Encode(nil)
	require.NoError(t, err)
	require.Empty(t, none)
}

func TestNothingShows(t *testing.T) {
	t.Parallel()
	c := newCodec(t)
	p := payload(`"` + secret + `"`)
	first, again := one(t, c.Encode, p), one(t, c.Encode, p)
	require.NotEqual(t, first.GetData(), again.GetData(), "the same payload twice must not show")
	wire, err := proto.Marshal(first)
	require.NoError(t, err)
	require.NotContains(t, string(wire), secret)
	require.NotContains(t, string(wire), "json/plain")
}

func TestClearPayloadsPass(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]*codec.Codec{"with a key": newCodec(t), "without": codec.Clear()} {
		for _, p := range []*commonpb.Payload{
			nil,
			{},
			payload("{}"),
			{Metadata: map[string][]byte{"encoding": []byte("binary/zlib")}, Data: []byte{1}},
			{Metadata: map[string][]byte{"encryption-key-id": []byte("1")}},
		} {
			require.Same(t, p, one(t, c.Decode, p), name)
		}
	}
	p := payload("{}")
	require.Same(t, p, one(t, codec.Clear().Encode, p))
}

// TestRotation goes the way an operator goes: the new key everywhere, then primary everywhere, then
// the old one may no longer encrypt but goes on to decrypt.
func TestRotation(t *testing.T) {
	t.Parallel()
	first := newKey(t)
	second, id := add(t, first, aead.AES256GCMKeyTemplate())
	third := change(t, second, func(m *keyset.Manager) { require.NoError(t, m.SetPrimary(id)) })
	all := []*codec.Codec{open(t, first), open(t, second), open(t, third)}

	old, p := one(t, all[0].Encode, payload("1")), payload("2")
	require.Equal(t, keyID(old), keyID(one(t, all[1].Encode, p)))
	renewed := one(t, all[2].Encode, p)
	require.Equal(t, strconv.FormatUint(uint64(id), 10), keyID(renewed))

	for _, c := range all {
		requireEqual(t, payload("1"), one(t, c.Decode, old))
	}
	requireEqual(t, p, one(t, all[1].Decode, renewed))
	requireEqual(t, p, one(t, all[2].Decode, renewed))
	_, err := all[0].Decode([]*commonpb.Payload{renewed})
	require.ErrorIs(t, err, codec.ErrUnknownKey)

	withdrawn := change(t, third, func(m *keyset.Manager) {
		was, err := strconv.ParseUint(keyID(old), 10, 32)
		require.NoError(t, err)
		require.NoError(t, m.Disable(uint32(was)))
	})
	_, err = open(t, withdrawn).Decode([]*commonpb.Payload{old})
	require.ErrorIs(t, err, codec.ErrUnknownKey)
}

// TestOtherKinds: a keyset may hold what AES-GCM's limit of 2³² payloads a key is too little for.
func TestOtherKinds(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]*tinkpb.KeyTemplate{
		"XAES-256-GCM": aead.XAES256GCM192BitNonceKeyTemplate(),
		"no prefix":    aead.AES256GCMNoPrefixKeyTemplate(),
	} {
		both, id := add(t, newKey(t), kind)
		c := open(t, change(t, both, func(m *keyset.Manager) { require.NoError(t, m.SetPrimary(id)) }))
		requireEqual(t, payload(name), one(t, c.Decode, one(t, c.Encode, payload(name))))
	}
}

func TestAForeignKeyIsNamed(t *testing.T) {
	t.Parallel()
	sealed := one(t, newCodec(t).Encode, payload(secret))
	for name, c := range map[string]*codec.Codec{"other": newCodec(t), "none": codec.Clear()} {
		_, err := c.Decode([]*commonpb.Payload{payload("{}"), sealed})
		require.ErrorIs(t, err, codec.ErrUnknownKey, name)
		require.ErrorContains(t, err, "key "+keyID(sealed))
	}

	for _, id := range []string{"", secret + "\n", secret + strings.Repeat("x", 200), "schlüssel " + secret, secret + "\xff"} {
		sealed.Metadata["encryption-key-id"] = []byte(id)
		_, err := newCodec(t).Decode([]*commonpb.Payload{sealed})
		require.ErrorIs(t, err, codec.ErrUnknownKey)
		require.NotContains(t, err.Error(), secret, "that is no id")
	}
	delete(sealed.Metadata, "encryption-key-id")
	_, err := newCodec(t).Decode([]*commonpb.Payload{sealed})
	require.ErrorIs(t, err, codec.ErrUnknownKey)
}

func TestTampering(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	both, id := add(t, key, aead.AES256GCMKeyTemplate())
	c := open(t, both)
	sealed := one(t, c.Encode, payload(secret))
	damaged := func(what string, with func(*commonpb.Payload)) {
		t.Helper()
		p := proto.CloneOf(sealed)
		with(p)
		got, err := c.Decode([]*commonpb.Payload{p})
		require.ErrorIs(t, err, codec.ErrDamaged, what)
		require.Nil(t, got)
		require.NotContains(t, err.Error(), secret)
	}
	for i := range sealed.GetData() {
		damaged("a bit of byte "+strconv.Itoa(i), func(p *commonpb.Payload) { p.Data[i] ^= 1 })
		damaged("cut at "+strconv.Itoa(i), func(p *commonpb.Payload) { p.Data = p.Data[:i] })
	}
	damaged("one byte more", func(p *commonpb.Payload) { p.Data = append(p.Data, 0) })
	damaged("another key of ours", func(p *commonpb.Payload) {
		p.Metadata["encryption-key-id"] = []byte(strconv.FormatUint(uint64(id), 10))
	})
}

// TestNothingElseOpensAsAPayload: not what the same keyset sealed for another purpose.
func TestNothingElseOpensAsAPayload(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(key)))
	require.NoError(t, err)
	a, err := aead.New(handle)
	require.NoError(t, err)
	plain, err := proto.Marshal(payload(secret))
	require.NoError(t, err)

	p := one(t, open(t, key).Encode, payload(""))
	for _, place := range []string{"", "acme/ep_1", "hookloop/temporal-payload/"} {
		p.Data, err = a.Encrypt(plain, []byte(place))
		require.NoError(t, err)
		_, err = open(t, key).Decode([]*commonpb.Payload{p})
		require.ErrorIs(t, err, codec.ErrDamaged)
	}
	p.Data, err = a.Encrypt([]byte{0xff}, []byte("hookloop/temporal-payload/"+keyID(p)))
	require.NoError(t, err)
	_, err = open(t, key).Decode([]*commonpb.Payload{p})
	require.ErrorIs(t, err, codec.ErrDamaged, "no payload within")
}

// TestWireFormat opens what the first Codec wrote. Histories are kept for long: this must never
// fail.
func TestWireFormat(t *testing.T) {
	t.Parallel()
	c, sealed := forever(t)
	requireEqual(t, payload(oddJSON), one(t, c.Decode, sealed))
}

func TestAPayloadThatIsNoProtobuf(t *testing.T) {
	t.Parallel()
	_, err := newCodec(t).Encode([]*commonpb.Payload{{Metadata: map[string][]byte{secret + "\xff": nil}}})
	require.Error(t, err)
	require.NotContains(t, err.Error(), secret)
}

func TestNewRefusesWhatIsNoKeyset(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	handle, err := keyset.NewHandle(mac.HMACSHA256Tag256KeyTemplate())
	require.NoError(t, err)
	for name, text := range map[string]string{
		"nothing":     "",
		"not JSON":    secret,
		"no keys":     "{}",
		"cut off":     string(key[:len(key)/2]),
		"other type":  string(written(t, handle)),
		"broken key":  strings.Replace(string(key), `"value":"`, `"value":"`+secret, 1),
		"no such id":  strings.Replace(string(key), `"primaryKeyId":`, `"primaryKeyId":1`, 1),
		"not enabled": strings.Replace(string(key), "ENABLED", "DISABLED", 1),
	} {
		_, err := codec.New([]byte(text))
		require.ErrorIs(t, err, keyring.ErrKeyset, name)
		require.NotContains(t, err.Error(), secret, name)
	}
}

func TestNewKeyIsAES256GCM(t *testing.T) {
	t.Parallel()
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(newKey(t))))
	require.NoError(t, err)
	require.Equal(t, 1, handle.Len())
	info := handle.KeysetInfo().GetKeyInfo()[0]
	require.Equal(t, "type.googleapis.com/google.crypto.tink.AesGcmKey", info.GetTypeUrl())
	require.Equal(t, tinkpb.OutputPrefixType_TINK, info.GetOutputPrefixType())
	another := newKey(t)
	require.NotEqual(t, newKey(t), another)
}
