package engine

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"net/url"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/labstack/echo/v4"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/server/common/authorization"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"hookloop/internal/engine/inprocess"
	"hookloop/internal/webhook"
)

// What a call of this process says beside itself. From the network it is not heeded.
const (
	viaHeader   = "hookloop-via"
	actorHeader = "hookloop-actor"
	uiHeader    = "hookloop-ui"
)

// principals let every call pass, and say on whose behalf each came: Temporal writes that into the
// events of histories that the call made. Calls of this process say it themselves. The UI proves
// itself by a key that it was given. All that is known of the others is that they found the
// frontend.
type principals struct{ uiKey string }

func newPrincipals() principals { return principals{uiKey: rand.Text()} }

// Authorize implements authorization.Authorizer.
func (p principals) Authorize(ctx context.Context, _ *authorization.Claims, _ *authorization.CallTarget) (authorization.Result, error) {
	return authorization.Result{Decision: authorization.DecisionAllow, Principal: p.of(ctx)}, nil
}

func (p principals) of(ctx context.Context) *commonpb.Principal {
	via, name := webhook.ViaTemporal, webhook.Anonymous
	switch {
	case inprocess.Calls(ctx):
		via, name = webhook.ViaHookloop, webhook.ByHookloop
		if said := header(ctx, viaHeader); said != "" {
			via, name = webhook.AuditVia(said), header(ctx, actorHeader)
		}
	case subtle.ConstantTimeCompare([]byte(header(ctx, uiHeader)), []byte(p.uiKey)) == 1:
		via = webhook.ViaTemporalUI
	}
	return &commonpb.Principal{Type: string(via), Name: name}
}

func header(ctx context.Context, key string) string {
	if all := metadata.ValueFromIncomingContext(ctx, key); len(all) > 0 {
		return all[0]
	}
	return ""
}

// sayForWhom tells the engine on whose behalf a call of this process is made, if that is not
// Hookloop's own.
func sayForWhom(ctx context.Context, method string, request, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	if a := webhook.ActorOf(ctx); a.Via != webhook.ViaHookloop {
		ctx = metadata.AppendToOutgoingContext(ctx, viaHeader, string(a.Via), actorHeader, url.PathEscape(a.Name))
	}
	return invoke(ctx, method, request, reply, cc, opts...)
}

// provesUI gives the UI's calls its key.
func (p principals) provesUI(echo.Context) runtime.ServeMuxOption {
	return runtime.WithMetadata(func(context.Context, *http.Request) metadata.MD { return metadata.Pairs(uiHeader, p.uiKey) })
}
