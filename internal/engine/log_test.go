package engine_test

import (
	"bytes"
	"errors"
	"log/slog"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"

	"hookloop/internal/engine"
)

func TestFatalEndsTheGoroutineNotTheProcess(t *testing.T) {
	t.Parallel()
	l, fatal := engine.NewLogger(slog.New(slog.DiscardHandler))
	var ended sync.WaitGroup
	for range 2 { // the second finds the channel full
		ended.Go(func() {
			l.Fatal("Failed to start gRPC listener", tag.Error(errors.New("address already in use")))
			t.Error("went on after a fatal error")
		})
	}
	ended.Wait()
	require.EqualError(t, <-fatal, "temporal: Failed to start gRPC listener: address already in use")
	require.Empty(t, fatal)
}

func TestOnlyWarningsAndErrorsAreLogged(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	l, _ := engine.NewLogger(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})))
	l = log.With(l, tag.WorkflowID("event/acme/evt_1"))
	l.Debug("quiet")
	l.Info("quiet")
	l.Warn("HTTP API port has not been set. Nexus HTTP endpoints will not be available.")
	l.Warn("TrailerToContextMetadataInterceptor: Trailer had metadata but context not wrapped")
	require.Empty(t, out.String())
	l.Warn("Fail to process task", tag.Error(errors.New("shard status unknown")))
	require.Contains(t, out.String(), "level=DEBUG")
	require.NotContains(t, out.String(), "level=WARN")

	l.Error("visibility write", tag.Error(errors.New("disk full")))
	require.Contains(t, out.String(), `level=ERROR msg="temporal: visibility write" wf-id=event/acme/evt_1 error="disk full"`)
}

// TestAStartSaysWhatWentWrongFirst: a frontend that does not answer tells less than what Temporal
// logged before.
func TestAStartSaysWhatWentWrongFirst(t *testing.T) {
	t.Parallel()
	l, _ := engine.NewLogger(slog.New(slog.DiscardHandler))
	late := errors.New("temporal at 127.0.0.1:7233: context deadline exceeded")
	require.Equal(t, late, engine.Because(l, late))
	l.Error("service failures", tag.Error(errors.New("disk I/O error (778)")))
	l.Error("Unable to call matching", tag.Error(errors.New("something else")))
	require.EqualError(t, engine.Because(l, late), late.Error()+"; before that: temporal: service failures: disk I/O error (778)")
	require.ErrorIs(t, engine.Because(l, late), late)
	require.NoError(t, engine.Because(l, nil))
}
