package sender

import (
	"context"
	"fmt"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// progress is how far an attempt got, for the sentence about one whose time ran out: a firewall, a
// broken TLS terminator and a slow application are different people's to mend. The zero progress has
// no connection.
type progress struct{ phase atomic.Int32 } // atomic: dialling is another goroutine's

const (
	dialling int32 = iota
	handshaking
	connected
)

func (p *progress) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		TLSHandshakeStart: func() { p.phase.CompareAndSwap(dialling, handshaking) },
		GotConn:           func(httptrace.GotConnInfo) { p.phase.Store(connected) },
	})
}

func (p *progress) late(timeout time.Duration) string {
	missing := "connection"
	switch p.phase.Load() {
	case handshaking:
		missing = "TLS handshake"
	case connected:
		missing = "answer"
	}
	return fmt.Sprintf("no %s within %s", missing, timeout)
}
