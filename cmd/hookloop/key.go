package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"hookloop/internal/chain"
	"hookloop/internal/keyfile"
	"hookloop/internal/keyring"
	"hookloop/internal/token"
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
				_, err := fmt.Fprintf(c.ErrOrStderr(), "%s written; back it up, apart from the database: what it protects is lost with it\n", out)
				return err
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
