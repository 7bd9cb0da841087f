package orchestrator_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"hookloop/activities"
	"hookloop/internal/orchestrator"
	"hookloop/internal/orchestrator/orchestratortest"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// withEvents is a Temporal with n events of these data, and what reads them.
func withEvents(t *testing.T, n int, data string) (*orchestratortest.Temporal, *orchestrator.Contents) {
	t.Helper()
	s := orchestratortest.New()
	for i := range n {
		input, err := orchestratortest.Payloads(workflows.EventInput{Context: []byte(`{"for":"1"}`)}, orchestratortest.RawJSON(data))
		require.NoError(t, err)
		s.Put(&orchestratortest.Run{ID: fmt.Sprint("event/acme/", i), RunID: "run", Input: input})
	}
	c, err := through(t, s).Contents(nil)
	require.NoError(t, err)
	return s, c
}

func numbered(n int) webhook.Event { return webhook.Event{Tenant: "acme", ID: fmt.Sprint(n)} }

func TestContentsAreReadOnceAndExactly(t *testing.T) {
	t.Parallel()
	s, c := withEvents(t, 1, `{ "a" : 1.10 }`)
	for range 3 {
		got, err := c.EventContent(t.Context(), numbered(0), "run")
		require.NoError(t, err)
		require.Equal(t, `{ "a" : 1.10 }`, string(got.Data))
		require.Equal(t, `{"for":"1"}`, string(got.Context))
	}
	require.Len(t, s.Reads, 1)
}

// TestContentsKeepSoManyBytes: the largest events push each other out long before there are many.
func TestContentsKeepSoManyBytes(t *testing.T) {
	t.Parallel()
	const fit = 63 // of a megabyte each, beside their contexts
	s, c := withEvents(t, fit+1, `"`+strings.Repeat("x", 1<<20-2)+`"`)
	read := func(n int) {
		_, err := c.EventContent(t.Context(), numbered(n), "run")
		require.NoError(t, err)
	}
	for range 2 {
		for n := range fit {
			read(n)
		}
	}
	require.Len(t, s.Reads, fit)
	read(fit) // pushes out the first
	read(1)
	require.Len(t, s.Reads, fit+1)
	read(0)
	require.Len(t, s.Reads, fit+2)
}

func TestAnErasedHistoryIsFinal(t *testing.T) {
	t.Parallel()
	_, c := withEvents(t, 0, "")
	_, err := c.EventContent(t.Context(), numbered(0), "run")
	app, ok := errors.AsType[*temporal.ApplicationError](err)
	require.True(t, ok)
	require.Equal(t, activities.TypeEventGone, app.Type())
}
