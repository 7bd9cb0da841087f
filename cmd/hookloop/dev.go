//go:build !noembed

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"hookloop/internal/codec"
	"hookloop/internal/config"
	"hookloop/internal/engine"
	"hookloop/internal/registry"
	"hookloop/internal/telemetry"
	"hookloop/workflows"
)

type devOptions struct {
	data           string
	listen         string
	opsListen      string
	temporalListen string
	uiListen       string
	asJSON         bool
	verbose        bool
}

func newDev() *cobra.Command {
	var o devOptions
	c := &cobra.Command{
		Use:   "dev",
		Short: "Run everything in one process: Temporal, its UI, gateway and worker",
		Long: `Run everything in one process, without Docker: an embedded Temporal on SQLite, the Temporal UI,
the gateway and the worker. All data stays below --data, and survives a restart or a crash.

Endpoints on this machine (127.0.0.1) are allowed here, and only here. When everything is ready,
<data>/dev.json says where it is and holds a token with every scope, good for twelve hours and made
anew while it runs: the other commands find it. Everything listens on this machine alone, and answers
to its names alone: web pages that are open here cannot reach it under a name of theirs.
It keeps itself small, with room for what is under way; GOMEMLIMIT sets another bound.
HOOKLOOP_JWT_…, HOOKLOOP_PUBLIC_URL, HOOKLOOP_GOOGLE_KEYS_URL and HOOKLOOP_PAYPAL_CA_FILE hold as in
'hookloop serve'. Ctrl-C stops accepting events, lets attempts under way finish, and exits.`,
		Example: `  hookloop dev
  hookloop dev --data /var/tmp/loop --listen 127.0.0.1:8090`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return runDev(c.Context(), o, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	f := c.Flags()
	f.StringVar(&o.data, "data", defaultData, "folder for all data")
	f.StringVar(&o.listen, "listen", "127.0.0.1:8080", "address of the gateway")
	f.StringVar(&o.opsListen, "ops-listen", "", "address of /metrics; none: the gateway's")
	f.StringVar(&o.temporalListen, "temporal-listen", "127.0.0.1:7233", "address of Temporal")
	f.StringVar(&o.uiListen, "ui-listen", "127.0.0.1:8233", "address of the Temporal UI")
	f.BoolVar(&o.asJSON, "json", false, "say where everything is as JSON, without the token")
	f.BoolVar(&o.verbose, "verbose", false, "log every attempt and request")
	return c
}

func runDev(ctx context.Context, o devOptions, stdout, stderr io.Writer) error {
	data, err := openData(o.data)
	if err != nil {
		return err
	}
	defer func() { _ = data.Close() }()
	l, ops, err := devListen(ctx, o)
	if err != nil {
		return err
	}
	defer closeAll(l, ops)
	tuneGC()
	limitMemory(ctx)

	log := newLogger(stderr, o.verbose)
	catchStdlog(log)
	dev, err := startDev(ctx, o, data, log)
	if err != nil {
		return err
	}
	defer dev.close()
	place, err := dev.announce(data, l.Addr().String())
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(devFilePath(data.path)) }()
	if err := greet(stdout, place, o); err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { fmt.Fprintln(stderr, "stopping: attempts under way may take a few seconds to finish") })
	renewing, renewed := context.WithCancel(ctx)
	defer renewed()
	go dev.renew(renewing, data.path, place, log)
	return dev.run(ctx, l, ops)
}

// dev is the whole of Hookloop in one process.
type dev struct {
	engine  *engine.Engine
	client  client.Client
	service *service
	jwt     config.JWT
	codec   *codec.Codec
	told    *telemetry.Telemetry
}

// startDev starts the engine, then what stands on it. On an error nothing is left running.
func startDev(ctx context.Context, o devOptions, data *dataDir, log *slog.Logger) (_ *dev, err error) {
	d := &dev{}
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	if d.jwt, err = devJWT(data); err != nil {
		return nil, err
	}
	ingest, err := config.ReadIngest(config.OS)
	if err != nil {
		return nil, err
	}
	networks, err := config.ReadNetworks(config.OS)
	if err != nil {
		return nil, err
	}
	key, err := registryKey(data)
	if err != nil {
		return nil, err
	}
	if d.codec, err = historyCodec(config.OS("HOOKLOOP_HISTORY_KEY_FILE")); err != nil {
		return nil, err
	}
	d.engine, err = engine.Start(ctx, engine.Config{
		Dir: data.path, Listen: o.temporalListen, UIListen: o.uiListen, Logger: log,
		SearchAttributes: workflows.SearchAttributes(),
	})
	if err != nil {
		return nil, err
	}
	if d.told, err = telemetry.New(ctx, telemetry.Config{Env: config.OS, Version: version, Logger: log}); err != nil {
		return nil, err
	}
	if d.client, err = dialEngine(ctx, d.engine, d.codec, d.told, log); err != nil {
		return nil, err
	}
	d.service, err = newService(ctx, serviceConfig{
		Role: config.RoleServe, Client: d.client, Namespace: d.engine.Namespace(), Telemetry: d.told, Codec: d.codec, UIOrigins: d.uiOrigins(), Registry: data.file(registryFile), RegistryKey: key,
		JWT: d.jwt, Ingest: ingest, QuotasFile: config.OS("HOOKLOOP_QUOTAS_FILE"), AllowLoopback: true, AllowNetworks: networks, Local: true, OpsApart: o.opsListen != "", Logger: log,
	})
	return d, err
}

func dialEngine(ctx context.Context, e *engine.Engine, histories *codec.Codec, told *telemetry.Telemetry, log *slog.Logger) (client.Client, error) {
	return dialWith(ctx, client.Options{
		HostPort:       e.HostPort(),
		Namespace:      e.Namespace(),
		Logger:         sdklog.NewStructuredLogger(log),
		MetricsHandler: told.Temporal(),
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
	if d.told != nil {
		_ = d.told.Close()
	}
	if d.engine != nil {
		_ = d.engine.Stop()
	}
}

// registryKey reads the key that seals secrets. A new one is made only where nothing is sealed yet:
// beside an old registry it would turn a lost file into endpoints that nobody can sign for. A registry
// that is missing beside its key and Temporal's data is a lost file, too.
func registryKey(data *dataDir) ([]byte, error) {
	key, db := data.file("registry.key"), data.file(registryFile)
	switch hasKey, hasDB := exists(key), exists(db); {
	case hasDB && !hasKey:
		return nil, fmt.Errorf("%s is missing, and %s cannot be read without it; put it back", key, db)
	case hasKey && !hasDB && exists(data.file("temporal.db")):
		return nil, lostRegistry(db)
	}
	return secretFile(key, registry.NewKey)
}

func greet(w io.Writer, place devFile, o devOptions) error {
	if o.asJSON {
		place.Token = ""
		return printJSON(w, place)
	}
	here, there := "", ""
	if o.data != defaultData {
		here, there = " --data "+o.data, " --data-dir "+o.data
	}
	_, err := fmt.Fprintf(w, `Hookloop is ready. Ctrl-C stops it.

  gateway      %[1]s   (API: /openapi.json)
  Temporal UI  %[2]s
  Temporal     %[3]s
  data         %[4]s   (dev.json in it has a token for every tenant)

Try, in other terminals:

  hookloop listen%[5]s
  hookloop endpoint create%[5]s --url http://127.0.0.1:9000/
  hookloop event send%[6]s --type contact.updated --data '{"id": 1}'

or without the CLI:

  curl -X POST %[1]s/v1/tenants/%[7]s/events -H "Authorization: Bearer $(hookloop token%[5]s)" \
       -H 'Content-Type: application/json' -d '{"type":"contact.updated","data":{"id":1}}'
`, place.Gateway, place.UI, place.Temporal, o.data, here, there, place.Tenant)
	return err
}
