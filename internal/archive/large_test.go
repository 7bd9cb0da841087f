package archive_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"

	"hookloop/internal/archive"
	"hookloop/internal/bodies"
	"hookloop/internal/codec"
	"hookloop/internal/webhook"
)

// shelf keeps bodies in the memory.
type shelf struct {
	all  map[string][]byte
	down error
}

func (s *shelf) PutBody(_ context.Context, b webhook.StoredBody) error {
	s.all[b.Tenant+"/"+b.EventID+"/"+b.Digest] = b.Sealed
	return nil
}

func (s *shelf) Body(_ context.Context, tenant, eventID, digest string) ([]byte, error) {
	sealed, ok := s.all[tenant+"/"+eventID+"/"+digest]
	if !ok && s.down == nil {
		return nil, webhook.Errorf(webhook.NotFound, "no body")
	}
	return sealed, s.down
}

func (s *shelf) Bodies(context.Context, time.Time, webhook.StoredBody, int) ([]webhook.StoredBody, error) {
	return nil, nil
}

func (s *shelf) DeleteBody(context.Context, string, string) error { return nil }

// large is a world with one event whose data lies on a shelf, sealed with c.
func large(t *testing.T, c *codec.Codec, data []byte) (*world, *shelf, *bodies.Bodies) {
	t.Helper()
	s := &shelf{all: map[string][]byte{}}
	b, err := bodies.New(s, c.Converter())
	require.NoError(t, err)
	held, err := b.Put(t.Context(), webhook.Event{Tenant: "acme", ID: "evt_1"}, data)
	require.NoError(t, err)
	h := recorded(t, "Event/v0.1.0-delivered.json")
	reference, err := c.Converter().ToPayload(held)
	require.NoError(t, err)
	input(h)[1] = reference
	w := newWorld()
	w.ends("acme", "Event", "event/acme/evt_1", noon, h)
	return w, s, b
}

func input(h *historypb.History) []*commonpb.Payload {
	return h.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetInput().GetPayloads()
}

// TestLargeDataIsInItsFile: what lies in the registry goes with the history, in clear or sealed as
// that is.
func TestLargeDataIsInItsFile(t *testing.T) {
	t.Parallel()
	data := []byte(`{"z": 1.10, "text": "` + strings.Repeat("\u00e9<&>", 200_000) + `"}`)
	key := newCodec(t)
	for name, c := range map[string]struct {
		codec  *codec.Codec
		opens  converter.PayloadCodec
		sealed bool
	}{
		"in clear":  {codec: codec.Clear()},
		"opened":    {codec: key, opens: key},
		"encrypted": {codec: key, sealed: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _, b := large(t, c.codec, data)
			dir := t.TempDir()
			r, err := run(t, w, dir, archive.Config{Bodies: b, Codec: c.opens})
			require.NoError(t, err)
			require.Zero(t, r.Bodiless)
			e := index(t, dir)[0]
			require.Equal(t, c.sealed, e.Encrypted)
			h, err := archive.Read(t.Context(), filepath.Join(dir, e.File), nil)
			require.NoError(t, err)
			require.Equal(t, !c.sealed, bytes.Equal(data, input(h)[1].GetData()))
			h, err = archive.Read(t.Context(), filepath.Join(dir, e.File), c.codec)
			require.NoError(t, err)
			require.True(t, bytes.Equal(data, input(h)[1].GetData()), "byte for byte")
			got, err := archive.Data(h)
			require.NoError(t, err)
			require.True(t, bytes.Equal(data, got))
			v, err := archive.Verify(t.Context(), dir, nil)
			require.NoError(t, err)
			require.Equal(t, archive.Verified{Whole: 1, Faults: []archive.Fault{}}, v)
		})
	}
}

// TestLargeDataThatIsNotThere: what has gone is told; what cannot be reached is waited for.
func TestLargeDataThatIsNotThere(t *testing.T) {
	t.Parallel()
	w, s, b := large(t, codec.Clear(), []byte(`"`+strings.Repeat("x", 1<<20)+`"`))
	before := proto.Clone(w.ended(0).History)
	s.down = errors.New("the registry is not known")
	dir := t.TempDir()
	_, err := run(t, w, dir, archive.Config{Bodies: b})
	require.ErrorIs(t, err, s.down)
	require.Empty(t, index(t, dir), "it is copied when it can be copied whole")

	s.down, s.all = nil, nil
	r, err := run(t, w, dir, archive.Config{Bodies: b})
	require.NoError(t, err)
	require.Equal(t, []int{1, 1}, []int{r.Archived, r.Bodiless})
	e := index(t, dir)[0]
	require.True(t, e.Bodiless)
	h, err := archive.Read(t.Context(), filepath.Join(dir, e.File), nil)
	require.NoError(t, err)
	require.True(t, proto.Equal(before, h), "it says how large the data was, and its hash")
	_, err = archive.Data(h)
	require.ErrorContains(t, err, `was not copied: the file holds its size and hash, {"stored":{"bytes":1048578,`)
}
