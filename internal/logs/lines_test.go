package logs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/config"
	"hookloop/internal/sender"
	"hookloop/workflows"
)

func TestALineForEachEvent(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	l := New(&out, config.Log{Format: config.LogLines, Level: config.LogLevel(slog.LevelWarn)}, false).With("namespace", "default")
	const endedMessage, failedMessage = workflows.LogEventEnded, sender.LogFailed
	ended := func(status string, endpoints, delivered int64) {
		l.Info(endedMessage, "event", "evt_1", "type", "order.paid", "status", status, "endpoints", endpoints, "delivered", delivered, "duration_ms", int64(84))
	}
	ended("delivered", 2, 2)
	ended("delivered", 1, 1)
	ended("unmatched", 0, 0)
	ended("failed", 2, 1)
	for failure, status := range map[string]int{"refused": 0, "": 503} {
		l.Warn(failedMessage, "event", "evt_1", "type", "order.paid", "host", "example.com", "attempt", 2, "status", status, "failure", failure, "duration_ms", int64(5))
	}
	l.Info("not shown")
	l.Warn("shown as ever")
	text := out.String()
	for _, line := range []string{
		"✓ evt_1 order.paid → 2 endpoints, 84 ms\n✓ evt_1 order.paid → 1 endpoint, 84 ms\n- evt_1 order.paid: no endpoint takes this type\n",
		"✗ evt_1 order.paid → 1 of 2 endpoints, 84 ms: the others did not take it\n",
		"✗ evt_1 order.paid → example.com failed: no answer, the connection was refused (attempt 2, 5 ms)\n",
		"✗ evt_1 order.paid → example.com failed: HTTP 503 (attempt 2, 5 ms)\n",
		`level=WARN msg="shown as ever" namespace=default`,
	} {
		require.Contains(t, text, line)
	}
	require.NotContains(t, text, "not shown")
}

// TestLinesArePaced: a flood is not told line by line.
func TestLinesArePaced(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := &pacedLines{w: &out}
	for i := range 10 * linesASecond {
		p.write(fmt.Sprint("line ", i))
	}
	p.tellLeft()
	require.LessOrEqual(t, strings.Count(out.String(), "\n"), 3*linesASecond)
	require.Contains(t, out.String(), "more lines")
	p.write("again")
	require.Contains(t, out.String(), "again")
}

func TestLogFormats(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	New(&out, config.Log{Format: config.LogJSON, Level: config.LogLevel(slog.LevelInfo)}, false).Info("said", "event", "evt_1")
	var line map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &line))
	require.Equal(t, "evt_1", line["event"])
	out.Reset()
	New(&out, config.Log{Level: config.LogLevel(slog.LevelWarn)}, false).Info("said")
	require.Empty(t, out.String())

	for _, bad := range []map[string]string{{"HOOKLOOP_LOG": "xml"}, {"HOOKLOOP_LOG_LEVEL": "WARN+2"}} {
		_, err := config.ReadLog(func(name string) string { return bad[name] })
		require.ErrorContains(t, err, "must be")
	}
	c, err := config.ReadLog(func(string) string { return "" })
	require.NoError(t, err)
	require.Equal(t, slog.LevelWarn, slog.Level(c.Level))
}
