//go:build !noembed

package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"time"

	"hookloop/api"
	"hookloop/internal/config"
	"hookloop/internal/devdir"
	"hookloop/internal/keyfile"
	"hookloop/internal/token"
)

// devTokenTTL is how long a token of dev.json is good for. One that was copied somewhere is soon
// worth nothing; while `hookloop dev` runs, a new one takes its place in time.
const devTokenTTL = 12 * time.Hour

// devSettings are the environment's. Tokens are signed with a secret made at the first run, where
// it names no key.
func devSettings(data *devdir.Dir) (config.Everywhere, error) {
	e, err := config.ReadEverywhere(config.OS)
	if err != nil || e.JWT.HasKey() {
		return e, err
	}
	e.JWT.Secret, err = keyfile.ReadOrMake(data.File("jwt.secret"), token.NewSecret)
	return e, err
}

// announce writes dev.json.
func (d *dev) announce(data *devdir.Dir, gateway string) (devdir.Running, error) {
	running := devdir.Running{
		Gateway: "http://" + gateway, Temporal: d.engine.HostPort(), Namespace: d.engine.Namespace(),
		UI: d.engine.UIURL(), Tenant: "demo",
	}
	return d.sign(running, data.Path())
}

// sign writes dev.json with a new token. With a JWKS there is no key to sign one with, and none in
// it.
func (d *dev) sign(running devdir.Running, path string) (devdir.Running, error) {
	if len(d.jwt.Secret) > 0 {
		signed, err := token.Sign(d.jwt, token.Request{
			Subject: "dev", Tenants: []string{"*"}, Scopes: api.Scopes(), TTL: devTokenTTL, Now: time.Now(),
		})
		if err != nil {
			return running, err
		}
		running.Token = signed
	}
	return running, running.Write(path)
}

// renew keeps a good token in dev.json until ctx ends.
func (d *dev) renew(ctx context.Context, path string, running devdir.Running, log *slog.Logger) {
	tick := time.NewTicker(devTokenTTL / 2)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if _, err := d.sign(running, path); err != nil {
			log.Error("dev.json has no new token", slog.Any("error", err))
		}
	}
}

// devListen opens the gateway's address, and the one of /metrics where that is another. Both must
// be this machine's alone: from elsewhere, tokens would cross the network in clear.
func devListen(ctx context.Context, o devOptions) (l, ops net.Listener, err error) {
	if l, err = listenHere(ctx, "gateway", "--listen", o.listen); err != nil || o.opsListen == "" {
		return l, nil, err
	}
	if ops, err = listenHere(ctx, "metrics", "--ops-listen", o.opsListen); err != nil {
		closeAll(l)
	}
	return l, ops, err
}

func listenHere(ctx context.Context, name, flag, addr string) (net.Listener, error) {
	resolved, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if !resolved.IP.IsLoopback() {
		return nil, fmt.Errorf("%s: %s %s is not an address of this machine alone, and 'hookloop dev' is for this machine: give 127.0.0.1, or run 'hookloop serve'", name, flag, addr)
	}
	return listenOn(ctx, name, flag, addr)
}
