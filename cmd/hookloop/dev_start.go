//go:build !noembed

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"syscall"

	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"hookloop/gateway/console"
	"hookloop/internal/chain"
	"hookloop/internal/codec"
	"hookloop/internal/config"
	"hookloop/internal/devdir"
	"hookloop/internal/engine"
	"hookloop/internal/keyfile"
	"hookloop/internal/keyring"
	"hookloop/internal/telemetry"
	"hookloop/worker"
	"hookloop/workflows"
)

// dev is the whole of Hookloop in one process.
type dev struct {
	engine    *engine.Engine
	client    client.Client
	service   *service
	jwt       config.JWT
	codec     *codec.Codec
	telemetry *telemetry.Telemetry
}

// startDev starts the engine, then what stands on it; the gateway will listen at gatewayAt, or
// nowhere if that is empty. On an error nothing is left running.
func startDev(ctx context.Context, o devOptions, gatewayAt string, data *devdir.Dir, log *slog.Logger) (_ *dev, err error) {
	d := &dev{}
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	settings, err := devSettings(data)
	if err != nil {
		return nil, err
	}
	d.jwt = settings.JWT
	if settings.ConsoleURL == "" && gatewayAt != "" {
		settings.ConsoleURL = config.URL("http://" + gatewayAt)
	}
	key, err := registryKey(data)
	if err != nil {
		return nil, err
	}
	if d.codec, err = historyCodec(settings.HistoryKeyFile); err != nil {
		return nil, err
	}
	if err := auditKey(data); err != nil {
		return nil, err
	}
	d.engine, err = engine.Start(ctx, engine.Config{
		Dir: data.Path(), Listen: o.temporalListen, UIListen: o.uiListen, Logger: log,
		SearchAttributes: workflows.SearchAttributes(), UIPanel: panelAt(gatewayAt), KeptWorkflows: worker.KeptWorkflows,
	})
	if errors.Is(err, syscall.EADDRINUSE) {
		err = fmt.Errorf("%w: choose others with --temporal-listen and --ui-listen", err)
	}
	if err != nil {
		return nil, err
	}
	if d.telemetry, err = telemetry.New(ctx, telemetry.Config{Env: config.OS, Version: version, Logger: log}); err != nil {
		return nil, err
	}
	if d.client, err = dialEngine(ctx, d.engine, d.codec, d.telemetry, log); err != nil {
		return nil, err
	}
	d.service, err = newService(ctx, serviceConfig{
		Role: config.RoleServe, Settings: settings, AllowLoopback: true, Local: true, OpsApart: o.opsListen != "",
		Client: d.client, Namespace: d.engine.Namespace(), Codec: d.codec, UIOrigins: d.uiOrigins(),
		Registry: data.File(devdir.RegistryFile), RegistryKey: key, Telemetry: d.telemetry, Engine: d.engine, Logger: log,
	})
	return d, err
}

// panelAt is the console's panel at a gateway; empty: the gateway listens nowhere.
func panelAt(gateway string) string {
	if gateway == "" {
		return ""
	}
	return "http://" + gateway + console.PanelPath
}

func dialEngine(
	ctx context.Context, e *engine.Engine, histories *codec.Codec, tel *telemetry.Telemetry, log *slog.Logger,
) (client.Client, error) {
	return dialWith(ctx, client.Options{
		HostPort:       e.HostPort(),
		Namespace:      e.Namespace(),
		Logger:         sdklog.NewStructuredLogger(log),
		MetricsHandler: tel.Temporal(),
		ConnectionOptions: client.ConnectionOptions{
			GrpcCompression: &client.GrpcCompressionNone{}, // of streams, which alone take the network
			DialOptions:     e.DialOptions(),
		},
	}, histories)
}

// uiOrigins are those of the UI, where there is one.
func (d *dev) uiOrigins() []string {
	if url := d.engine.UIURL(); url != "" {
		return []string{url}
	}
	return nil
}

// run serves until ctx ends, or until the engine says that it can be trusted no longer.
func (d *dev) run(ctx context.Context, l, ops net.Listener) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go func() {
		select {
		case err := <-d.engine.Failed():
			stop(err)
		case <-ctx.Done():
		}
	}()
	err := d.service.run(ctx, l, ops)
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		err = errors.Join(fmt.Errorf("embedded Temporal: %w", cause), err)
	}
	return err
}

// close ends everything in the opposite order.
func (d *dev) close() {
	if d.service != nil {
		_ = d.service.close()
	}
	if d.client != nil {
		d.client.Close()
	}
	if d.telemetry != nil {
		_ = d.telemetry.Close()
	}
	if d.engine != nil {
		_ = d.engine.Stop()
	}
}

// auditKey makes the key that signs exports of the audit, on the first run, and writes the half
// that verifies them beside it.
func auditKey(data *devdir.Dir) error {
	text, err := keyfile.ReadOrMake(data.File(devdir.AuditKeyFile), chain.NewKey)
	if err != nil {
		return err
	}
	key, err := chain.ParseKey(text)
	if err != nil {
		return fmt.Errorf("%s: %w", data.File(devdir.AuditKeyFile), err)
	}
	return keyfile.Write(data.File(devdir.AuditPublicFile), []byte(chain.PublicText(key)+"\n"))
}

// registryKey reads the key that seals secrets. A new one is made only where nothing is sealed yet:
// beside an old registry it would turn a lost file into endpoints whose secrets are lost. A
// registry that is missing beside its key and Temporal's data is a lost file, too.
func registryKey(data *devdir.Dir) ([]byte, error) {
	key, db := data.File("registry.key"), data.File(devdir.RegistryFile)
	switch hasKey, hasDB := exists(key), exists(db); {
	case hasDB && !hasKey:
		return nil, fmt.Errorf("%s is missing, and %s cannot be read without it; put it back", key, db)
	case hasKey && !hasDB && exists(data.File("temporal.db")):
		return nil, lostRegistry(db)
	}
	made, err := keyfile.ReadOrMake(key, keyring.New)
	if err != nil || exists(db) {
		return made, err
	}
	// Its file is there before Temporal's: a first start that is cut off between the two would look
	// like a registry that was lost.
	return made, keyfile.Write(db, nil)
}
