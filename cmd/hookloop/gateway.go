package main

import (
	"cmp"
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"os"

	"github.com/prometheus/client_golang/prometheus"

	"hookloop/gateway"
	"hookloop/gateway/auth"
	"hookloop/gateway/console"
	"hookloop/gateway/problem"
	"hookloop/internal/audit"
	"hookloop/internal/codec"
	"hookloop/internal/config"
	"hookloop/internal/orchestrator"
	"hookloop/internal/published"
	"hookloop/internal/quota"
	"hookloop/internal/sender"
	"hookloop/internal/source"
)

// addGateway makes what accepts.
func (s *service) addGateway(cfg serviceConfig, with *shared) (err error) {
	verifier, err := s.newVerifier(cfg)
	if err != nil {
		return err
	}
	s.ends = append(s.ends, verifier.Close)
	providers, err := s.newProviders(cfg)
	if err != nil {
		return err
	}
	decoder, err := newCodecServer(cfg, verifier, s.registry)
	if err != nil {
		return err
	}
	var breakers gateway.Breakers // a nil *sender.Sender in it would not be none
	if s.sender != nil {
		breakers = s.sender
	}
	if s.quotas, err = newQuotas(cfg.Settings.QuotasFile, s.temporal.Counts(), s.metrics); err != nil {
		return err
	}
	cursors, err := hkdf.Key(sha256.New, cfg.RegistryKey, nil, "hookloop cursors", sha256.Size)
	if err != nil {
		return err
	}
	s.gateway, err = gateway.New(gateway.Config{
		Version: version, Logger: cfg.Logger, Metrics: s.metrics, Tracer: cfg.Telemetry.Tracer("gateway"),
		Auth: verifier, Codec: decoder, CursorKey: cursors, Quotas: s.quotas,
		LoopbackHosts: cfg.Local, OpsApart: cfg.OpsApart, Proxies: cfg.Proxies,
		AllowLoopback: cfg.AllowLoopback, AllowNetworks: cfg.Settings.AllowNetworks,
		NoConsole: !cfg.Settings.Console, TemporalUI: historiesAt(cfg), UIOrigins: cfg.UIOrigins, OIDC: s.signInAt(cfg.Settings),

		Registry: s.registry, Breakers: breakers, Expressions: s.expressions,
		Sources: s.registry, Providers: providers, PublicURL: string(cfg.Settings.Ingest.PublicURL),
		LargeItems: true, Echoes: with.echoes,

		Events:     s.temporal.Events(orchestrator.EventsConfig{Bodies: with.large, Registry: s.registry}),
		Recoveries: s.temporal.Recoveries(), Redeliveries: with.redeliveries,
		Approvals: s.temporal.Approvals(), Audits: audit.New(s.temporal.Histories(), s.registry, cfg.Codec),
		Attempts: s.registry, Waiting: s.temporal.Waiting(), Portals: s.registry, Erasures: s.eraser,
	})
	return err
}

// signInAt is where people sign in to the console besides with a token.
func (s *service) signInAt(e config.Everywhere) *console.OIDC {
	if !e.OIDC.Set() {
		return nil
	}
	return &console.OIDC{
		Issuer: string(e.OIDC.Issuer), ClientID: e.OIDC.ClientID, ClientSecret: e.OIDC.ClientSecret,
		Redirect: string(e.ConsoleURL) + console.OIDCPath, Scopes: e.OIDC.Scopes, HTTP: s.issuer.Client(),
	}
}

// historiesAt is the namespace's page in the first Temporal UI that is known; empty: none is.
func historiesAt(cfg serviceConfig) string {
	if len(cfg.UIOrigins) == 0 {
		return ""
	}
	return cfg.UIOrigins[0] + "/namespaces/" + url.PathEscape(cfg.Namespace)
}

// newCodecServer lets the Temporal UI show what is encrypted to those who may read it.
func newCodecServer(cfg serviceConfig, v auth.Verifying, log store) (http.Handler, error) {
	h, err := codec.NewHandler(codec.HandlerConfig{
		Codec: cfg.Codec, Authorize: auth.CodecAccess(v), Refuse: problem.Refuse, Opened: auth.CodecReads(v, log), Origins: cfg.UIOrigins,
	})
	if err != nil {
		return nil, fmt.Errorf("HOOKLOOP_UI_ORIGINS: %w", err)
	}
	return h, nil
}

// newProviders knows third parties' protocols, and where they publish their keys.
func (s *service) newProviders(cfg serviceConfig) (*source.Providers, error) {
	fetcher := sender.NewFetcher(sender.FetcherConfig{AllowLoopback: cfg.AllowLoopback, UserAgent: "Hookloop/" + version})
	s.ends = append(s.ends, fetcher.Close)
	var authorities []byte
	if path := cfg.Settings.Ingest.PayPalCAFile; path != "" {
		var err error
		if authorities, err = os.ReadFile(path); err != nil {
			return nil, fmt.Errorf("HOOKLOOP_PAYPAL_CA_FILE: %w", err)
		}
	}
	google := published.NewKeySet(source.FreshGoogleKeys, source.OldestGoogleKeys, func(ctx context.Context) ([]byte, error) {
		return fetcher.Get(ctx, cmp.Or(string(cfg.Settings.Ingest.GoogleKeysURL), source.GoogleKeysURL))
	})
	p, err := source.New(source.Config{Fetch: fetcher, GoogleKeys: google, PayPalCAs: authorities})
	if err != nil {
		return nil, fmt.Errorf("HOOKLOOP_PAYPAL_CA_FILE: %w", err)
	}
	return p, nil
}

func (s *service) newVerifier(cfg serviceConfig) (*auth.Verifier, error) {
	s.issuer = sender.NewFetcher(sender.FetcherConfig{OwnAddresses: true, UserAgent: "Hookloop/" + version})
	s.ends = append(s.ends, s.issuer.Close)
	return auth.New(auth.Config{
		Fetch: s.issuer, Secret: cfg.Settings.JWT.Secret, JWKSFile: cfg.Settings.JWT.JWKSFile, JWKSURL: cfg.Settings.JWT.JWKSURL,
		Issuer: cfg.Settings.JWT.Issuer, Audience: cfg.Settings.JWT.Audience, Logger: cfg.Logger,
	})
}

// newQuotas reads what tenants may ask for, and has their open deliveries counted in Temporal.
func newQuotas(path string, open *orchestrator.Counts, metrics prometheus.Registerer) (*quota.Quotas, error) {
	table, err := readQuotas(path)
	if err != nil {
		return nil, err
	}
	return quota.New(quota.Config{Table: table, Metrics: metrics, Open: open.OpenDeliveries})
}

// readQuotas reads HOOKLOOP_QUOTAS_FILE; without one every tenant has quota.Usual.
func readQuotas(path string) (t quota.Table, err error) {
	if path == "" {
		return t, nil
	}
	raw, err := os.ReadFile(path)
	if err == nil {
		t, err = quota.ReadTable(raw)
	}
	if err != nil {
		return t, fmt.Errorf("HOOKLOOP_QUOTAS_FILE: %w", err)
	}
	return t, nil
}
