package logs

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/config"
)

// TestStartLog: what is said during a start follows once it is through, in order, and not before.
func TestStartLog(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log, started := HoldUntilStarted(New(&out, config.Log{}, false))
	log.With("tenant", "acme").WithGroup("g").Warn("first", slog.Int("n", 1))
	log.Debug("of no interest")
	log.Error("second")
	require.Empty(t, out.String())
	started()
	require.Regexp(t, `(?s)msg=first tenant=acme g.n=1\n.*msg=second\n$`, out.String())
	log.Warn("third")
	require.Equal(t, 3, strings.Count(out.String(), "\n"))
}

// TestStartLogIsBounded: a start that says the same for ever does not fill the memory.
func TestStartLogIsBounded(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log, started := HoldUntilStarted(New(&out, config.Log{}, false))
	for range 2 * heldLines {
		log.Warn("again")
	}
	started()
	require.Equal(t, heldLines, strings.Count(out.String(), "\n"))
}
