package guard_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/sender/guard"
	"hookloop/internal/webhook"
)

// together is a Pacer with a set answer.
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
	p := &together{wait: 1500 * time.Microsecond}
	g := newGuard(t, guard.Config{Pacer: p, MaxInFlight: 1})
	d := at("ep_1")
	send(t, g, d, took)
	require.Zero(t, p.asked, "the endpoint has no limit")

	d.Endpoint.RateLimit = webhook.RateLimit{PerSecond: 1, Burst: 1}
	for range 3 { // the permit is given back
		_, refused := acquire(g, d)
		require.NotNil(t, refused)
		require.Equal(t, webhook.DeferLimit, refused.Reason)
		require.Contains(t, refused.Detail, "the endpoint takes 1 attempts a second")
		require.EqualValues(t, 2, refused.WaitMS)
	}
	p.err = errors.New("away")
	_, err := g.Acquire(t.Context(), d)
	require.ErrorIs(t, err, p.err)
	p.wait, p.err = 0, nil
	send(t, g, d, took)
	d.Probe, p.wait = true, time.Hour
	send(t, g, d, took) // a person asked for it
}
