//go:build !noembed

package main

import (
	"context"
	"io"
	"log/slog"
	"net"

	"github.com/spf13/cobra"

	"hookloop/internal/bench/embedded"
	"hookloop/internal/devdir"
	"hookloop/internal/logs"
)

func newBench() *cobra.Command { return embedded.NewCommand(startEmbedded) }

// startEmbedded is `hookloop dev` without its UI, on free addresses, for `hookloop bench` in the
// same process.
func startEmbedded(ctx context.Context, folder string, stderr io.Writer) (*embedded.Hookloop, error) {
	tuneGC()
	log := logs.OfCommand(stderr)
	data, err := devdir.Open(folder)
	if err != nil {
		return nil, err
	}
	d, err := startDev(ctx, devOptions{temporalListen: "127.0.0.1:0"}, "", data, log)
	if err != nil {
		return nil, err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		d.close()
		return nil, err
	}
	serving, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() { done <- d.service.run(serving, l, nil) }()
	h := &embedded.Hookloop{Temporal: d.client, Namespace: d.engine.Namespace(), Stop: func() {
		cancel()
		if err := <-done; err != nil {
			log.Error("bench", slog.Any("error", err))
		}
		d.close()
		_ = data.Close()
	}}
	running, err := d.announce(data, l.Addr().String())
	if err != nil {
		h.Stop()
		return nil, err
	}
	h.Gateway, h.Tenant, h.Token = running.Gateway, running.Tenant, running.Token
	return h, nil
}
