package cli

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hookloop/api"
	"hookloop/internal/chain"
	"hookloop/internal/devdir"
	"hookloop/internal/keyfile"
	"hookloop/internal/terminal"
)

// exportPlace is where an export goes on: the period as it was when it began, and the next page.
type exportPlace struct {
	After  string `json:"after"`
	Before string `json:"before"`
	Cursor string `json:"cursor"`
}

// exportFolder writes the lines of a period into a folder, page by page.
func (g *gateway) exportFolder(e auditExportOptions, query api.AuditQuery) error {
	key, err := g.auditKey(e.key)
	if err != nil {
		return err
	}
	w, err := chain.Open(e.out, fmt.Sprintf("audit of tenant %s, after %q, before %q", g.tenant, e.after, e.before))
	if err != nil {
		return fmt.Errorf("--out %s: %w", e.out, err)
	}
	defer func() { _ = w.Close() }() // finished, it is closed already
	if err := g.writePages(w, query); err != nil {
		return err
	}
	m, err := w.Finish(key, time.Now())
	if err != nil {
		return fmt.Errorf("--out %s: %w", e.out, err)
	}
	return terminal.Say(g.command.OutOrStdout(), "%s in %s, head %s, signed by %s\n", terminal.Count(int(m.Records), "record"), e.out, m.Head, m.PublicKey)
}

// writePages goes on where the folder stopped.
func (g *gateway) writePages(w *chain.Writer, query api.AuditQuery) error {
	place := exportPlace{After: query.After, Before: query.Before}
	if place.Before == "" { // else it would not end where it began to
		place.Before = time.Now().UTC().Format(time.RFC3339Nano)
	}
	kept, _ := w.Place()
	if kept != "" {
		if err := json.Unmarshal([]byte(kept), &place); err != nil {
			return fmt.Errorf("where it stopped: %w", err)
		}
	} else if err := keep(w, place); err != nil {
		return err
	}
	query.After, query.Before, query.Cursor = place.After, place.Before, place.Cursor
	soFar := terminal.Progress(g.command.ErrOrStderr())
	for page, err := range g.Audit.List(query).Raw().Pages(g.command.Context()) {
		if err != nil {
			return err
		}
		for _, line := range page.Data {
			var b bytes.Buffer
			if err := errors.Join(json.Compact(&b, line), w.Append(b.Bytes())); err != nil {
				return err
			}
		}
		if place.Cursor = page.Next(); place.Cursor == "" {
			return nil
		}
		if err := keep(w, place); err != nil {
			return err
		}
		_, n := w.Place()
		soFar(terminal.Count(int(n), "record") + " so far")
	}
	return nil
}

func keep(w *chain.Writer, place exportPlace) error {
	text, err := json.Marshal(place)
	if err != nil {
		return err
	}
	return w.Keep(string(text))
}

// auditKey is the key that signs exports: one that is named, or that of 'hookloop dev'.
func (g *gateway) auditKey(path string) (ed25519.PrivateKey, error) {
	return SigningKey(cmp.Or(path, filepath.Join(g.data, devdir.AuditKeyFile)))
}

// SigningKey reads the key that signs exports and archives; nil for no path.
func SigningKey(path string) (ed25519.PrivateKey, error) {
	if path == "" {
		return nil, nil
	}
	text, err := keyfile.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s does not exist; make it with 'hookloop key audit --out FILE' and name it with --key", path)
	}
	if err != nil {
		return nil, fmt.Errorf("--key: %w", err)
	}
	key, err := chain.ParseKey(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

func newAuditVerify() *cobra.Command {
	var public string
	var asJSON bool
	c := &cobra.Command{
		Use:   "verify DIR",
		Short: "Find out whether an export is whole, and as it was signed",
		Long: `Find out whether an export is whole, and as it was signed: which record was changed, is missing, was added, moved or
cut off. It asks no gateway. The public key must come from elsewhere than the folder: who could change the
folder could put another key there. It exits with 1 if something is wrong.`,
		Example: "  hookloop audit verify january --public-key audit.pub",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			key, err := publicKey(public)
			if err != nil {
				return err
			}
			r, err := chain.Verify(args[0], key)
			if err != nil {
				return err
			}
			if err := showProof(c.OutOrStdout(), r, asJSON); err != nil {
				return err
			}
			if len(r.Faults) > 0 {
				return errors.New("it is not as it was signed")
			}
			return nil
		},
	}
	c.Flags().StringVar(&public, "public-key", "", "`file` with the public key, or the key itself (required)")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// publicKey reads a file, or takes the text as it is.
func publicKey(text string) (ed25519.PublicKey, error) {
	if text == "" {
		return nil, terminal.Usage("--public-key is missing: the public half of the key that signed, from a place of your own")
	}
	if content, err := os.ReadFile(text); err == nil {
		text = string(content)
	}
	key, err := chain.ParsePublic(strings.TrimSpace(text))
	if err != nil {
		return nil, fmt.Errorf("--public-key: %w", err)
	}
	return key, nil
}

func showProof(w io.Writer, r chain.Report, asJSON bool) error {
	if asJSON {
		return terminal.JSON(w, r)
	}
	for _, f := range r.Faults {
		if err := terminal.Say(w, "%s\n", f); err != nil {
			return err
		}
	}
	if len(r.Faults) > 0 {
		return nil
	}
	return terminal.Say(w, "%s whole, head %s\n", terminal.Count(int(r.Records), "record"), r.Head)
}
