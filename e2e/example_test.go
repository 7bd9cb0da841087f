package e2e

import (
	"context"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
	"hookloop/internal/webhook"
)

// passed is an event with where it came from.
type passed struct {
	event

	Hops   int
	Origin *webhook.Origin
}

// TestExample runs examples/mautic as its README says, and looks for itself whether what the
// program says is so.
func TestExample(t *testing.T) {
	t.Parallel()
	program := buildExample(t)
	data := filepath.Join(t.TempDir(), "data")
	a := app{start(t, data)}
	witness, all := a.listen(t, endpointtest.Config{}, "") // of everything that is delivered

	said := strings.Split(strings.TrimSuffix(runExample(t, program, data), "\n"), "\n")
	require.Len(t, said, 8)
	require.Equal(t, "The loop is closed: 3 events, 2 deliveries, 1 echo that goes to no endpoint.", said[7])

	change, score, echo := a.loop(t)
	require.Equal(t, 0, change.Hops)
	require.Equal(t, "mautic", change.Origin.Provider)
	require.Equal(t, "mautic", change.Origin.Application)
	requireDeliveredOnce(t, change, all.ID)
	require.Equal(t, 1, score.Hops)
	requireDeliveredOnce(t, score, all.ID)
	require.Equal(t, score.ID, echo.Origin.EchoOf)
	require.Equal(t, change.Origin.SourceID, echo.Origin.SourceID)
	require.Empty(t, echo.Deliveries)
	for step, e := range map[int]passed{2: change, 4: score, 6: echo, 7: score} {
		require.Contains(t, said[step-1], e.ID)
	}

	got := receipts(t, witness, 2)
	require.Len(t, got, 2)
	require.ElementsMatch(t, []string{change.ID, score.ID}, []string{got[0].ID, got[1].ID})

	var left struct{ Data []struct{ ID string } }
	a.call(t, http.StatusOK, http.MethodGet, "/sources", "", &left)
	require.Empty(t, left.Data, "it deletes what it created")
	a.call(t, http.StatusOK, http.MethodGet, "/endpoints", "", &left)
	require.Len(t, left.Data, 1)

	runExample(t, program, data) // what it wrote before is in no one's way
}

func buildExample(t *testing.T) string {
	t.Helper()
	program, err := build(t.TempDir(), "hookloop/examples/mautic")
	require.NoError(t, err)
	return program
}

func runExample(t *testing.T, program, data string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c := exec.CommandContext(ctx, program, "--data", data)
	c.Stderr = t.Output()
	out, err := c.Output()
	require.NoError(t, err, "%s", out)
	return string(out)
}

// loop waits until all three events of the loop have ended.
func (a app) loop(t *testing.T) (change, score, echo passed) {
	t.Helper()
	var list struct{ Data []struct{ ID string } }
	eventually(t, "three events are listed", func() bool {
		a.call(t, http.StatusOK, http.MethodGet, "/events", "", &list)
		return len(list.Data) == 3
	})
	for _, line := range list.Data {
		a.ended(t, line.ID)
		var e passed
		a.call(t, http.StatusOK, http.MethodGet, "/events/"+line.ID, "", &e)
		require.Equal(t, "delivered", e.Status)
		switch {
		case e.Origin == nil:
			require.Equal(t, "score.computed", e.Type)
			score = e
			continue
		case e.Origin.IsEcho():
			echo = e
		default:
			change = e
		}
		require.Equal(t, "mautic.lead_post_save_update", e.Type)
	}
	require.NotEmpty(t, change.ID)
	require.NotEmpty(t, score.ID)
	require.NotEmpty(t, echo.ID)
	return change, score, echo
}

// requireDeliveredOnce expects two deliveries, the witness's and one more, each with one attempt.
func requireDeliveredOnce(t *testing.T, e passed, witness string) {
	t.Helper()
	require.Len(t, e.Deliveries, 2)
	var to []string
	for _, d := range e.Deliveries {
		to = append(to, d.EndpointID)
		require.Equal(t, "delivered", d.Status)
		require.Len(t, d.Attempts, 1)
		require.Equal(t, 2, d.Attempts[0].StatusCode/100)
	}
	require.Contains(t, to, witness)
	require.NotEqual(t, to[0], to[1])
}
