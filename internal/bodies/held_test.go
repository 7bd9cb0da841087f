package bodies_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"

	"hookloop/internal/bodies"
	"hookloop/internal/webhook"
)

// memory is a store of one body in memory.
type memory struct {
	body    webhook.StoredBody
	reads   int
	lists   atomic.Int64
	deleted atomic.Bool
}

func (m *memory) PutBody(_ context.Context, b webhook.StoredBody) error {
	m.body = b
	return nil
}

func (m *memory) Body(context.Context, string, string, string) ([]byte, error) {
	m.reads++
	return m.body.Sealed, nil
}

func (m *memory) Bodies(_ context.Context, _ time.Time, after webhook.StoredBody, _ int) ([]webhook.StoredBody, error) {
	if m.lists.Add(1); m.deleted.Load() || after.EventID != "" {
		return nil, nil
	}
	return []webhook.StoredBody{m.body}, nil
}

func (m *memory) DeleteBody(context.Context, string, string) error {
	m.deleted.Store(true)
	return nil
}

// inHistory is a payload as Temporal keeps it.
func inHistory(t *testing.T, v converter.RawValue) *commonpb.Payload {
	t.Helper()
	p, err := converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), flips{}).ToPayload(v)
	require.NoError(t, err)
	return p
}

// TestWhatAHistoryRefersToIsHeldSealed: an archive keeps it as it was stored, once it is found to
// be what was accepted.
func TestWhatAHistoryRefersToIsHeldSealed(t *testing.T) {
	t.Parallel()
	m := &memory{}
	b := newBodies(t, m)
	ref, err := b.Put(t.Context(), event, []byte(`{"a":1.10}`))
	require.NoError(t, err)
	held, err := b.Held(t.Context(), event, inHistory(t, ref))
	require.NoError(t, err)
	require.NotContains(t, string(held.GetData()), "1.10", "nothing is opened")
	var raw converter.RawValue
	require.NoError(t, converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), flips{}).FromPayload(held, &raw))
	require.Equal(t, `{"a":1.10}`, string(raw.Payload().GetData()))

	small := converter.NewRawValue(&commonpb.Payload{
		Metadata: map[string][]byte{converter.MetadataEncoding: []byte(converter.MetadataEncodingJSON)}, Data: []byte(`1`),
	})
	held, err = b.Held(t.Context(), event, inHistory(t, small))
	require.NoError(t, err)
	require.Nil(t, held, "it lies in the history itself")
}

// TestABodyThatIsNotWhatWasAcceptedIsNotSent, nor one that cannot be read.
func TestABodyThatIsNotWhatWasAcceptedIsNotSent(t *testing.T) {
	t.Parallel()
	m := &memory{}
	b := newBodies(t, m)
	_, err := b.Put(t.Context(), event, []byte("1"))
	require.NoError(t, err)
	another := m.body.Sealed
	ref, err := b.Put(t.Context(), event, []byte("2"))
	require.NoError(t, err)
	for sealed, says := range map[string]string{string(another): "it is not what was accepted: its SHA-256 differs", "\xff": "body of event evt_1"} {
		m.body.Sealed = []byte(sealed)
		_, err = b.Data(t.Context(), event, ref.Payload())
		require.ErrorContains(t, err, says)
		_, err = b.Held(t.Context(), event, inHistory(t, ref))
		require.ErrorContains(t, err, says)
	}
	damaged := &commonpb.Payload{Metadata: ref.Payload().GetMetadata(), Data: []byte(`no reference`)}
	_, err = b.Data(t.Context(), event, damaged)
	require.ErrorContains(t, err, "event evt_1: its reference to its body")
	_, err = b.Held(t.Context(), event, inHistory(t, converter.NewRawValue(damaged)))
	require.ErrorContains(t, err, "event evt_1: its reference to its body")
}

// TestAnErasedBodyIsForgotten, and those of other events are not.
func TestAnErasedBodyIsForgotten(t *testing.T) {
	t.Parallel()
	m := &memory{}
	b := newBodies(t, m)
	ref, err := b.Put(t.Context(), event, []byte("1"))
	require.NoError(t, err)
	read := func() int {
		_, err := b.Data(t.Context(), event, ref.Payload())
		require.NoError(t, err)
		return m.reads
	}
	require.Equal(t, 1, read())
	require.Equal(t, 1, read(), "it is kept in memory")
	for _, other := range [][2]string{{"acme", "evt_11"}, {"acme", "evt"}, {"other", "evt_1"}} {
		b.Forget(other[0], other[1])
	}
	require.Equal(t, 1, read())
	b.Forget("acme", "evt_1")
	require.Equal(t, 2, read())
}

// TestBodiesAreSweptEveryHour, until the process ends.
func TestBodiesAreSweptEveryHour(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := &memory{body: webhook.StoredBody{Tenant: "acme", EventID: "gone"}}
		b, err := bodies.New(m, converter.GetDefaultDataConverter())
		require.NoError(t, err)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan bool)
		go func() {
			b.Sweep(ctx, histories{gone: []string{"acme/gone"}}, slog.New(slog.DiscardHandler))
			close(ended)
		}()
		time.Sleep(time.Hour - 1)
		require.Zero(t, m.lists.Load())
		time.Sleep(2 * time.Nanosecond)
		synctest.Wait()
		require.True(t, m.deleted.Load())
		stop()
		<-ended
	})
}
