package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"hookloop/internal/archive"
	"hookloop/internal/bodies"
	"hookloop/internal/codec"
	"hookloop/internal/config"
	"hookloop/internal/devdir"
	"hookloop/internal/keyring"
	"hookloop/internal/webhook"
)

// archiveBodies finds the data of large events where Temporal's histories have a reference. Without
// a registry it finds none, and says so for the first that is asked for.
func archiveBodies(in store, o archiveOptions, histories *codec.Codec) (*bodies.Bodies, error) {
	var from bodies.Store = in
	switch {
	case o.leaveLarge:
		from = noBodies{webhook.Errorf(webhook.NotFound, "it is not asked for")}
	case in == nil:
		from = noBodies{errors.New("it lies in the registry: set HOOKLOOP_REGISTRY, or copy size and hash with --leave-large")}
	}
	return bodies.New(from, histories.Converter())
}

// archiveStore opens the registry beside Temporal; nil: none is known.
func archiveStore(ctx context.Context, o archiveOptions) (store, error) {
	address, err := archiveRegistry(o)
	if err != nil || address == "" {
		return nil, err
	}
	key, err := keyring.New() // opens nothing: bodies are sealed as histories are, and the attempt log is not
	if err != nil {
		return nil, err
	}
	return openStore(ctx, address, key)
}

// erasedIn tells the archive which events were erased; nil: no registry knows.
func erasedIn(in store) func(ctx context.Context, after time.Time) ([]archive.Erased, error) {
	if in == nil {
		return nil
	}
	return func(ctx context.Context, after time.Time) ([]archive.Erased, error) {
		found, err := in.ErasedSince(ctx, after)
		all := make([]archive.Erased, len(found))
		for i, e := range found {
			all[i] = archive.Erased{
				Tenant: e.Tenant, EventID: e.EventID, Done: e.ChangedAt(),
				Why: archive.Erasure{At: e.AskedAt, By: e.By, Reason: e.Reason, Data: e.Data},
			}
		}
		return all, err
	}
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
