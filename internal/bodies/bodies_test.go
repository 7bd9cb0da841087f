package bodies_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"

	"hookloop/internal/bodies"
	"hookloop/internal/keyring"
	"hookloop/internal/registry"
	"hookloop/internal/registry/sqlite"
	"hookloop/internal/webhook"
)

// flips stands in for encryption: every byte of a payload is turned round.
type flips struct{}

func flip(all []*commonpb.Payload) ([]*commonpb.Payload, error) {
	out := make([]*commonpb.Payload, len(all))
	for i, p := range all {
		data := bytes.Clone(p.GetData())
		for j := range data {
			data[j] ^= 0xff
		}
		out[i] = &commonpb.Payload{Metadata: p.GetMetadata(), Data: data}
	}
	return out, nil
}

func (flips) Encode(all []*commonpb.Payload) ([]*commonpb.Payload, error) { return flip(all) }
func (flips) Decode(all []*commonpb.Payload) ([]*commonpb.Payload, error) { return flip(all) }

func newStore(t *testing.T) *sqlite.Registry {
	t.Helper()
	key, err := keyring.New()
	require.NoError(t, err)
	sealer, err := registry.NewSealer(key)
	require.NoError(t, err)
	r, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "registry.db"), sealer)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	return r
}

func newBodies(t *testing.T, s bodies.Store) *bodies.Bodies {
	t.Helper()
	b, err := bodies.New(s, converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), flips{}))
	require.NoError(t, err)
	return b
}

var event = webhook.Event{Tenant: "acme", ID: "evt_1"}

// TestRoundTrip: a body comes back byte for byte, sealed in between, and what a history holds of it
// says no more than size and hash.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	data := []byte(`{"secret":"` + string(bytes.Repeat([]byte("é 1.10 "), 1<<20)) + `"}`)
	held, err := newBodies(t, store).Put(t.Context(), event, data)
	require.NoError(t, err)
	require.Less(t, len(held.Payload().GetData()), 200)
	require.Contains(t, string(held.Payload().GetData()), `"bytes":8388621`)
	got, err := newBodies(t, store).Data(t.Context(), event, held.Payload())
	require.NoError(t, err)
	require.True(t, bytes.Equal(data, got))

	all, err := store.Bodies(t.Context(), time.Now().Add(time.Hour), webhook.StoredBody{}, 10)
	require.NoError(t, err)
	require.Len(t, all, 1)
	sealed, err := store.Body(t.Context(), "acme", "evt_1", all[0].Digest)
	require.NoError(t, err)
	require.NotContains(t, string(sealed), "secret")

	plain, err := newBodies(t, store).Data(t.Context(), event, &commonpb.Payload{Data: []byte(`{"stored":{"bytes":1}}`)})
	require.NoError(t, err)
	require.Equal(t, `{"stored":{"bytes":1}}`, string(plain), "data that only looks like a reference is data")

	_, err = newBodies(t, store).Data(t.Context(), webhook.Event{Tenant: "other", ID: "evt_1"}, held.Payload())
	require.Equal(t, webhook.NotFound, webhook.CodeOf(err), "of each tenant")
}

// TestAnotherBodyOfTheSameEvent: a post that is refused in the end writes over nothing.
func TestAnotherBodyOfTheSameEvent(t *testing.T) {
	t.Parallel()
	b := newBodies(t, newStore(t))
	first, err := b.Put(t.Context(), event, []byte("1"))
	require.NoError(t, err)
	_, err = b.Put(t.Context(), event, []byte("2"))
	require.NoError(t, err)
	got, err := b.Data(t.Context(), event, first.Payload())
	require.NoError(t, err)
	require.Equal(t, "1", string(got))
}

// histories lack some events, or are away.
type histories struct {
	gone []string
	err  error
}

func (h histories) Known(_ context.Context, tenant, eventID string) (bool, error) {
	return !slices.Contains(h.gone, tenant+"/"+eventID), h.err
}

// TestSweep: a body goes when its event has gone, and only then; a young one may belong to an event
// that is about to be accepted.
func TestSweep(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	put := func(id string, age time.Duration) {
		require.NoError(t, store.PutBody(t.Context(), webhook.StoredBody{Tenant: "acme", EventID: id, Digest: "d", Sealed: []byte("x"), CreatedAt: time.Now().Add(-age)}))
	}
	put("kept", 2*time.Hour)
	put("gone", 2*time.Hour)
	put("young", time.Minute)
	b := newBodies(t, store)
	require.NoError(t, b.SweepOnce(t.Context(), histories{gone: []string{"acme/gone", "acme/young"}}))
	left, err := store.Bodies(t.Context(), time.Now().Add(time.Hour), webhook.StoredBody{}, 10)
	require.NoError(t, err)
	require.Len(t, left, 2)
	require.Equal(t, []string{"kept", "young"}, []string{left[0].EventID, left[1].EventID})
	require.Error(t, b.SweepOnce(t.Context(), histories{gone: []string{"acme/kept"}, err: errors.New("away")}), "what cannot be asked is kept")
	left, err = store.Bodies(t.Context(), time.Now().Add(time.Hour), webhook.StoredBody{}, 10)
	require.NoError(t, err)
	require.Len(t, left, 2)
}

func TestRoomIsGivenBack(t *testing.T) {
	t.Parallel()
	b := newBodies(t, newStore(t))
	for range 20 {
		release, err := b.Room(t.Context(), 1<<40)
		require.NoError(t, err)
		release()
	}
	release, err := b.Room(t.Context(), 80<<20)
	require.NoError(t, err)
	defer release()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = b.Room(ended, 80<<20)
	require.ErrorIs(t, err, context.Canceled)
}
