package e2e

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/check"
	"hookloop/internal/endpointtest"
	"hookloop/internal/webhook"
)

var neighbour = flag.Bool("neighbour", false, "measure what a hanging endpoint costs another tenant: five minutes, on an idle machine")

// TestNeighbour lets one tenant's endpoint hang with more events than it has places: another
// tenant's events neither wait for them nor are put off.
func TestNeighbour(t *testing.T) {
	t.Parallel()
	const hanging, healthy = 60, 40
	p := start(t, filepath.Join(t.TempDir(), "data"))
	noisy, quiet := *p, *p
	noisy.Tenant, quiet.Tenant = "noisy", "quiet"
	silent, _ := app{&noisy}.listen(t, endpointtest.Config{Script: "hang"}, `,"timeout":"30s"`)
	s, made := app{&quiet}.listen(t, endpointtest.Config{}, "")
	w := newWitness()
	w.watch(made.ID, s)
	waits := make([]string, hanging)
	for i := range waits {
		waits[i] = app{&noisy}.post(t, `{"type":"contact.updated","data":1}`).ID
	}
	for n := range healthy { // one by one: on a slow machine all at once might want more places than there are
		e := app{&quiet}.post(t, fmt.Sprintf(`{"type":"contact.updated","data":%d}`, n))
		w.answered(http.StatusAccepted, e.ID, "", strconv.Itoa(n))
		d := app{&quiet}.settled(t, e.ID)
		require.Equal(t, webhook.Delivered, d.Status)
		require.Len(t, d.Attempts, 1)
		require.Empty(t, d.WorkflowID, "the fast lane had room")
	}
	w.judge(t, app{&quiet}, check.Accepts, check.AuditedLines)
	hung, together := silent.Receipts(), 0
	for _, r := range hung { // those that came long before the first was over
		if r.At.Sub(hung[0].At) < webhook.MaxTimeout/2 {
			together++
		}
	}
	require.LessOrEqual(t, together, 32, "what hangs has no more than its places")
	for _, id := range waits {
		require.Equal(t, "delivering", app{&noisy}.told(t.Context(), id).Status)
	}
}

// TestNeighbourRatio is the promise in numbers.
func TestNeighbourRatio(t *testing.T) {
	if !*neighbour {
		t.Skip("takes five minutes and an idle machine: -neighbour")
	}
	out := measure(t, "--events", "100", "--neighbour", "--json")
	var r struct {
		Ratio float64 `json:"neighbour_ratio"`
	}
	require.NoError(t, json.Unmarshal(out, &r))
	t.Logf("%s", out)
	require.Positive(t, r.Ratio)
	require.LessOrEqual(t, r.Ratio, 2.0)
}
