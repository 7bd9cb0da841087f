package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"hookloop/internal/chain"
	"hookloop/internal/cli"
	"hookloop/internal/config"
	"hookloop/internal/keyfile"
	"hookloop/internal/keyring"
	"hookloop/internal/registry"
	"hookloop/internal/terminal"
	"hookloop/internal/token"
	"hookloop/internal/webhook"
)

func newKey() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "key registry|history|jwt|audit",
		Short: "Make a key: for the registry, for histories, for tokens, or for exports of the audit",
		Long: `Make a new key and print it, or write it to a file that only its owner may read and that must not exist.

  registry  seals the secrets of endpoints and sources: HOOKLOOP_REGISTRY_KEY_FILE
  history   encrypts what Temporal stores: HOOKLOOP_HISTORY_KEY_FILE
  jwt       signs and checks tokens (HS256): HOOKLOOP_JWT_SECRET
  audit     signs exports of the audit (Ed25519): 'hookloop audit export --key'. With --out the public half, which
            verifies them, is printed: keep it where those who keep the exports cannot change it

All processes that share a database share its keys. What a key protects is lost with it: back it up,
apart from the database. The first two are Tink keysets in clear (AES256-GCM); rotate them with Tink's
tinkey, adding a key and making it the primary one. Old keys go on opening; 'hookloop reseal' lets those of the
registry go.`,
		Example: `  hookloop key registry --out registry.key
  HOOKLOOP_JWT_SECRET=$(hookloop key jwt) hookloop serve`,
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"registry", "history", "jwt", "audit"},
		RunE: func(c *cobra.Command, args []string) error {
			key, err := map[string]func() ([]byte, error){
				"registry": keyring.New, "history": keyring.New, "jwt": token.NewSecret, "audit": chain.NewKey,
			}[args[0]]()
			if err != nil {
				return err
			}
			if out != "" {
				if err := keyfile.Create(out, key); err != nil {
					return err
				}
				if err := printPublic(c.OutOrStdout(), args[0], key); err != nil {
					return err
				}
				return terminal.Say(c.ErrOrStderr(), "%s written; back it up, apart from the database: what it protects is lost with it\n", out)
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), string(key))
			return err
		},
	}
	c.Flags().StringVar(&out, "out", "", "`file` to write it to")
	return c
}

// printPublic prints the half of a key that others may have, if it has one.
func printPublic(w io.Writer, kind string, text []byte) error {
	if kind != "audit" {
		return nil
	}
	key, err := chain.ParseKey(text)
	if err == nil {
		_, err = fmt.Fprintln(w, chain.PublicText(key))
	}
	return err
}

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
			return terminal.Say(c.OutOrStdout(), "%s\n", describeResealed(done))
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
	soFar := terminal.Progress(progress)
	return s.Reseal(webhook.WithActor(ctx, webhook.Actor{Name: cli.OSUser(), Via: webhook.ViaCommand}), func(r registry.Resealed) { soFar(describeResealed(r)) })
}

func describeResealed(r registry.Resealed) string {
	return fmt.Sprintf("%d sealed anew, %d were already", r.Anew, r.Already)
}
