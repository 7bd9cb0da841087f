package engine

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/labstack/echo/v4"
	uiserver "github.com/temporalio/ui-server/v2/server"
	"github.com/temporalio/ui-server/v2/server/api"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	"github.com/temporalio/ui-server/v2/server/server_options"

	"hookloop/internal/ownhost"
	"hookloop/internal/uifront"
)

// ui is the UI server, on an address of its own, and what stands in front of it.
type ui struct {
	server *uiserver.Server
	inner  string // its address
	front  *http.Server
}

// startUI returns once the UI listens. The UI server gets a free address, because all it knows to
// do about one that is taken is to end the process; people get the address they asked for.
func (e *Engine) startUI(ctx context.Context, ports *ports) error {
	if ports.ui == nil {
		return nil
	}
	inner, err := listen(ctx, net.JoinHostPort(ports.ui.ip, "0"))
	if err != nil {
		return err
	}
	quiet := slog.NewLogLogger(e.cfg.Logger.Handler(), slog.LevelDebug) // of browsers that went away
	e.ui = &ui{
		inner:  inner.address(),
		server: uiserver.NewServer(server_options.WithConfigProvider(e.uiConfig(inner)), server_options.WithAPIMiddleware([]api.Middleware{onlyThisMachine, e.whose.provesUI})),
		front: &http.Server{
			Handler: ownhost.Only(uifront.New(uifront.Config{
				UI: &url.URL{Scheme: "http", Host: inner.address()}, Namespace: e.cfg.Namespace, Columns: e.cfg.SearchAttributes,
				Panel: e.cfg.UIPanel, ErrorLog: quiet,
			}), nil),
			ReadHeaderTimeout: readyTimeout,
			ErrorLog:          quiet,
		},
	}
	inner.release()
	go e.ui.server.Start() //nolint:errcheck // it returns nil, after Stop
	if err := awaitUI(ctx, inner.address()); err != nil {
		return err
	}
	go e.ui.front.Serve(ports.ui.handOver()) //nolint:errcheck // it says that it was closed
	e.uiURL = "http://" + ports.ui.address()
	return nil
}

// onlyThisMachine guards the UI server's own address as the one in front of it is guarded: a
// request that finds it has passed nothing of ours.
func onlyThisMachine(echo.Context) runtime.ServeMuxOption {
	return runtime.WithMiddlewares(func(next runtime.HandlerFunc) runtime.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request, params map[string]string) {
			ownhost.Only(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next(w, r, params) }), nil).ServeHTTP(w, r)
		}
	})
}

func (u *ui) stop() {
	if u == nil {
		return
	}
	_ = u.front.Close() // the UI asks again by itself: nothing of it is worth waiting for
	u.server.Stop()
}

func awaitUI(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	retry := time.NewTicker(10 * time.Millisecond)
	defer retry.Stop()
	var dialer net.Dialer
	for {
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-retry.C:
		case <-ctx.Done():
			return fmt.Errorf("temporal UI at %s: %w", address, err)
		}
	}
}

// uiConfig keeps the UI to itself: no news, no question about newer versions. Write actions stay
// on, since signalling a workflow is how operators decide.
func (e *Engine) uiConfig(p *port) *uiconfig.Config {
	host := p.ip
	if net.ParseIP(host).To4() == nil {
		host = "[" + host + "]"
	}
	return &uiconfig.Config{
		Host:                host,
		Port:                p.number,
		TemporalGRPCAddress: e.cfg.Listen,
		DefaultNamespace:    e.cfg.Namespace,
		EnableUI:            true,
		HideLogs:            true,
		DisableNewsFetch:    true,
		NotifyOnNewVersion:  false,
		CORS:                uiconfig.CORS{CookieInsecure: true}, // loopback speaks http
		CustomUI:            panelUI(e.cfg.UIPanel),
	}
}
