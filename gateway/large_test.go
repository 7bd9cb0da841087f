package gateway_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"

	"hookloop/api"
	"hookloop/gateway"
	"hookloop/internal/orchestrator"
	"hookloop/internal/webhook"
)

// TestLargeEventsLieOutside: what is too large for a history lies in the body store before the
// event is accepted, and is found by those who read the event.
func TestLargeEventsLieOutside(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.source(githubSource)
	large := `{"x":"` + strings.Repeat("y", 3<<20) + `"}`
	require.Equal(t, 200, r.fromGitHub(id, "s3cr3t-new", "push", large).Code)
	require.Equal(t, 200, r.fromGitHub(id, "s3cr3t-new", "push", large).Code)
	require.Equal(t, 1, r.temporal.Starts())
	for held, in := range r.startedEvents() {
		require.Less(t, len(held), 200)
		require.Contains(t, held, `"bytes":3145736`)
		require.EqualValues(t, len(large), in.Event.Stored)
	}

	post := func(fill string) (code int, answer map[string]any) {
		w := r.do("POST", "/events", `{"type":"a.b","data":"`+fill+`"}`, "Idempotency-Key", "k")
		return w.Code, read[map[string]any](t, w, w.Code)
	}
	full := strings.Repeat("x", webhook.MaxInline)
	code, first := post(full)
	require.Equal(t, 202, code)
	code, again := post(full)
	require.Equal(t, 202, code)
	require.Equal(t, first["id"], again["id"])
	require.Equal(t, true, again["duplicate"])
	code, _ = post(full + "x")
	require.Equal(t, 409, code, "another body under the same key")
	code, again = post(full)
	require.Equal(t, 202, code)
	require.Equal(t, true, again["duplicate"], "and it has written over nothing")
}

// TestBodyStoreAway: nothing is accepted whose data could not be kept.
func TestBodyStoreAway(t *testing.T) {
	t.Parallel()
	r := newRigOver(t, func(b *behind) { b.bodies = noBodies{b.bodies} }, func(*gateway.Config) {})
	large := `{"type":"a.b","data":"` + strings.Repeat("x", webhook.MaxInline) + `"}`
	refused(t, r.do("POST", "/events", large), 503, api.Unavailable)
	require.Equal(t, 202, r.do("POST", "/events", `{"type":"a.b","data":1}`).Code)
	require.Equal(t, 1, r.temporal.Starts())
}

// noBodies is a body store that is away.
type noBodies struct{ orchestrator.Bodies }

func (noBodies) Put(context.Context, webhook.Event, []byte) (converter.RawValue, error) {
	return converter.RawValue{}, errors.New("away")
}
