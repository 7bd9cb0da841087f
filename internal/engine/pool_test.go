package engine_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTemporalUsesOurPool: a bare event is some thirty SQL statements, and all of them are known.
func TestTemporalUsesOurPool(t *testing.T) {
	t.Parallel()
	e := start(t, config(t))
	c := dial(t, e)
	work(t, c)
	event := func(i int) string {
		id := fmt.Sprintf("event/acme/%d", i)
		runEvent(t, c, id)
		return id
	}
	const warmUp, events = 20, 50
	require.NotZero(t, e.Compiled(), "Temporal's plugin has connections of its own")
	for i := range warmUp {
		requireListed(t, c, "WorkflowId = '"+event(i)+"'")
	}
	before := e.Compiled()
	for i := range events {
		event(warmUp + i)
	}
	requireListed(t, c, "WorkflowId = '"+event(warmUp+events)+"'")
	// What Temporal does now and then, in the background, may meet a text it has not used before.
	require.Less(t, float64(e.Compiled()-before)/events, 0.5)
}
