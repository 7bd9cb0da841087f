package ledger_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"hookloop/internal/ledger"
	"hookloop/internal/webhook"
)

// store keeps what it was told.
type store struct {
	writes  []webhook.Write
	reports []webhook.Report
	settled []time.Duration // from the test's now
	err     error
}

func (s *store) Settle(_ context.Context, _ webhook.Write, until time.Time) error {
	s.settled = append(s.settled, until.Sub(noon))
	return s.err
}

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// remember notes a delivery.
func remember(t *testing.T, l *ledger.Ledger, d webhook.Delivery) error {
	t.Helper()
	_, err := l.Remember(t.Context(), d)
	return err
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

func newLedger(t *testing.T, c ledger.Config) *ledger.Ledger {
	t.Helper()
	l, err := ledger.New(c)
	require.NoError(t, err)
	return l
}

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
	l := newLedger(t, ledger.Config{Store: &s})
	require.NoError(t, remember(t, l, delivery(`{"id":7,"name":"Zo\u00eb","x":1}`, endpoint)))
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
	l := newLedger(t, ledger.Config{Store: &s})
	require.NoError(t, remember(t, l, delivery(`{"id":7,"name":null}`, endpoint)))
	_, err := l.Rule(t.Context(), source, "evt_2", []byte(`{"contact":{"id":7}}`))
	require.NoError(t, err)
	require.Equal(t, s.writes[0].Mark, s.reports[0].Mark)
}

// TestNothingToMark: without an application, without paths, and without an object in the body nothing
// is noted and nothing asked.
func TestNothingToMark(t *testing.T) {
	t.Parallel()
	var s store
	l := newLedger(t, ledger.Config{Store: &s})
	for _, ep := range []webhook.Endpoint{{}, {Application: "crm"}, {Echo: paths}} {
		require.NoError(t, remember(t, l, delivery(`{"id":7,"name":"a"}`, ep)))
	}
	for _, data := range []string{`{}`, `{"id":null,"name":"a"}`, `7`, `{"id":"","name":"a"}`} {
		require.NoError(t, remember(t, l, delivery(data, endpoint)), data)
		ruling, err := l.Rule(t.Context(), source, "evt_2", []byte(data))
		require.NoError(t, err, data)
		require.Zero(t, ruling)
	}
	require.Empty(t, s.writes)
	require.Empty(t, s.reports)
}

// TestUnmarkedIsTold: a body without a mark goes on, counted; one that does not fit the expressions is a
// line in the log as well, which quotes nothing of it.
func TestUnmarkedIsTold(t *testing.T) {
	t.Parallel()
	var (
		s       store
		told    bytes.Buffer
		metrics = prometheus.NewRegistry()
	)
	l := newLedger(t, ledger.Config{Store: &s, Metrics: metrics, Logger: slog.New(slog.NewTextHandler(&told, nil))})
	require.NoError(t, remember(t, l, delivery(`{"name":"private"}`, endpoint)))
	require.Empty(t, told.String())
	require.NoError(t, remember(t, l, delivery(`"private"`, endpoint)))
	require.NoError(t, remember(t, l, delivery(`{"id":"","name":"private"}`, endpoint)))
	ofList := source
	ofList.Echo.Value = ".contact.name[]"
	ruling, err := l.Rule(t.Context(), ofList, "evt_2", []byte(`{"contact":{"id":7,"name":"private"}}`))
	require.NoError(t, err)
	require.Zero(t, ruling)
	require.NoError(t, testutil.GatherAndCompare(metrics, strings.NewReader(`
# HELP hookloop_echo_unmarked_total Bodies in which echo's expressions found no object, so that their echo counts as a change, by reason.
# TYPE hookloop_echo_unmarked_total counter
hookloop_echo_unmarked_total{reason="key_fails",side="endpoint"} 1
hookloop_echo_unmarked_total{reason="key_length",side="endpoint"} 1
hookloop_echo_unmarked_total{reason="no_key",side="endpoint"} 1
hookloop_echo_unmarked_total{reason="value_fails",side="source"} 1
`)))
	require.Contains(t, told.String(), `level=WARN msg="echo not recognisable" side=source id=src_1 event=evt_2 reason=value_fails`)
	require.Equal(t, 3, strings.Count(told.String(), "\n"))
	require.NotContains(t, told.String(), "private")
}

func TestStoreOutOfReach(t *testing.T) {
	t.Parallel()
	s := store{err: errors.New("no")}
	l := newLedger(t, ledger.Config{Store: &s})
	require.ErrorIs(t, remember(t, l, delivery(`{"id":7,"name":"a"}`, endpoint)), s.err)
	_, err := l.Rule(t.Context(), source, "evt_2", []byte(`{"contact":{"id":7,"name":"a"}}`))
	require.ErrorIs(t, err, s.err)
}

// TestSettle: what never reached the application counts no more, and what may have reached it for as long as
// a report takes.
func TestSettle(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		attempt *webhook.Attempt
		settled []time.Duration
	}{
		"delivered":       {&webhook.Attempt{StatusCode: 204}, nil},
		"no attempt":      {nil, []time.Duration{0}},
		"refused":         {&webhook.Attempt{StatusCode: 400}, []time.Duration{0}},
		"gone":            {&webhook.Attempt{StatusCode: 410}, []time.Duration{0}},
		"redirected":      {&webhook.Attempt{StatusCode: 302}, []time.Duration{0}},
		"known already":   {&webhook.Attempt{StatusCode: 409}, []time.Duration{webhook.ReportLag}},
		"failed":          {&webhook.Attempt{StatusCode: 500}, []time.Duration{webhook.ReportLag}},
		"no answer":       {&webhook.Attempt{Failure: webhook.FailureTimeout}, []time.Duration{webhook.ReportLag}},
		"nobody there":    {&webhook.Attempt{Failure: webhook.FailureRefused}, []time.Duration{0}},
		"cannot be made":  {&webhook.Attempt{Failure: webhook.FailureRequest}, []time.Duration{0}},
		"not dialled":     {&webhook.Attempt{Failure: webhook.FailureAddress}, []time.Duration{0}},
		"no name for it":  {&webhook.Attempt{Failure: webhook.FailureDNS}, []time.Duration{0}},
		"broken off":      {&webhook.Attempt{Failure: webhook.FailureReset}, []time.Duration{webhook.ReportLag}},
		"wrong signature": {&webhook.Attempt{Failure: webhook.FailureTLS}, []time.Duration{0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s store
			l := newLedger(t, ledger.Config{Store: &s, Now: func() time.Time { return noon }})
			w, err := l.Remember(t.Context(), delivery(`{"id":7,"name":"a"}`, endpoint))
			require.NoError(t, err)
			l.Settle(t.Context(), w, c.attempt)
			require.Equal(t, c.settled, s.settled)
			s.err = errors.New("away")
			l.Settle(t.Context(), w, c.attempt) // an attempt that was made stays one
			l.Settle(t.Context(), nil, c.attempt)
		})
	}
}
