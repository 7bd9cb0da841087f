package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"hookloop/internal/cli"
	"hookloop/internal/config"
	"hookloop/internal/keyfile"
	"hookloop/internal/registry"
	"hookloop/internal/terminal"
	"hookloop/internal/webhook"
)

func newReseal() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "reseal",
		Short: "Seal everything in the registry with the primary key",
		Long: `Seal anew, with the primary key of the keyset in HOOKLOOP_REGISTRY_KEY_FILE, every secret in the registry
(HOOKLOOP_REGISTRY) that another key of it has sealed. After that the other keys may leave the keyset.

Run it when every process has the new keyset, its primary key changed: one that still seals with the old key
leaves something behind. It may run beside everything else, be interrupted, and be run again.`,
		Example: "  HOOKLOOP_REGISTRY=postgres://… HOOKLOOP_REGISTRY_KEY_FILE=registry.key hookloop reseal",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			done, err := runReseal(c.Context(), c.ErrOrStderr())
			if err != nil {
				return err
			}
			if asJSON {
				return terminal.JSON(c.OutOrStdout(), done)
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), describeResealed(done))
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func runReseal(ctx context.Context, progress io.Writer) (done registry.Resealed, err error) {
	cfg, err := config.ReadService(config.OS, config.RoleReseal)
	if err != nil {
		return done, err
	}
	key, err := keyfile.Read(cfg.RegistryKeyFile) // never a new one
	if err != nil {
		return done, fmt.Errorf("HOOKLOOP_REGISTRY_KEY_FILE: %w", err)
	}
	s, err := openStore(ctx, cfg.Registry, key)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	last := time.Now()
	return s.Reseal(webhook.WithActor(ctx, webhook.Actor{Name: cli.OSUser(), Via: webhook.ViaCommand}), func(r registry.Resealed) {
		if time.Since(last) > 2*time.Second {
			last = time.Now()
			fmt.Fprintln(progress, describeResealed(r))
		}
	})
}

func describeResealed(r registry.Resealed) string {
	return fmt.Sprintf("%d sealed anew, %d were already", r.Anew, r.Already)
}
