package main

import (
	"context"
	"fmt"
	"io"
	"net"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
	sdklog "go.temporal.io/sdk/log"

	"hookloop/internal/config"
	"hookloop/internal/registry"
)

func newServe() *cobra.Command {
	var verbose bool
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run gateway and worker against a Temporal of your own",
		Long: `Run the gateway and the worker in one process, the fast lane, against a Temporal server you run.

Everything is configured by environment, and checked whole before anything opens:

  HOOKLOOP_LISTEN             host:port of the gateway (127.0.0.1:8080)
  HOOKLOOP_REGISTRY           path of the registry's SQLite file
  HOOKLOOP_REGISTRY_KEY_FILE  the key that seals endpoint secrets; made on the first run
  HOOKLOOP_JWT_SECRET         HS256 secret of at least 32 bytes, or one of
  HOOKLOOP_JWT_JWKS_FILE      a JWKS file (RS256, ES256, EdDSA)
  HOOKLOOP_JWT_JWKS_URL       a JWKS URL
  HOOKLOOP_JWT_ISSUER         expected iss (hookloop)
  HOOKLOOP_JWT_AUDIENCE       expected aud (hookloop)
  HOOKLOOP_PUBLIC_URL         where third parties reach the gateway, for ingest URLs
  HOOKLOOP_GOOGLE_KEYS_URL    Google's signing keys, if not at Google
  HOOKLOOP_PAYPAL_CA_FILE     PEM of PayPal's authorities, if not the system's
  TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS_…
                              as in every Temporal tool

The namespace must know the keyword search attributes Tenant, EventType, Endpoint and Outcome.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return runServe(c.Context(), verbose, c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	c.Flags().BoolVar(&verbose, "verbose", false, "log every attempt and request")
	return c
}

func runServe(ctx context.Context, verbose bool, stdout, stderr io.Writer) error {
	cfg, err := config.ReadServe(config.OS)
	if err != nil {
		return err
	}
	options, err := envconfig.LoadDefaultClientOptions()
	if err != nil {
		return fmt.Errorf("TEMPORAL_*: %w", err)
	}
	key, err := secretFile(cfg.RegistryKeyFile, registry.NewKey)
	if err != nil {
		return fmt.Errorf("HOOKLOOP_REGISTRY_KEY_FILE: %w", err)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return listenError("gateway", "HOOKLOOP_LISTEN", cfg.Listen, err)
	}
	defer func() { _ = l.Close() }()

	log := newLogger(stderr, verbose)
	options.Logger = sdklog.NewStructuredLogger(log)
	c, err := client.DialContext(ctx, options)
	if err != nil {
		return fmt.Errorf("connecting to Temporal at %s: %w", options.HostPort, err)
	}
	defer c.Close()
	s, err := newService(ctx, serviceConfig{
		Client: c, Registry: cfg.Registry, RegistryKey: key, JWT: cfg.JWT, Ingest: cfg.Ingest, Logger: log,
	})
	if err != nil {
		return err
	}
	defer func() { _ = s.close() }()
	fmt.Fprintf(stdout, "gateway on http://%s\n", l.Addr())
	return s.run(ctx, l)
}
