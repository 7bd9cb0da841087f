package e2e

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"hookloop/internal/check"
	"hookloop/internal/endpointtest"
	"hookloop/internal/engine"
	"hookloop/internal/registry/faulty"
	"hookloop/workflows"
)

const faultyEvents = 150

// TestStoreFaults lets Temporal's stores and the registry fail under load, by chance: calls that
// were not made, and calls that were made and are said to have failed. What is answered 202 all the
// same is delivered, and no attempt is made that is not on record unless a fault hit it.
func TestStoreFaults(t *testing.T) {
	onlyInProof(t)
	t.Parallel()
	for _, percent := range []float64{1, 5} {
		t.Run(fmt.Sprintf("%g percent", percent), func(t *testing.T) { //nolint:paralleltest // each is a load of its own
			storeFaults(t, percent/100)
		})
	}
}

func storeFaults(t *testing.T, rate float64) {
	t.Helper()
	dir, chance := t.TempDir(), dice(t)
	temporals := &engine.StoreFaults{Seed: chance.Uint64() >> 1, Rate: rate}
	ours := faulty.New(chance.Uint64(), rate)
	ours.Stop()
	e := startFaultyEngine(t, dir, temporals)
	a := serveThrough(t, dir, e, ours.Wrap)
	well, made := a.listen(t, endpointtest.Config{}, `,"event_types":["load.test"]`)
	troubled, other := a.listen(t, endpointtest.Config{Script: strings.Repeat("503 200 ", faultyEvents)}, `,"event_types":["load.test"],"schedule":["0s","200ms","500ms","1s","1s","2s","2s","5s","5s","5s"]`)

	l := &keyedLoad{app: a, witness: newWitness(), ids: map[string]string{}}
	l.witness.watch(made.ID, well)
	l.witness.watch(other.ID, troubled)
	mended := l.witness.fault("stores fail now and then")
	ours.Start()
	begun := time.Now()
	l.start(t)
	eventually(t, "the load runs", func() bool { return l.count() >= faultyEvents })
	ids := l.finish()
	require.Empty(t, l.strays, "a client is told to come again, and nothing else")
	awaitEnds(t, a, ids)
	ours.Stop()
	require.NoError(t, e.Stop())
	startEngine(t, dir, e.HostPort()) // the judge reads from stores that are well
	mended()
	l.witness.history.Repeats = 4
	r := l.witness.judge(t, a, check.Faults, check.Retried)
	notDone, done := ours.Injected()
	require.Positive(t, temporals.NotDone.Load())
	require.Positive(t, notDone)
	require.Positive(t, done)
	t.Logf("%d events at %g%% in %s: %d calls of Temporal's stores were not made (and half as many made, and said to have failed), "+
		"%d and %d of the registry; %d posts refused, %d sent twice, nothing lost",
		len(ids), rate*100, time.Since(begun).Round(time.Millisecond), temporals.NotDone.Load(), notDone, done, l.refused.Load(), r.Duplicates)
}

// awaitEnds waits as long as something ends now and then, and says what does not.
func awaitEnds(t *testing.T, a app, ids map[string]bool) {
	t.Helper()
	begun, left := time.Now(), maps.Clone(ids)
	for len(left) > 0 {
		before := len(left)
		ended := func() bool {
			for id := range left {
				if e := a.told(t.Context(), id); e.ID != "" && e.Status != "delivering" {
					delete(left, id)
				}
			}
			return len(left) < before
		}
		if !assert.Eventually(t, ended, patience, 20*time.Millisecond) {
			for id := range left {
				t.Logf("%s does not end: %+v", id, a.told(t.Context(), id))
				for _, l := range a.auditOf(t, "/events/"+id+"/audit") {
					t.Logf("    %s %s", l.Kind, l.Detail)
				}
			}
			t.FailNow()
		}
	}
	t.Logf("all ended after %s", time.Since(begun).Round(time.Millisecond))
}

// startFaultyEngine starts again when a fault hit the start.
func startFaultyEngine(t *testing.T, dir string, f *engine.StoreFaults) (e *engine.Engine) {
	t.Helper()
	eventually(t, "Temporal starts", func() bool {
		var err error
		e, err = engine.Start(t.Context(), engine.Config{Dir: dir, Listen: "127.0.0.1:0", SearchAttributes: workflows.SearchAttributes(), StoreFaults: f})
		if err != nil {
			t.Log(err)
		}
		return err == nil
	})
	t.Cleanup(func() { _ = e.Stop() })
	return e
}
