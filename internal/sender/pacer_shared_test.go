package sender_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
	"hookloop/internal/sender"
	"hookloop/internal/webhook"
)

// together is a pacer that answers as told.
type together struct {
	wait  time.Duration
	err   error
	asked int
}

func (p *together) Pass(context.Context, string, string, string, webhook.RateLimit) (time.Duration, error) {
	p.asked++
	return p.wait, p.err
}

func TestSharedPacer(t *testing.T) {
	t.Parallel()
	srv := endpointtest.Start(t, endpointtest.Config{})
	p := &together{wait: 1500 * time.Microsecond}
	s := newSender(t, sender.Config{Pacer: p, MostPlaces: 1})
	d := delivery(srv.URL)
	_, err := s.Send(t.Context(), d, 1)
	require.NoError(t, err, "without a limit nobody is asked")
	require.Zero(t, p.asked)

	d.Endpoint.RateLimit = webhook.RateLimit{PerSecond: 1, Burst: 1}
	for range 3 { // its place is given back
		_, err = s.Send(t.Context(), d, 1)
		requireDeferral(t, err, webhook.DeferLimit, "the endpoint takes 1 attempts a second")
		var deferral *webhook.Deferral
		require.ErrorAs(t, err, &deferral)
		require.EqualValues(t, 2, deferral.WaitMS)
	}
	p.err = errors.New("away")
	_, err = s.Send(t.Context(), d, 1)
	require.ErrorIs(t, err, p.err)
	p.wait, p.err = 0, nil
	_, err = s.Send(t.Context(), d, 1)
	require.NoError(t, err)
	probe := d
	probe.Probe, p.wait = true, time.Hour
	_, err = s.Send(t.Context(), probe, 1)
	require.NoError(t, err, "a person asked for it")
	require.Len(t, srv.Receipts(), 3)
}
