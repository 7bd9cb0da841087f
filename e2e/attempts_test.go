package e2e

import (
	"database/sql"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"hookloop/api"
	"hookloop/internal/endpointtest"
	"hookloop/internal/webhook"
)

// TestAttemptLog lets deliveries go every way, and makes the log again from histories after its
// tables were cleared: the same rows, the same counts.
func TestAttemptLog(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	a := app{start(t, data)}
	log := openLog(t, data)
	want, went := everyWay(t, a)
	eventually(t, "the log has every attempt, and the one that was put off", func() bool {
		return log.count(t, "SELECT count(*) FROM attempts WHERE number > 0") == want &&
			log.count(t, "SELECT count(DISTINCT event_id) FROM attempts") == len(went)
	})
	answersQuestions(t, a, want, went)
	before := log.dump(t)
	require.NotContains(t, before, "confidential", "neither what was sent nor what was answered")
	require.Contains(t, before, "|0|kind.paused|", "what was deferred is known")

	_, stderr, code := hookloop(t, "attempts", "rebuild", "--data-dir", data)
	require.Zero(t, code, stderr)
	require.Equal(t, before, log.dump(t), "what is there stays as it is")
	log.clear(t)
	stdout, stderr, code := hookloop(t, "attempts", "rebuild", "--data-dir", data)
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, fmt.Sprintf("%d rows in ", log.count(t, "SELECT count(*) FROM attempts")))
	require.Equal(t, before, log.dump(t))

	require.Equal(t, 1, log.count(t, "SELECT count(*) FROM attempt_gaps WHERE to_at = 0"), "the process that writes")
	a.p.kill(syscall.SIGTERM)
	require.Zero(t, log.count(t, "SELECT count(*) FROM attempt_gaps"), "it has written everything")
}

// journey is an event on its way to an endpoint of its own.
type journey struct{ event, endpoint string }

// everyWay says how many attempts it made, and what went where, by kind.
func everyWay(t *testing.T, a app) (made int, went map[string]journey) {
	t.Helper()
	went = map[string]journey{}
	for kind, c := range map[string]struct{ script, schedule string }{
		"delivered": {"200", `["0s"]`}, "retried": {"503:3 200", `["0s","50ms","50ms","50ms","50ms"]`},
		"exhausted": {"404", `["0s","50ms","20s"]`}, "waiting": {"500", `["0s","24h"]`}, "redelivered": {"400:1 200", `["0s"]`},
		"late": {"200", `["1s","5s"]`}, "paused": {"200", `["0s"]`},
	} {
		_, e := a.listen(t, endpointtest.Config{Script: c.script, Body: "confidential answer"}, `,"schedule":`+c.schedule+`,"event_types":["kind.`+kind+`"]`)
		if kind == "paused" {
			a.call(t, http.StatusAccepted, http.MethodPost, "/endpoints/"+e.ID+"/pause", `{"reason":"they move"}`, nil)
		}
		ev := a.post(t, `{"type":"kind.`+kind+`","data":{"secret":"confidential"}}`)
		went[kind] = journey{ev.ID, e.ID}
		switch kind {
		case "exhausted": // two in the fast lane, then a Delivery
			a.attempted(t, ev.ID, 2)
			a.call(t, http.StatusAccepted, http.MethodPost, "/events/"+ev.ID+"/deliveries/"+e.ID+"/retry-now", "", nil)
			a.ended(t, ev.ID)
		case "waiting":
			a.attempted(t, ev.ID, 1)
		case "paused":
			a.isHeld(t, ev.ID)
		case "redelivered":
			a.ended(t, ev.ID)
			made++ // of which its report says nothing any more
			a.call(t, http.StatusAccepted, http.MethodPost, "/events/"+ev.ID+"/redeliver", "", nil)
			eventually(t, "it is redelivered", func() bool { return a.event(t, ev.ID).Status == "delivered" })
		default:
			a.ended(t, ev.ID)
		}
		for _, d := range a.event(t, ev.ID).Deliveries {
			made += len(d.Attempts)
		}
	}
	return made, went
}

// answersQuestions asks what operators ask, by API and by CLI.
func answersQuestions(t *testing.T, a app, made int, went map[string]journey) {
	t.Helper()
	var stats api.TenantStats
	a.call(t, http.StatusOK, http.MethodGet, "/stats", "", &stats)
	require.EqualValues(t, made, stats.Attempts)
	require.Equal(t, went["paused"].endpoint, stats.Held[0].EndpointID)
	require.Equal(t, 2, stats.Backlog.Waiting, "one waits for its schedule, one for a person")
	require.Equal(t, 1, stats.Backlog.Held)

	var attempts api.Page[api.AttemptItem]
	a.call(t, http.StatusOK, http.MethodGet, "/endpoints/"+went["retried"].endpoint+"/attempts", "", &attempts)
	require.Len(t, attempts.Data, 4)
	require.Equal(t, []any{4, api.Took, 200}, []any{attempts.Data[0].Number, attempts.Data[0].Outcome, attempts.Data[0].StatusCode})
	require.Equal(t, api.Fails, attempts.Data[3].Outcome)

	for _, kind := range []string{"paused", "redelivered"} { // the first had no attempt, the second two
		var events api.Page[api.EventItem]
		a.call(t, http.StatusOK, http.MethodGet, "/events?endpoint="+went[kind].endpoint, "", &events)
		require.Len(t, events.Data, 1, kind)
		require.Equal(t, went[kind].event, events.Data[0].ID)
	}
	var undelivered api.Page[api.Undelivered]
	a.call(t, http.StatusOK, http.MethodGet, "/undelivered", "", &undelivered)
	reasons := map[string]string{}
	for _, u := range undelivered.Data {
		reasons[u.EventID] = string(u.Status) + " " + u.Reason
	}
	require.Len(t, reasons, 2)
	require.Contains(t, reasons[went["paused"].event], "held the endpoint is paused by dev: they move")
	require.Contains(t, reasons[went["waiting"].event], "retrying")
	status, data := a.try(t.Context(), http.MethodGet, "/events/"+went["late"].event+"/data", "", nil)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, `{"secret":"confidential"}`, string(data))
	require.NotNil(t, lineOf(a.audited(t, went["late"].event), func(l webhook.AuditLine) bool { return l.Kind == webhook.AuditPayloadRead && l.Actor == "dev" }))
}

// attemptLog is the log behind the process's back.
type attemptLog struct{ *sql.DB }

func openLog(t *testing.T, data string) attemptLog {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(data, "registry.db")+"?_pragma=busy_timeout(60000)")
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return attemptLog{db}
}

func (l attemptLog) count(t *testing.T, query string) (n int) {
	t.Helper()
	require.NoError(t, l.QueryRowContext(t.Context(), query).Scan(&n))
	return n
}

func (l attemptLog) clear(t *testing.T) {
	t.Helper()
	for _, statement := range []string{
		"DELETE FROM attempts", "DELETE FROM attempt_counts", "DELETE FROM attempt_latest", "UPDATE attempt_log SET size = 0",
	} {
		_, err := l.ExecContext(t.Context(), statement)
		require.NoError(t, err)
	}
}

// dump is every row of every table, in order.
func (l attemptLog) dump(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, query := range []string{
		"SELECT * FROM attempts ORDER BY tenant, endpoint_id, event_id, run, number", "SELECT * FROM attempt_counts ORDER BY tenant, span, at, endpoint_id",
		"SELECT * FROM attempt_latest ORDER BY tenant, endpoint_id", "SELECT * FROM attempt_log",
	} {
		rows, err := l.QueryContext(t.Context(), query)
		require.NoError(t, err)
		columns, err := rows.Columns()
		require.NoError(t, err)
		for rows.Next() {
			values := make([]any, len(columns))
			for i := range values {
				values[i] = new(any)
			}
			require.NoError(t, rows.Scan(values...))
			for _, v := range values {
				fmt.Fprint(&b, *v.(*any), "|")
			}
			b.WriteString("\n")
		}
		require.NoError(t, rows.Err())
		require.NoError(t, rows.Close())
	}
	return b.String()
}
