package registrytest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/echo"
)

// echoLag: what was not reported when it should have been is void: after a change a while later,
// and after the report of a write that began when it was over.
func echoLag(t *testing.T, s Store) {
	r := open(t, s)
	later := born.Add(echo.ReportLag + time.Second)
	wrote(t, r, "evt_1", "blue", 0)
	requireChange(t, reportedAt(t, r, "evt_2", "red", later))
	requireChange(t, reportedAt(t, r, "evt_3", "blue", later))

	wrote(t, r, "evt_4", "unsaid", 0)
	w := echo.Write{Value: contact("said"), EventID: "evt_5", EndpointID: id(1)}
	require.NoError(t, r.Remember(t.Context(), w, born.Add(echo.AttemptLag+time.Second)))
	requireEcho(t, "evt_5", reportedAt(t, r, "evt_6", "said", later))
	requireChange(t, reportedAt(t, r, "evt_7", "unsaid", later))
}

func echoExpires(t *testing.T, s Store) {
	r := open(t, s)
	wrote(t, r, "evt_1", "blue", 0)
	requireEcho(t, "evt_1", reportedAt(t, r, "evt_2", "blue", born.Add(echo.TTL-time.Second)))
	wrote(t, r, "evt_3", "red", 0)
	requireChange(t, reportedAt(t, r, "evt_4", "red", born.Add(echo.TTL)))
}

// echoSettled: a write that never arrived makes no echo of what a person does, and one that may
// have arrived does for a while; what counted before an attempt counts after it.
func echoSettled(t *testing.T, s Store) {
	r := open(t, s)
	settle := func(event, value string, until time.Time) {
		t.Helper()
		require.NoError(t, r.Settle(t.Context(), echo.Write{Value: contact(value), EventID: event, EndpointID: id(1)}, until))
	}
	settle("evt_0", "none", born)
	wrote(t, r, "evt_1", "blue", 0)
	settle("evt_1", "blue", born)
	requireChange(t, reported(t, r, "evt_2", "blue"))

	wrote(t, r, "evt_3", "red", 0)
	settle("evt_3", "red", born.Add(time.Minute))
	wrote(t, r, "evt_3", "red", 0)
	settle("evt_3", "red", born)
	requireEcho(t, "evt_3", reportedAt(t, r, "evt_4", "red", born.Add(time.Minute-time.Second)))

	wrote(t, r, "evt_5", "green", 0)
	settle("evt_5", "green", born.Add(time.Minute))
	requireChange(t, reportedAt(t, r, "evt_6", "green", born.Add(time.Minute)))
	wrote(t, r, "evt_7", "blue", 0)
	settle("evt_7", "blue", born)
	wrote(t, r, "evt_7", "blue", 0) // the next attempt
	requireEcho(t, "evt_7", reported(t, r, "evt_8", "blue"))
}

// echoRace: one write is one echo, however many ask at once.
func echoRace(t *testing.T, s Store) {
	r := open(t, s)
	wrote(t, r, "evt_1", "blue", 0)
	var all sync.WaitGroup
	rulings := make([]echo.Ruling, 20)
	for n := range rulings {
		all.Go(func() {
			rulings[n], _ = r.Rule(t.Context(), echo.Report{Value: contact("blue"), EventID: fmt.Sprintf("evt_b%d", n)}, born)
		})
	}
	all.Wait()
	echoes := 0
	for _, ruling := range rulings {
		if ruling.EchoOf != "" {
			echoes++
		}
		require.Positive(t, ruling.Order)
	}
	require.Equal(t, 1, echoes)
}
