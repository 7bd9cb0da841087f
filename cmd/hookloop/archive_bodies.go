package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"hookloop/internal/bodies"
	"hookloop/internal/codec"
	"hookloop/internal/config"
	"hookloop/internal/devdir"
	"hookloop/internal/registry"
	"hookloop/internal/webhook"
)

// archiveBodies finds the data of large events where Temporal's histories have a reference. Without
// a registry it finds none, and says so for the first that is asked for.
func archiveBodies(ctx context.Context, o archiveOptions, histories *codec.Codec) (*bodies.Bodies, func(), error) {
	from, closing, err := archiveStore(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	large, err := bodies.New(from, histories.Converter())
	if err != nil {
		closing()
		return nil, nil, err
	}
	return large, closing, nil
}

func archiveStore(ctx context.Context, o archiveOptions) (bodies.Store, func(), error) {
	none := func() {}
	if o.leaveLarge {
		return noBodies{webhook.Errorf(webhook.NotFound, "it is not asked for")}, none, nil
	}
	address, err := archiveRegistry(o)
	if err != nil {
		return nil, nil, err
	}
	if address == "" {
		return noBodies{errors.New("it lies in the registry: set HOOKLOOP_REGISTRY, or copy size and hash with --leave-large")}, none, nil
	}
	key, err := registry.NewKey() // bodies are sealed as histories are: the registry's own key opens none
	if err != nil {
		return nil, nil, err
	}
	s, err := openStore(ctx, address, key)
	if err != nil {
		return nil, nil, err
	}
	return s, func() { _ = s.Close() }, nil
}

// archiveRegistry is the registry beside the Temporal that dialArchive found; empty: none is known.
func archiveRegistry(o archiveOptions) (string, error) {
	address := config.OS("HOOKLOOP_REGISTRY")
	if o.dev != "" {
		address = filepath.Join(o.dev, devdir.RegistryFile)
	}
	if address == "" {
		return "", nil
	}
	if err := config.CheckRegistry(address); err != nil {
		return "", err
	}
	if !(config.Service{Registry: address}).OnPostgres() && !exists(address) {
		return "", fmt.Errorf("HOOKLOOP_REGISTRY: %s does not exist", address) // and must not be made anew
	}
	return address, nil
}

// noBodies is a store that has none, and says why.
type noBodies struct{ why error }

func (n noBodies) Body(context.Context, string, string, string) ([]byte, error) { return nil, n.why }
func (n noBodies) PutBody(context.Context, webhook.StoredBody) error            { return n.why }
func (n noBodies) DeleteBody(context.Context, string, string) error             { return n.why }

func (n noBodies) Bodies(context.Context, time.Time, webhook.StoredBody, int) ([]webhook.StoredBody, error) {
	return nil, n.why
}
