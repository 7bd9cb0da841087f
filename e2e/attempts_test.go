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

	"hookloop/internal/endpointtest"
)

// TestAttemptLog lets deliveries go every way, and makes the log again from histories after its
// tables were cleared: the same rows, the same counts.
func TestAttemptLog(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	a := app{start(t, data)}
	log := openLog(t, data)
	want := everyWay(t, a)
	eventually(t, "the log has every attempt", func() bool { return log.count(t, "SELECT count(*) FROM attempts WHERE number > 0") == want })
	before := log.dump(t)
	require.NotContains(t, before, "confidential", "neither what was sent nor what was answered")
	require.Contains(t, before, "|0|kind.paused|", "what was deferred is known")

	stdout, stderr, code := hookloop(t, "attempts", "rebuild", "--data-dir", data)
	require.Zero(t, code, stderr)
	require.Equal(t, before, log.dump(t), "what is there stays as it is")
	log.clear(t)
	stdout, stderr, code = hookloop(t, "attempts", "rebuild", "--data-dir", data)
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, fmt.Sprintf("%d rows in ", log.count(t, "SELECT count(*) FROM attempts")))
	require.Equal(t, before, log.dump(t))

	require.Equal(t, 1, log.count(t, "SELECT count(*) FROM attempt_gaps WHERE to_at = 0"), "the process that writes")
	a.p.kill(syscall.SIGTERM)
	require.Zero(t, log.count(t, "SELECT count(*) FROM attempt_gaps"), "it has written everything")
}

// everyWay says how many attempts it made.
func everyWay(t *testing.T, a app) (made int) {
	t.Helper()
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
	return made
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
