package ledger_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/expression"
	"hookloop/internal/ledger"
	"hookloop/internal/webhook"
)

// store keeps what it was told.
type store struct {
	writes  []webhook.Write
	reports []webhook.Report
	err     error
}

func (s *store) Remember(_ context.Context, w webhook.Write, _ time.Time) error {
	s.writes = append(s.writes, w)
	return s.err
}

func (s *store) Rule(_ context.Context, p webhook.Report, _ time.Time) (webhook.Ruling, error) {
	s.reports = append(s.reports, p)
	return webhook.Ruling{Order: 9}, s.err
}

func (s *store) Change(ctx context.Context, p webhook.Report, now time.Time) (webhook.Ruling, error) {
	return s.Rule(ctx, p, now)
}

var (
	paths    = webhook.EchoPaths{Key: ".data.id", Value: ".data.name"}
	endpoint = webhook.Endpoint{ID: "ep_1", Application: "crm", Echo: paths}
	source   = webhook.Source{ID: "src_1", Tenant: "acme", Application: "crm", Echo: webhook.EchoPaths{Key: ".contact.id", Value: ".contact.name"}}
)

func delivery(data string, ep webhook.Endpoint) webhook.Delivery {
	return webhook.Delivery{
		Event:   webhook.Event{Tenant: "acme", ID: "evt_1", Type: "contact.updated", Origin: &webhook.Origin{Order: 4}},
		Content: webhook.Content{Data: []byte(data)}, Endpoint: ep,
	}
}

// TestMarksMeet: what is written to an application and what it reports have the same mark, though the
// two bodies differ.
func TestMarksMeet(t *testing.T) {
	t.Parallel()
	var s store
	l := ledger.New(&s, expression.New(), nil)
	require.NoError(t, l.Remember(t.Context(), delivery(`{"id":7,"name":"Zo\u00eb","x":1}`, endpoint)))
	ruling, err := l.Rule(t.Context(), source, "evt_2", []byte(`{"contact":{"id":"7","name":"Zoë"}}`))
	require.NoError(t, err)
	require.EqualValues(t, 9, ruling.Order)
	require.Len(t, s.writes, 1)
	require.Equal(t, s.writes[0].Mark, s.reports[0].Mark)
	require.Equal(t, webhook.Write{Mark: s.writes[0].Mark, EventID: "evt_1", EndpointID: "ep_1", Order: 4}, s.writes[0])
	require.Equal(t, "evt_2", s.reports[0].EventID)
	require.Equal(t, "7", s.writes[0].Key)
}

// TestClearedValue: a field that was cleared echoes like any other.
func TestClearedValue(t *testing.T) {
	t.Parallel()
	var s store
	l := ledger.New(&s, expression.New(), nil)
	require.NoError(t, l.Remember(t.Context(), delivery(`{"id":7,"name":null}`, endpoint)))
	_, err := l.Rule(t.Context(), source, "evt_2", []byte(`{"contact":{"id":7}}`))
	require.NoError(t, err)
	require.Equal(t, s.writes[0].Mark, s.reports[0].Mark)
}

// TestNothingToMark: without an application, without paths, and without an object in the body nothing
// is noted and nothing asked.
func TestNothingToMark(t *testing.T) {
	t.Parallel()
	var s store
	l := ledger.New(&s, expression.New(), nil)
	for _, ep := range []webhook.Endpoint{{}, {Application: "crm"}, {Echo: paths}} {
		require.NoError(t, l.Remember(t.Context(), delivery(`{"id":7,"name":"a"}`, ep)))
	}
	for _, data := range []string{`{}`, `{"id":null,"name":"a"}`, `7`, `{"id":"","name":"a"}`} {
		require.NoError(t, l.Remember(t.Context(), delivery(data, endpoint)), data)
		ruling, err := l.Rule(t.Context(), source, "evt_2", []byte(data))
		require.NoError(t, err, data)
		require.Zero(t, ruling)
	}
	require.Empty(t, s.writes)
	require.Empty(t, s.reports)
}

func TestStoreOutOfReach(t *testing.T) {
	t.Parallel()
	s := store{err: errors.New("no")}
	l := ledger.New(&s, expression.New(), nil)
	require.ErrorIs(t, l.Remember(t.Context(), delivery(`{"id":7,"name":"a"}`, endpoint)), s.err)
	_, err := l.Rule(t.Context(), source, "evt_2", []byte(`{"contact":{"id":7,"name":"a"}}`))
	require.ErrorIs(t, err, s.err)
}
