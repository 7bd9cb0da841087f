package sender_test

import (
	"io"
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/sender"
)

// TestMemoryOfOneAttempt measures what newTransport's comment states. It counts what the whole
// process allocates, so it runs beside no other test, and its servers allocate nothing.
func TestMemoryOfOneAttempt(t *testing.T) { //nolint:paralleltest // see above
	const mib = 1 << 20
	for name, tc := range map[string]struct {
		start, more string
		most        uint64
	}{
		"endless body":         {"HTTP/1.1 200 OK\r\n\r\n", strings.Repeat("x", 16*kib), mib / 4},
		"endless chunks":       {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", strings.Repeat("1\r\nx\r\n", 4*kib), mib / 4},
		"endless header":       {"HTTP/1.1 200 OK\r\na: ", strings.Repeat("x", 16*kib), mib},
		"endless headers":      {"HTTP/1.1 200 OK\r\n", strings.Repeat("a: b\r\n", 4*kib), 2 * mib},
		"all different":        {"HTTP/1.1 200 OK\r\n" + numbered(1<<14), "", 2 * mib},
		"as many as may be":    {"HTTP/1.1 200 OK\r\n" + numbered(7000) + "Content-Length: 0\r\n\r\n", "", 2 * mib},
		"endless 100 Continue": {"", strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", kib), mib},
		"endless early hints":  {"", strings.Repeat("HTTP/1.1 103 Early Hints\r\na: b\r\n\r\n", kib), 2 * mib},
	} {
		t.Run(name, func(t *testing.T) { //nolint:paralleltest // see above
			buf, start, more := make([]byte, 4*kib), []byte(tc.start), []byte(tc.more)
			addr := raw(t, func(c net.Conn) {
				_, _ = c.Read(buf)
				_, err := c.Write(start)
				for err == nil && len(more) > 0 {
					_, err = c.Write(more)
				}
				_, _ = io.Copy(io.Discard, c)
			})
			s, d := newSender(t, sender.Config{}), delivery("http://"+addr)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := s.Send(t.Context(), d, 1)
			runtime.ReadMemStats(&after)
			require.NoError(t, err)
			t.Logf("%d KiB", (after.TotalAlloc-before.TotalAlloc)/kib)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, tc.most)
		})
	}
}
