package sender

import (
	"context"
	"fmt"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// phase is how far an attempt got, for the sentence about one whose time ran out: different people
// mend a firewall, a broken TLS terminator and a slow application. The zero phase is dialling.
type phase struct{ reached atomic.Int32 } // atomic: another goroutine dials

const (
	dialling int32 = iota
	handshaking
	connected
)

func (p *phase) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		TLSHandshakeStart: func() { p.reached.CompareAndSwap(dialling, handshaking) },
		GotConn:           func(httptrace.GotConnInfo) { p.reached.Store(connected) },
	})
}

func (p *phase) late(timeout time.Duration) string {
	missing := "connection"
	switch p.reached.Load() {
	case handshaking:
		missing = "TLS handshake"
	case connected:
		missing = "answer"
	}
	return fmt.Sprintf("no %s within %s", missing, timeout)
}
