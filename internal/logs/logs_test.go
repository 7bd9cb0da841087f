package logs

import (
	"bytes"
	"log"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/config"
)

// TestStdlogQuotesNobody: what an endpoint sent unasked is in no log, however much is logged.
func TestStdlogQuotesNobody(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	l := log.New(stdlog{New(&out, config.Log{}, true)}, "", 0)
	l.Printf("Unsolicited response received on idle HTTP channel starting with %q; err=%v", "Authorization: Bearer s3cr3t", nil)
	l.Printf("http: panic serving 127.0.0.1:1: %v", "s3cr3t")
	l.Print("http2: server: error reading preface from client s3cr3t")
	require.NotContains(t, out.String(), "s3cr3t")
	require.Contains(t, out.String(), "no request asked for")
	require.Equal(t, 3, bytes.Count(out.Bytes(), []byte("\n")), out.String())
}
