package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	sdklog "go.temporal.io/sdk/log"

	"hookloop/internal/codec"
	"hookloop/internal/config"
	"hookloop/internal/logs"
	"hookloop/internal/orchestrator"
	"hookloop/internal/telemetry"
	"hookloop/internal/terminal"
	"hookloop/internal/webhook"
)

func newServe() *cobra.Command {
	return newRole(config.RoleServe, "Run gateway and worker against a Temporal of your own",
		`Run the gateway and the worker in one process, the fast lane, against a Temporal server you run: an event
that a gateway accepts begins at once on the worker beside it. Run as many as you like against one
Temporal and one PostgreSQL.`)
}

func newGatewayCommand() *cobra.Command {
	return newRole(config.RoleGateway, "Run a gateway alone, for workers elsewhere",
		`Run the gateway alone. Its events begin on workers elsewhere, one poll later than with 'hookloop serve':
choose it where what faces the internet must not be what calls endpoints.`)
}

func newWorkerCommand() *cobra.Command {
	return newRole(config.RoleWorker, "Run a worker alone, for gateways elsewhere",
		`Run the worker alone: it delivers what gateways elsewhere accept.`)
}

// newRole is a command that runs until it is told to stop.
func newRole(role config.Role, short, long string) *cobra.Command {
	var verbose bool
	c := &cobra.Command{
		Use:   string(role),
		Short: short,
		Long: long + `

Everything is configured by environment, and checked whole before anything opens; 'hookloop config'
shows what holds. 'hookloop migrate' comes first. /healthz, /readyz and /metrics are at HOOKLOOP_OPS_LISTEN,
for the operator's own machines; a gateway has the first two at HOOKLOOP_LISTEN as well, for balancers.

` + settingsHelp() + `
  TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_…
                              as in every Temporal tool`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return runRole(c.Context(), role, verbose, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().BoolVar(&verbose, "verbose", false, "log every attempt and request")
	return c
}

func settingsHelp() string {
	var b strings.Builder
	for _, s := range config.Settings(func(string) string { return "" }) {
		about := s.About
		if s.Value != "" {
			about += " (" + s.Value + ")"
		}
		fmt.Fprintf(&b, "  %-27s %s\n", s.Name, about)
	}
	return strings.TrimRight(b.String(), "\n")
}

func runRole(ctx context.Context, role config.Role, verbose bool, stdout, stderr io.Writer) error {
	tuneGC()
	cfg, options, err := readService(role)
	if err != nil {
		return err
	}
	key, err := registryKeyFile(cfg)
	if err != nil {
		return fmt.Errorf("HOOKLOOP_REGISTRY_KEY_FILE: %w", err)
	}
	histories, err := historyCodec(cfg.HistoryKeyFile)
	if err != nil {
		return err
	}
	l, ops, err := listenAs(ctx, role, cfg)
	if err != nil {
		return err
	}
	defer closeAll(l, ops)

	log := logs.New(stderr, cfg.Log, verbose)
	logs.CatchStandard(log)
	tel, err := telemetry.New(ctx, telemetry.Config{Env: config.OS, Version: version, Logger: log})
	if err != nil {
		return err
	}
	defer func() { _ = tel.Close() }()
	options.Logger, options.MetricsHandler = sdklog.NewStructuredLogger(log), tel.Temporal()
	c, err := dialWith(ctx, options, histories)
	if err != nil {
		return err
	}
	defer c.Close()
	temporal, err := orchestrator.New(orchestrator.Config{Client: c})
	if err != nil {
		return err
	}
	if err := checkRegistryFile(ctx, cfg, temporal.Counts()); err != nil {
		return err
	}
	s, err := newService(ctx, serviceConfig{
		Role: role, Settings: cfg.Everywhere, Proxies: cfg.Proxies, OpsApart: ops != nil,
		Client: c, Namespace: cmp.Or(options.Namespace, client.DefaultNamespace), Codec: histories, UIOrigins: cfg.UIOrigins,
		Registry: cfg.Registry, RegistryKey: key, Telemetry: tel, Logger: log, Deployment: cfg.Deployment,
	})
	if err != nil {
		return err
	}
	defer func() { _ = s.close() }()
	name := "gateway"
	if role == config.RoleWorker {
		name = "worker"
	}
	fmt.Fprintf(stdout, "%s on http://%s\n", name, l.Addr())
	if ops != nil {
		fmt.Fprintf(stdout, "metrics on http://%s\n", ops.Addr())
	}
	return s.run(ctx, l, ops)
}

// readService reads the whole environment of a role, Temporal's part too, and the file of quotas.
func readService(role config.Role) (config.Service, client.Options, error) {
	cfg, err := config.ReadService(config.OS, role)
	if role == config.RoleServe || role == config.RoleGateway {
		_, quotas := readQuotas(cfg.QuotasFile)
		err = errors.Join(err, quotas)
	}
	if err != nil {
		return cfg, client.Options{}, err
	}
	options, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return cfg, options, fmt.Errorf("TEMPORAL_*: %w", err)
	}
	return cfg, options, nil
}

// listenAs opens the addresses of a role. ops is where a gateway tells how it is, nil if it does so
// with all else; a worker does nothing else.
func listenAs(ctx context.Context, role config.Role, cfg config.Service) (l, ops net.Listener, err error) {
	if role == config.RoleWorker {
		l, err = listenOn(ctx, "worker", "HOOKLOOP_OPS_LISTEN", string(cfg.OpsListen))
		return l, nil, err
	}
	if l, err = listenOn(ctx, "gateway", "HOOKLOOP_LISTEN", string(cfg.Listen)); err != nil || !cfg.OpsApart() {
		return l, nil, err
	}
	if ops, err = listenOn(ctx, "gateway's metrics", "HOOKLOOP_OPS_LISTEN", string(cfg.OpsListen)); err != nil {
		closeAll(l)
	}
	return l, ops, err
}

func listenOn(ctx context.Context, name, setting, addr string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, terminal.ListenError(name, setting, addr, err)
	}
	return l, nil
}

func closeAll(all ...net.Listener) {
	for _, l := range all {
		if l != nil {
			_ = l.Close() // nothing is accepted on it any more
		}
	}
}

// dialWith connects to Temporal. Histories are read and written through the codec.
func dialWith(ctx context.Context, o client.Options, histories *codec.Codec) (client.Client, error) {
	o.DataConverter, o.FailureConverter = histories.Converter(), histories.FailureConverter()
	o.PayloadLimits.PayloadSizeWarning = 2 << 20 // what Temporal refuses; a batch of attempts may come near

	if histories.Encrypts() { // gzip makes nothing smaller then, and took an eighth of a worker's CPU
		o.ConnectionOptions.GrpcCompression = &client.GrpcCompressionNone{}
	}
	if o.Identity == "" { // histories and lists of workers show it
		host, _ := os.Hostname()
		o.Identity = fmt.Sprintf("%s:%d@%s", webhook.ByHookloop, os.Getpid(), host)
	}
	c, err := client.DialContext(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("connecting to Temporal at %s: %w", o.HostPort, err)
	}
	return c, nil
}
