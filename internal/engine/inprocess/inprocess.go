// Package inprocess lets the clients of a gRPC service call it without the network where both are
// in one process. What a call passes through stays: the client's interceptors, deadline and
// metadata, the server's interceptors, headers and trailers, status codes. Messages are copied, so
// that neither side sees what the other one does to its own. Streams, and services that are not
// registered, take the connection they would have taken.
package inprocess

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// Services are those that can be called. The zero value has none.
type Services struct {
	mu      sync.RWMutex
	methods map[string]method // by full name
}

type method struct {
	service     any
	handler     grpc.MethodHandler
	interceptor grpc.UnaryServerInterceptor
}

// Register takes calls of the unary methods of service from now on, each through the interceptors,
// the first of them outermost.
func (s *Services) Register(desc *grpc.ServiceDesc, service any, interceptors ...grpc.UnaryServerInterceptor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.methods == nil {
		s.methods = map[string]method{}
	}
	for _, m := range desc.Methods {
		s.methods[fullName(desc, m)] = method{service: service, handler: m.Handler, interceptor: chain(interceptors)}
	}
}

// Remove lets calls of the service take their connection again.
func (s *Services) Remove(desc *grpc.ServiceDesc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range desc.Methods {
		delete(s.methods, fullName(desc, m))
	}
}

func fullName(desc *grpc.ServiceDesc, m grpc.MethodDesc) string {
	return "/" + desc.ServiceName + "/" + m.MethodName
}

// Intercept is a grpc.UnaryClientInterceptor. It must be the last one of a connection: those after
// it would not be called.
func (s *Services) Intercept(ctx context.Context, name string, request, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	s.mu.RLock()
	m, ok := s.methods[name]
	s.mu.RUnlock()
	if !ok {
		return invoke(ctx, name, request, reply, cc, opts...)
	}
	if err := ctx.Err(); err != nil {
		return status.FromContextError(err).Err()
	}
	t := &transport{method: name}
	serving, done := serverContext(ctx, t)
	defer done()
	answer, err := m.handler(m.service, serving, func(to any) error { return copyMessage(to, request) }, m.interceptor)
	t.tell(opts)
	if err != nil {
		return asStatus(err)
	}
	return copyMessage(reply, answer)
}

// serverContext has what a server finds in the context of a call: its deadline, where it came from,
// what was sent beside it, and where headers and trailers go. It ends with the caller's, or with
// the call.
func serverContext(caller context.Context, t *transport) (context.Context, context.CancelFunc) {
	sent, ok := metadata.FromOutgoingContext(caller)
	if !ok {
		sent = metadata.MD{}
	}
	ctx, done := context.WithCancel(lifetime{caller})
	ctx = metadata.NewIncomingContext(ctx, sent)
	ctx = peer.NewContext(ctx, &peer.Peer{Addr: address{}})
	return grpc.NewContextWithServerTransportStream(ctx, t), done
}

// Calls says whether a call that is being served came from this process. No call from the network
// can say so.
func Calls(ctx context.Context) bool {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return false
	}
	_, ok = p.Addr.(address)
	return ok
}

// lifetime is a context without its values: those of a client do not reach a server.
type lifetime struct{ context.Context } //nolint:containedctx // it is one

// Value implements context.Context.
func (lifetime) Value(any) any { return nil }

// AfterFunc saves package context a goroutine for each child: it asks its parents for this method.
func (l lifetime) AfterFunc(f func()) (stop func() bool) { return context.AfterFunc(l.Context, f) }

// copyMessage replaces what is in to. Messages of two types take the way over the wire: Temporal's
// services send histories as bytes in a field where their clients declare events.
func copyMessage(to, from any) error {
	source, ok := from.(proto.Message)
	target, can := to.(proto.Message)
	if !ok || !can {
		return status.Error(codes.Internal, fmt.Sprintf("inprocess: %T and %T are not both messages", to, from))
	}
	proto.Reset(target)
	if target.ProtoReflect().Descriptor() == source.ProtoReflect().Descriptor() {
		proto.Merge(target, source)
		return nil
	}
	wire, err := proto.Marshal(source)
	if err != nil {
		return status.Error(codes.Internal, fmt.Sprintf("inprocess: %T: %v", from, err))
	}
	if err := proto.Unmarshal(wire, target); err != nil {
		return status.Error(codes.Internal, fmt.Sprintf("inprocess: %T: %v", to, err))
	}
	return nil
}

// asStatus is what a client on the wire would get.
func asStatus(err error) error {
	if _, ok := status.FromError(err); ok {
		return err
	}
	return status.FromContextError(err).Err()
}

// chain makes one interceptor of several; nil of none.
func chain(all []grpc.UnaryServerInterceptor) grpc.UnaryServerInterceptor {
	if len(all) == 0 {
		return nil
	}
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		for _, i := range slices.Backward(all) {
			handle = link(i, info, handle)
		}
		return handle(ctx, request)
	}
}

func link(i grpc.UnaryServerInterceptor, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) grpc.UnaryHandler {
	return func(ctx context.Context, request any) (any, error) { return i(ctx, request, info, next) }
}
