// Command provider is an OpenID Connect provider for a test: the one of github.com/zitadel/oidc,
// with one client and a user, test-user2 with the password verysecure, who may do everything for
// one tenant. It prints its issuer and serves until its input ends.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/op"
)

func main() {
	var who claims
	id := flag.String("client", "console", "the client's id")
	secret := flag.String("secret", "", "the client's secret")
	redirect := flag.String("redirect", "", "the client's one redirect URI")
	flag.StringVar(&who.tenant, "tenant", "demo", "the tenant in access tokens")
	flag.StringVar(&who.scope, "scope", "", "the scope in access tokens")
	flag.Parse()

	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	issuer := "http://" + l.Addr().String()
	client := storage.WebClient(*id, *secret, *redirect)
	who.Storage = storage.NewStorageWithClients(storage.NewUserStore(issuer), map[string]*storage.Client{*id: client})
	server := &http.Server{
		Handler:           exampleop.SetupServer(issuer, who, slog.New(slog.NewTextHandler(os.Stderr, nil)), false),
		ReadHeaderTimeout: time.Minute,
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = server.Close()
	}()
	fmt.Println(issuer)
	_ = server.Serve(l)
}

// claims is a storage whose access tokens are JSON Web Tokens that say what Hookloop wants to know.
type claims struct {
	*storage.Storage

	tenant, scope string
}

// GetPrivateClaimsFromScopes gives what access tokens say.
func (c claims) GetPrivateClaimsFromScopes(context.Context, string, string, []string) (map[string]any, error) {
	return map[string]any{"tenants": []string{c.tenant}, "scope": c.scope}, nil
}

// GetClientByClientID gives a client whose access tokens are JSON Web Tokens.
func (c claims) GetClientByClientID(ctx context.Context, id string) (op.Client, error) {
	of, err := c.Storage.GetClientByClientID(ctx, id)
	if err != nil {
		return nil, err
	}
	return readable{of}, nil
}

// readable is a client whose access tokens say something to others than the provider.
type readable struct{ op.Client }

// AccessTokenType is op.AccessTokenTypeJWT.
func (readable) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeJWT }
