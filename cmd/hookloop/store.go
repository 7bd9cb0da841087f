package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"hookloop/activities"
	"hookloop/gateway"
	"hookloop/internal/attemptlog"
	"hookloop/internal/audit"
	"hookloop/internal/bodies"
	"hookloop/internal/codec"
	"hookloop/internal/config"
	"hookloop/internal/echo"
	"hookloop/internal/erasure"
	"hookloop/internal/health"
	"hookloop/internal/keyfile"
	"hookloop/internal/keyring"
	"hookloop/internal/orchestrator"
	"hookloop/internal/registry"
	"hookloop/internal/registry/postgres"
	"hookloop/internal/registry/sqlite"
	"hookloop/internal/webhook"
)

// store is a registry, whichever keeps it.
type store interface {
	gateway.Registry
	gateway.Sources
	gateway.AttemptLog
	gateway.Portals
	bodies.Store
	echo.Store
	activities.EndpointKeeper
	orchestrator.Matcher
	orchestrator.Registry
	orchestrator.RedeliveryNotes
	health.Breakers
	attemptlog.Store
	audit.ChangeLog
	erasure.Registry
	ErasedSince(ctx context.Context, after time.Time) ([]webhook.Erasure, error)
	Reseal(ctx context.Context, progress func(registry.Resealed)) (registry.Resealed, error)
	Close() error
}

// openStore opens the registry at a PostgreSQL URL or in a SQLite file.
func openStore(ctx context.Context, location string, key []byte) (store, error) {
	sealer, err := registry.NewSealer(key)
	if err != nil {
		return nil, fmt.Errorf("registry key: %w", err)
	}
	var s store
	if (config.Service{Registry: location}).OnPostgres() {
		s, err = postgres.Open(ctx, location, sealer)
	} else {
		s, err = sqlite.Open(ctx, location, sealer)
	}
	if err != nil {
		return nil, err // and not s, which holds a nil pointer
	}
	return s, nil
}

// registryKeyFile reads the key that seals secrets. One is made on the first run of a registry in a
// file; processes that share a database would each make their own.
func registryKeyFile(cfg config.Service) ([]byte, error) {
	if !cfg.OnPostgres() {
		return keyfile.ReadOrMake(cfg.RegistryKeyFile, keyring.New)
	}
	key, err := keyfile.Read(cfg.RegistryKeyFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s does not exist; make the one key that all processes share with 'hookloop key registry'", cfg.RegistryKeyFile)
	}
	return key, err
}

// exists says whether there is a file; one that cannot be looked at counts, for what opens it says
// why.
func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// lostRegistry is why a process does not begin with an empty registry: to deliveries that wait, an
// endpoint it does not know was deleted, and they would end as cancelled.
func lostRegistry(path string) error {
	return fmt.Errorf("%s is missing, but Temporal holds events whose endpoints were in it: their deliveries would end as cancelled; put it back, or begin anew with other data", path)
}

// checkRegistryFile refuses to make a registry anew where Temporal has work for the one before.
func checkRegistryFile(ctx context.Context, cfg config.Service, in *orchestrator.Counts) error {
	if cfg.OnPostgres() || exists(cfg.Registry) {
		return nil
	}
	unfinished, err := in.Unfinished(ctx)
	if err != nil {
		return fmt.Errorf("looking for events in Temporal, since %s is missing: %w", cfg.Registry, err)
	}
	if unfinished > 0 {
		return lostRegistry(cfg.Registry)
	}
	return nil
}

// historyCodec encrypts histories with the keys in a file, or leaves them in clear.
func historyCodec(path string) (*codec.Codec, error) {
	if path == "" {
		return codec.Clear(), nil
	}
	keys, err := keyfile.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("HOOKLOOP_HISTORY_KEY_FILE: %s does not exist; make it with 'hookloop key history'", path)
	}
	if err != nil {
		return nil, fmt.Errorf("HOOKLOOP_HISTORY_KEY_FILE: %w", err)
	}
	c, err := codec.New(keys)
	if err != nil {
		return nil, fmt.Errorf("HOOKLOOP_HISTORY_KEY_FILE: %w", err)
	}
	return c, nil
}

// newEraser takes the data of events away, where this process can reach it.
func (s *service) newEraser(cfg serviceConfig, large *bodies.Bodies) (*erasure.Eraser, error) {
	c := erasure.Config{
		Temporal: s.temporal.Erasures(), Events: s.temporal.Events(orchestrator.EventsConfig{Bodies: large, Registry: s.registry}),
		Registry: s.registry, Caches: []func(tenant, eventID string){large.Forget}, Logger: cfg.Logger,
	}
	if s.contents != nil {
		c.Caches = append(c.Caches, s.contents.Forget)
	}
	if cfg.Engine != nil {
		c.Stores = append(c.Stores, cfg.Engine)
	}
	if file, is := s.registry.(erasure.Store); is { // a registry in a file
		c.Stores = append(c.Stores, file)
	}
	return erasure.New(c)
}
