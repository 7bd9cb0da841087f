package inprocess

import (
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// transport keeps the headers and trailers that a server sends with its answer.
type transport struct {
	method string

	mu              sync.Mutex
	header, trailer metadata.MD
}

var _ grpc.ServerTransportStream = (*transport)(nil)

// Method implements grpc.ServerTransportStream.
func (t *transport) Method() string { return t.method }

// SetHeader implements grpc.ServerTransportStream.
func (t *transport) SetHeader(more metadata.MD) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.header = metadata.Join(t.header, more)
	return nil
}

// SendHeader implements grpc.ServerTransportStream. Header and answer reach the client together.
func (t *transport) SendHeader(more metadata.MD) error { return t.SetHeader(more) }

// SetTrailer implements grpc.ServerTransportStream.
func (t *transport) SetTrailer(more metadata.MD) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.trailer = metadata.Join(t.trailer, more)
	return nil
}

// tell hands header and trailer to a client that asked for them.
func (t *transport) tell(opts []grpc.CallOption) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, o := range opts {
		switch o := o.(type) {
		case grpc.HeaderCallOption:
			*o.HeaderAddr = t.header
		case grpc.TrailerCallOption:
			*o.TrailerAddr = t.trailer
		}
	}
}

// address is where calls come from: this process.
type address struct{}

// Network implements net.Addr.
func (address) Network() string { return "inprocess" }

// String implements net.Addr.
func (address) String() string { return "inprocess" }
