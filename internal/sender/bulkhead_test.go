package sender_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
	"hookloop/internal/sender"
	"hookloop/internal/webhook"
)

func TestBulkhead(t *testing.T) {
	t.Parallel()
	srv := endpointtest.Start(t, endpointtest.Config{Script: "hang:2"})
	s := newSender(t, sender.Config{Bulkhead: 2})
	d := delivery(srv.URL)
	d.Endpoint.Timeout = time.Second
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() { _, _ = s.Send(t.Context(), d, 1) })
	}
	srv.MustWait(t, 2)

	start := time.Now()
	_, err := s.Send(t.Context(), d, 1)
	requireDeferral(t, err, webhook.DeferBulkhead, "too many attempts")
	require.Less(t, time.Since(start), 500*time.Millisecond, "a full bulkhead answers at once")
	other := d
	other.Endpoint.ID = "ep_2"
	_, err = s.Send(t.Context(), other, 1)
	require.NoError(t, err, "the endpoint next to it is not affected")

	wg.Wait()
	_, err = s.Send(t.Context(), d, 2)
	require.NoError(t, err, "places come back")
}

func TestBulkheadIsSixteenByDefault(t *testing.T) {
	t.Parallel()
	s := newSender(t, sender.Config{})
	for range 16 {
		_, refused := s.Enter("acme", "ep_1")
		require.Nil(t, refused)
	}
	_, refused := s.Enter("acme", "ep_1")
	require.Equal(t, webhook.DeferBulkhead, refused.Reason)
}
