package inprocess_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"hookloop/internal/engine/inprocess"
)

type (
	request  = grpc_health_v1.HealthCheckRequest
	response = grpc_health_v1.HealthCheckResponse
)

// service answers with what the test wants.
type service struct {
	grpc_health_v1.UnimplementedHealthServer

	check func(context.Context, *request) (*response, error)
}

func (s service) Check(ctx context.Context, r *request) (*response, error) { return s.check(ctx, r) }

// bothWays runs the test over a connection, and then in process: the two must not differ.
func bothWays(t *testing.T, check func(context.Context, *request) (*response, error), test func(*testing.T, grpc_health_v1.HealthClient)) {
	t.Helper()
	mark := func(ctx context.Context, r any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		_ = grpc.SetTrailer(ctx, metadata.Pairs("passed", info.FullMethod))
		return handle(ctx, r)
	}
	second := func(ctx context.Context, r any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		_ = grpc.SetTrailer(ctx, metadata.Pairs("passed", "second"))
		return handle(ctx, r)
	}
	for name, inProcess := range map[string]bool{"connection": false, "in process": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls inprocess.Services
			var wire grpc_health_v1.HealthServer = service{check: check}
			if inProcess {
				calls.Register(&grpc_health_v1.Health_ServiceDesc, service{check: check}, mark, second)
				wire = service{check: func(context.Context, *request) (*response, error) { return nil, errors.New("took the network") }}
			}
			server := grpc.NewServer(grpc.ChainUnaryInterceptor(mark, second))
			grpc_health_v1.RegisterHealthServer(server, wire)
			test(t, grpc_health_v1.NewHealthClient(dial(t, server, &calls)))
		})
	}
}

func dial(t *testing.T, server *grpc.Server, calls *inprocess.Services) *grpc.ClientConn {
	t.Helper()
	l := bufconn.Listen(1 << 16)
	go server.Serve(l) //nolint:errcheck // it ends with the test
	t.Cleanup(server.Stop)
	cc, err := grpc.NewClient("passthrough:///test", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) }),
		grpc.WithChainUnaryInterceptor(calls.Intercept))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, cc.Close()) })
	return cc
}

func TestMetadataGoesBothWays(t *testing.T) {
	t.Parallel()
	check := func(ctx context.Context, r *request) (*response, error) {
		in, _ := metadata.FromIncomingContext(ctx)
		out, _ := metadata.FromOutgoingContext(ctx)
		_ = grpc.SetHeader(ctx, metadata.Pairs("heard", in.Get("Said")[0]))
		_ = grpc.SetTrailer(ctx, metadata.Pairs("asked-for", r.GetService()))
		if len(out) > 0 {
			return nil, errors.New("what the client sends would be sent on")
		}
		return &response{Status: grpc_health_v1.HealthCheckResponse_SERVING}, nil
	}
	bothWays(t, check, func(t *testing.T, c grpc_health_v1.HealthClient) {
		var header, trailer metadata.MD
		ctx := metadata.AppendToOutgoingContext(t.Context(), "Said", "hello")
		got, err := c.Check(ctx, &request{Service: "a"}, grpc.Header(&header), grpc.Trailer(&trailer))
		require.NoError(t, err)
		require.Equal(t, grpc_health_v1.HealthCheckResponse_SERVING, got.GetStatus())
		require.Equal(t, []string{"hello"}, header.Get("heard"))
		require.Equal(t, []string{"a"}, trailer.Get("asked-for"))
		require.Equal(t, []string{"/grpc.health.v1.Health/Check", "second"}, trailer.Get("passed"), "interceptors, the first outermost")
	})
}

func TestErrorsAreStatuses(t *testing.T) {
	t.Parallel()
	for want, err := range map[codes.Code]error{
		codes.NotFound:         status.Error(codes.NotFound, "no such thing"),
		codes.Unknown:          errors.New("plain"),
		codes.DeadlineExceeded: context.DeadlineExceeded,
		codes.Canceled:         context.Canceled,
	} {
		bothWays(t, func(context.Context, *request) (*response, error) { return nil, err }, func(t *testing.T, c grpc_health_v1.HealthClient) {
			_, got := c.Check(t.Context(), &request{})
			require.Equal(t, want, status.Code(got))
			require.Equal(t, status.Convert(err).Message(), status.Convert(got).Message())
		})
	}
}

func TestTheServersContextIsItsOwn(t *testing.T) {
	t.Parallel()
	type key struct{}
	kept := make(chan context.Context, 4)
	check := func(ctx context.Context, r *request) (*response, error) {
		if ctx.Value(key{}) != nil {
			return nil, errors.New("a value of the client")
		}
		kept <- ctx
		if r.GetService() == "wait" {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		if _, ok := ctx.Deadline(); !ok {
			return nil, errors.New("no deadline")
		}
		return &response{}, nil
	}
	bothWays(t, check, func(t *testing.T, c grpc_health_v1.HealthClient) {
		ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), key{}, "of the client"), time.Hour)
		_, err := c.Check(ctx, &request{})
		require.NoError(t, err)
		<-(<-kept).Done() // the call is over

		go func() {
			<-kept // the server waits
			cancel()
		}()
		_, err = c.Check(ctx, &request{Service: "wait"})
		require.Equal(t, codes.Canceled, status.Code(err))
		_, err = c.Check(ctx, &request{})
		require.Equal(t, codes.Canceled, status.Code(err), "before it began")
	})
}

func TestNeitherSideSeesTheOthersMessages(t *testing.T) {
	t.Parallel()
	answer := &response{Status: grpc_health_v1.HealthCheckResponse_SERVING}
	check := func(_ context.Context, r *request) (*response, error) {
		r.Service = "changed by the server"
		return answer, nil
	}
	bothWays(t, check, func(t *testing.T, c grpc_health_v1.HealthClient) {
		ask := &request{Service: "a"}
		got, err := c.Check(t.Context(), ask)
		require.NoError(t, err)
		got.Status = grpc_health_v1.HealthCheckResponse_UNKNOWN
		require.Equal(t, "a", ask.GetService())
		require.Equal(t, grpc_health_v1.HealthCheckResponse_SERVING, answer.GetStatus())
	})
}

// Temporal answers some calls with another message than declared, one that looks alike on the wire.
func TestAnAnswerOfAnotherType(t *testing.T) {
	t.Parallel()
	var calls inprocess.Services
	desc := grpc_health_v1.Health_ServiceDesc
	desc.Methods = []grpc.MethodDesc{{MethodName: "Check", Handler: func(any, context.Context, func(any) error, grpc.UnaryServerInterceptor) (any, error) {
		return wrapperspb.Int32(2), nil
	}}}
	calls.Register(&desc, nil)
	c := grpc_health_v1.NewHealthClient(dial(t, grpc.NewServer(), &calls))
	got, err := c.Check(t.Context(), &request{})
	require.NoError(t, err)
	require.Equal(t, grpc_health_v1.HealthCheckResponse_NOT_SERVING, got.GetStatus())
}

func TestWhatIsNotRegisteredTakesTheConnection(t *testing.T) {
	t.Parallel()
	var calls inprocess.Services
	server := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(server, service{check: func(context.Context, *request) (*response, error) {
		return &response{Status: grpc_health_v1.HealthCheckResponse_SERVING}, nil
	}})
	c := grpc_health_v1.NewHealthClient(dial(t, server, &calls))
	for range 2 {
		got, err := c.Check(t.Context(), &request{})
		require.NoError(t, err)
		require.Equal(t, grpc_health_v1.HealthCheckResponse_SERVING, got.GetStatus())

		calls.Register(&grpc_health_v1.Health_ServiceDesc, service{check: func(context.Context, *request) (*response, error) { return &response{}, nil }})
		got, err = c.Check(t.Context(), &request{})
		require.NoError(t, err)
		require.Equal(t, grpc_health_v1.HealthCheckResponse_UNKNOWN, got.GetStatus())
		calls.Remove(&grpc_health_v1.Health_ServiceDesc)
	}
}
