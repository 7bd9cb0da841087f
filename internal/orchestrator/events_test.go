package orchestrator_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/converter"

	"hookloop/internal/orchestrator"
	"hookloop/internal/orchestrator/orchestratortest"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// shelf keeps one body.
type shelf struct {
	data []byte
	err  error
}

func (s *shelf) Put(_ context.Context, _ webhook.Event, data []byte) (converter.RawValue, error) {
	s.data = data
	return orchestratortest.RawJSON(`{"stored":true}`), s.err
}

func (s *shelf) Data(context.Context, webhook.Event, *commonpb.Payload) ([]byte, error) {
	return s.data, s.err
}

func TestAnEventIsAcceptedOnce(t *testing.T) {
	t.Parallel()
	s := orchestratortest.New()
	e := through(t, s).Events(orchestrator.EventsConfig{})
	in := workflows.EventInput{Event: event, EndpointIDs: []string{"ep_1"}, By: "app"}
	require.NoError(t, e.Start(t.Context(), in, []byte(`{"a":1}`)))
	require.ErrorIs(t, e.Start(t.Context(), in, []byte(`{"a":2}`)), orchestrator.ErrAccepted)
	first, data, err := e.Accepted(t.Context(), "acme", event.ID)
	require.NoError(t, err)
	require.Equal(t, in, first)
	require.Equal(t, `{"a":1}`, string(data))
	_, _, err = e.Accepted(t.Context(), "other", event.ID)
	require.Equal(t, webhook.NotFound, webhook.CodeOf(err))
}

// TestLargeDataLiesOutside of the history, and is found by what the history has in its place.
func TestLargeDataLiesOutside(t *testing.T) {
	t.Parallel()
	s, bodies := orchestratortest.New(), &shelf{}
	e := through(t, s).Events(orchestrator.EventsConfig{Bodies: bodies})
	large := make([]byte, webhook.MaxInline+1)
	require.NoError(t, e.Start(t.Context(), workflows.EventInput{Event: event}, large))
	in, data, err := e.Accepted(t.Context(), "acme", event.ID)
	require.NoError(t, err)
	require.EqualValues(t, len(large), in.Event.Stored)
	require.Equal(t, large, data)

	bodies.err = errors.New("no route")
	err = e.Start(t.Context(), workflows.EventInput{Event: event}, large)
	away, is := errors.AsType[*orchestrator.AwayError](err)
	require.True(t, is)
	require.Equal(t, "the registry", away.Away())
	require.NoError(t, e.Refused(), "that says nothing of Temporal")
}

// TestARefusalSpeaksForTheNext for a while.
func TestARefusalSpeaksForTheNext(t *testing.T) {
	t.Parallel()
	s, now := orchestratortest.New(), time.Now()
	e := through(t, s).Events(orchestrator.EventsConfig{Now: func() time.Time { return now }})
	start := func() error { return e.Start(t.Context(), workflows.EventInput{Event: event}, []byte("1")) }
	s.Down = serviceerror.NewUnavailable("no space left on device")
	require.NoError(t, e.Refused(), "none was refused yet")
	err := start()
	away, is := errors.AsType[*orchestrator.AwayError](err)
	require.True(t, is)
	require.Equal(t, "Temporal", away.Away())
	require.ErrorIs(t, e.Refused(), s.Down)
	now = now.Add(16 * time.Second)
	require.NoError(t, e.Refused())
	require.Error(t, start())
	require.Error(t, e.Refused())
	s.Down = nil
	require.NoError(t, start())
	require.NoError(t, e.Refused())
}

// TestNoValueEndsItsQuotes: a list that is asked for with such a name is of that name, and of
// nothing else.
func TestNoValueEndsItsQuotes(t *testing.T) {
	t.Parallel()
	s := orchestratortest.New()
	e := through(t, s).Events(orchestrator.EventsConfig{})
	odd := event
	odd.Tenant = `a' OR Tenant != '\`
	for _, of := range []webhook.Event{event, odd} {
		require.NoError(t, e.Start(t.Context(), workflows.EventInput{Event: of}, []byte("1")))
	}
	found, _, err := e.List(t.Context(), orchestrator.EventFilter{Tenant: odd.Tenant}, 10, nil)
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, workflows.EventWorkflowID(odd.Tenant, odd.ID), found[0].WorkflowID)
}
