package echo_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"hookloop/internal/echo"
	"hookloop/internal/expression"
	"hookloop/internal/webhook"
)

// store keeps what it was given.
type store struct {
	ruling  echo.Ruling // zero: a change
	writes  []echo.Write
	reports []echo.Report
	settled []time.Duration // from the test's now
	err     error
}

func (s *store) Settle(ctx context.Context, _ echo.Write, until time.Time) error {
	s.settled = append(s.settled, until.Sub(noon))
	return cmp.Or(s.err, ctx.Err())
}

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// remember notes a delivery.
func remember(t *testing.T, tr *echo.Tracker, d webhook.Delivery) error {
	t.Helper()
	_, err := tr.Remember(t.Context(), d)
	return err
}

func (s *store) Remember(_ context.Context, w echo.Write, _ time.Time) error {
	s.writes = append(s.writes, w)
	return s.err
}

func (s *store) Rule(_ context.Context, p echo.Report, _ time.Time) (echo.Ruling, error) {
	s.reports = append(s.reports, p)
	if s.ruling.EchoOf != "" {
		return s.ruling, s.err
	}
	return echo.Ruling{Order: 9}, s.err
}

func (s *store) Change(context.Context, echo.Report, time.Time) (echo.Ruling, error) {
	return echo.Ruling{Order: 10}, s.err
}

// restore brings nothing again; tests whose rulings name no newer change do not get there.
func restore(context.Context, echo.Ruling) (bool, error) { return false, errors.New("not asked") }

var (
	paths    = webhook.EchoPaths{Key: ".data.id", Value: ".data.name"}
	endpoint = webhook.Endpoint{ID: "ep_1", Application: "crm", Echo: paths}
	source   = webhook.Source{ID: "src_1", Tenant: "acme", Application: "crm", Echo: webhook.EchoPaths{Key: ".contact.id", Value: ".contact.name"}}
)

func newTracker(t *testing.T, c echo.Config) *echo.Tracker {
	t.Helper()
	tr, err := echo.New(c)
	require.NoError(t, err)
	return tr
}

func delivery(data string, ep webhook.Endpoint) webhook.Delivery {
	return webhook.Delivery{
		Event:   webhook.Event{Tenant: "acme", ID: "evt_1", Type: "contact.updated", Origin: &webhook.Origin{Order: 4}},
		Content: webhook.Content{Data: []byte(data)}, Endpoint: ep,
	}
}

// TestValuesMeet: what is written to an application and what it reports are the same value, though
// the two bodies differ.
func TestValuesMeet(t *testing.T) {
	t.Parallel()
	var s store
	tr := newTracker(t, echo.Config{Store: &s})
	require.NoError(t, remember(t, tr, delivery(`{"id":7,"name":"Zo\u00eb","x":1}`, endpoint)))
	ruling, err := tr.Rule(t.Context(), source, "evt_2", []byte(`{"contact":{"id":"7","name":"Zoë"}}`), restore)
	require.NoError(t, err)
	require.EqualValues(t, 9, ruling.Order)
	require.Len(t, s.writes, 1)
	require.Equal(t, s.writes[0].Value, s.reports[0].Value)
	require.Equal(t, echo.Write{Value: s.writes[0].Value, EventID: "evt_1", EndpointID: "ep_1", Order: 4}, s.writes[0])
	require.Equal(t, "evt_2", s.reports[0].EventID)
	require.Equal(t, "7", s.writes[0].Key)
}

// TestOtherValuesDoNotMeet: else a person's change would pass for the echo of ours, and be lost.
func TestOtherValuesDoNotMeet(t *testing.T) {
	t.Parallel()
	var s store
	tr := newTracker(t, echo.Config{Store: &s})
	fromApp := delivery(`{"id":7,"name":"Zoë"}`, endpoint)
	fromApp.Event.Origin = nil
	require.NoError(t, remember(t, tr, fromApp))
	require.Zero(t, s.writes[0].Order, "what an app posts gets its place from the store")
	for _, reported := range []string{`{"id":7,"name":"Zoé"}`, `{"id":8,"name":"Zoë"}`} {
		_, err := tr.Rule(t.Context(), source, "evt_2", []byte(`{"contact":`+reported+`}`), restore)
		require.NoError(t, err)
	}
	require.Equal(t, s.writes[0].Key, s.reports[0].Key)
	require.NotEqual(t, s.writes[0].Hash, s.reports[0].Hash)
	require.NotEqual(t, s.writes[0].Key, s.reports[1].Key)
	require.Equal(t, s.writes[0].Hash, s.reports[1].Hash)
}

// TestNothingFoundOutIsAnError: a delivery that gave up must not leave without a note of it, and an
// echo not be taken for a change.
func TestNothingFoundOutIsAnError(t *testing.T) {
	t.Parallel()
	var s store
	tr := newTracker(t, echo.Config{Store: &s})
	ctx, giveUp := context.WithCancel(t.Context())
	giveUp()
	_, err := tr.Remember(ctx, delivery(`{"id":7,"name":"a"}`, endpoint))
	require.ErrorIs(t, err, context.Canceled)
	_, err = tr.Rule(ctx, source, "evt_2", []byte(`{"contact":{"id":7,"name":"a"}}`), restore)
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, s.writes)
	require.Empty(t, s.reports)
}

// TestClearedValue: a field that was cleared echoes like any other.
func TestClearedValue(t *testing.T) {
	t.Parallel()
	var s store
	tr := newTracker(t, echo.Config{Store: &s})
	require.NoError(t, remember(t, tr, delivery(`{"id":7,"name":null}`, endpoint)))
	_, err := tr.Rule(t.Context(), source, "evt_2", []byte(`{"contact":{"id":7}}`), restore)
	require.NoError(t, err)
	require.Equal(t, s.writes[0].Value, s.reports[0].Value)
}

// TestNothingToValue: without an application, without paths, and without an object in the body
// nothing is noted and nothing asked.
func TestNothingToMark(t *testing.T) {
	t.Parallel()
	var s store
	tr := newTracker(t, echo.Config{Store: &s})
	for _, ep := range []webhook.Endpoint{{}, {Application: "crm"}, {Echo: paths}} {
		require.NoError(t, remember(t, tr, delivery(`{"id":7,"name":"a"}`, ep)))
	}
	for _, data := range []string{`{}`, `{"id":null,"name":"a"}`, `7`, `{"id":"","name":"a"}`} {
		require.NoError(t, remember(t, tr, delivery(data, endpoint)), data)
		ruling, err := tr.Rule(t.Context(), source, "evt_2", []byte(data), restore)
		require.NoError(t, err, data)
		require.Zero(t, ruling)
	}
	require.Empty(t, s.writes)
	require.Empty(t, s.reports)
}

// TestUnrecognisedGoesOn: a body without an object goes on, counted; one that does not fit the
// expressions is a line in the log as well, which quotes nothing of it.
func TestUnrecognisedGoesOn(t *testing.T) {
	t.Parallel()
	var (
		s       store
		log     bytes.Buffer
		metrics = prometheus.NewRegistry()
	)
	tr := newTracker(t, echo.Config{Store: &s, Metrics: metrics, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	require.NoError(t, remember(t, tr, delivery(`{"name":"private"}`, endpoint)))
	for _, data := range []string{"name=private", strings.Repeat(" ", expression.MaxBody) + `{"contact":{"id":7}}`} {
		ruling, err := tr.Rule(t.Context(), source, "evt_2", []byte(data), restore)
		require.NoError(t, err)
		require.Zero(t, ruling)
	}
	require.Empty(t, log.String(), "no expression is to blame")
	require.NoError(t, remember(t, tr, delivery(`"private"`, endpoint)))
	require.NoError(t, remember(t, tr, delivery(`{"id":"","name":"private"}`, endpoint)))
	for _, id := range []string{strings.Repeat("k", 513), strings.Repeat("k", 4000)} { // one that is over a key's bound alone, and one over the answer's
		require.NoError(t, remember(t, tr, delivery(`{"id":"`+id+`","name":"private"}`, endpoint)))
	}
	require.Empty(t, s.writes)
	require.NoError(t, remember(t, tr, delivery(`{"id":"`+strings.Repeat("k", 512)+`","name":"private"}`, endpoint)))
	require.Len(t, s.writes, 1)
	ofList := source
	ofList.Echo.Value = ".contact.name[]"
	ruling, err := tr.Rule(t.Context(), ofList, "evt_2", []byte(`{"contact":{"id":7,"name":"private"}}`), restore)
	require.NoError(t, err)
	require.Zero(t, ruling)
	require.NoError(t, testutil.GatherAndCompare(metrics, strings.NewReader(`
# HELP hookloop_echo_unmarked_total Bodies in which echo's expressions found no object, so that their echo counts as a change, by reason.
# TYPE hookloop_echo_unmarked_total counter
hookloop_echo_unmarked_total{reason="key_fails",side="endpoint"} 1
hookloop_echo_unmarked_total{reason="key_length",side="endpoint"} 3
hookloop_echo_unmarked_total{reason="no_json",side="source"} 1
hookloop_echo_unmarked_total{reason="no_key",side="endpoint"} 1
hookloop_echo_unmarked_total{reason="too_large",side="source"} 1
hookloop_echo_unmarked_total{reason="value_fails",side="source"} 1
`)))
	require.Contains(t, log.String(), `level=WARN msg="echo not recognisable" side=source id=src_1 event=evt_2 reason=value_fails`)
	require.Equal(t, 5, strings.Count(log.String(), "\n"))
	require.NotContains(t, log.String(), "private")
}

// TestRestore: an echo by which a newer change was lost stays one only if that change is brought
// again.
func TestRestore(t *testing.T) {
	t.Parallel()
	s := store{ruling: echo.Ruling{EchoOf: "evt_0", Order: 3, Newer: "evt_1", Latest: 4}}
	tr := newTracker(t, echo.Config{Store: &s})
	for _, restored := range []bool{true, false} {
		var asked []echo.Ruling
		got, err := tr.Rule(t.Context(), source, "evt_2", []byte(`{"contact":{"id":7,"name":"a"}}`),
			func(_ context.Context, r echo.Ruling) (bool, error) {
				asked = append(asked, r)
				return restored, nil
			})
		require.NoError(t, err)
		require.Equal(t, []echo.Ruling{s.ruling}, asked)
		if restored {
			require.Equal(t, s.ruling, got)
		} else {
			require.Equal(t, echo.Ruling{Order: 10}, got, "the others follow")
		}
	}
	_, err := tr.Rule(t.Context(), source, "evt_2", []byte(`{"contact":{"id":7,"name":"a"}}`), restore)
	require.EqualError(t, err, "not asked")
}

func TestStoreOutOfReach(t *testing.T) {
	t.Parallel()
	s := store{err: errors.New("no")}
	tr := newTracker(t, echo.Config{Store: &s})
	require.ErrorIs(t, remember(t, tr, delivery(`{"id":7,"name":"a"}`, endpoint)), s.err)
	_, err := tr.Rule(t.Context(), source, "evt_2", []byte(`{"contact":{"id":7,"name":"a"}}`), restore)
	require.ErrorIs(t, err, s.err)
}

// TestSettle: what never reached the application counts no more, and what may have reached it for
// as long as a report takes.
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
		"known already":   {&webhook.Attempt{StatusCode: 409}, []time.Duration{echo.ReportLag}},
		"failed":          {&webhook.Attempt{StatusCode: 500}, []time.Duration{echo.ReportLag}},
		"no answer":       {&webhook.Attempt{Failure: webhook.FailureTimeout}, []time.Duration{echo.ReportLag}},
		"no listener":     {&webhook.Attempt{Failure: webhook.FailureRefused}, []time.Duration{0}},
		"cannot be made":  {&webhook.Attempt{Failure: webhook.FailureRequest}, []time.Duration{0}},
		"not dialled":     {&webhook.Attempt{Failure: webhook.FailureAddress}, []time.Duration{0}},
		"no name for it":  {&webhook.Attempt{Failure: webhook.FailureDNS}, []time.Duration{0}},
		"broken off":      {&webhook.Attempt{Failure: webhook.FailureReset}, []time.Duration{echo.ReportLag}},
		"wrong signature": {&webhook.Attempt{Failure: webhook.FailureTLS}, []time.Duration{0}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s store
			var log bytes.Buffer
			tr := newTracker(t, echo.Config{
				Store: &s, Now: func() time.Time { return noon }, Logger: slog.New(slog.NewTextHandler(&log, nil)),
			})
			settle, err := tr.Remember(t.Context(), delivery(`{"id":7,"name":"a"}`, endpoint))
			require.NoError(t, err)
			over, cancel := context.WithCancel(t.Context())
			cancel()
			settle(over, c.attempt) // as that of an attempt whose time is up
			require.Equal(t, c.settled, s.settled)
			require.Empty(t, log.String())
			s.err = errors.New("away")
			settle(t.Context(), c.attempt) // an attempt that was made stays one
			require.Equal(t, len(c.settled), strings.Count(log.String(), `msg="echo not settled" event=evt_1 endpoint=ep_1 error=away`))
		})
	}
}
