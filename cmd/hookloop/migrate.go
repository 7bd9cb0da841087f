package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"hookloop/internal/config"
	"hookloop/internal/logs"
	"hookloop/internal/orchestrator/namespace"
	"hookloop/internal/registry/postgres"
	"hookloop/internal/terminal"
	"hookloop/internal/visibility"
	"hookloop/workflows"
)

func newMigrate() *cobra.Command {
	var asJSON bool
	var v visibilityOptions
	c := &cobra.Command{
		Use:   "migrate",
		Short: "Prepare the registry's database and Temporal's namespace",
		Long: `Bring the registry's schema up to this version, and make what Temporal needs: the namespace
(TEMPORAL_NAMESPACE), kept for HOOKLOOP_RETENTION (720h), and its search attributes. Run it before the first
start and before every upgrade; it may run twice, and while the version before is running. A registry in a SQLite
file migrates itself when it is opened.

Temporal on PostgreSQL writes some seventy indexes for every workflow, so that everything may be asked for. With
--lean-visibility those are dropped that neither Hookloop nor the Temporal UI asks, nor a search attribute of any
namespace has; --full-visibility brings them back. HOOKLOOP_TEMPORAL_VISIBILITY says where they are.`,
		Example: `  hookloop migrate
  HOOKLOOP_TEMPORAL_VISIBILITY=postgres://temporal@db/temporal_visibility hookloop migrate --lean-visibility`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			r, err := runMigrate(c.Context(), v, c.ErrOrStderr())
			if err != nil {
				return err
			}
			if asJSON {
				return terminal.JSON(c.OutOrStdout(), r)
			}
			return r.show(c.OutOrStdout())
		},
	}
	c.Flags().BoolVar(&v.lean, "lean-visibility", false, "drop the indexes of Temporal's lists that nothing asks for")
	c.Flags().BoolVar(&v.full, "full-visibility", false, "bring them back")
	c.MarkFlagsMutuallyExclusive("lean-visibility", "full-visibility")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// migrated is what a migration did.
type migrated struct {
	Registry  string `json:"registry"`
	Namespace string `json:"namespace"`
	Retention string `json:"retention"`
	namespace.Result
	visibilityResult
}

func (m migrated) show(w io.Writer) error {
	did := "is there"
	if m.Created {
		did = "was made"
	}
	_, err := fmt.Fprintf(w, "registry: %s\nnamespace %s %s, retention %s\n", m.Registry, m.Namespace, did, m.Retention)
	if err == nil && len(m.Added) > 0 {
		_, err = fmt.Fprintf(w, "search attributes added: %v\n", m.Added)
	}
	if err == nil {
		err = m.visibilityResult.show(w)
	}
	return err
}

func runMigrate(ctx context.Context, v visibilityOptions, stderr io.Writer) (m migrated, err error) {
	cfg, options, err := readService(config.RoleMigrate)
	if err != nil {
		return m, err
	}
	if err := v.check(cfg.Visibility); err != nil {
		return m, err
	}
	m.Registry = "a SQLite file, which migrates itself"
	if cfg.OnPostgres() {
		if err := postgres.Migrate(ctx, cfg.Registry); err != nil {
			return m, err
		}
		m.Registry = "its schema is up to date"
	}
	m.Namespace = cmp.Or(options.Namespace, client.DefaultNamespace)
	options.Namespace = m.Namespace
	options.Logger = sdklog.NewStructuredLogger(logs.OfCommand(stderr))
	c, err := client.DialContext(ctx, options)
	if err != nil {
		return m, fmt.Errorf("connecting to Temporal at %s: %w", options.HostPort, err)
	}
	defer c.Close()
	m.Result, err = namespace.Prepare(ctx, c, namespace.Config{
		Namespace: m.Namespace, Retention: time.Duration(cfg.Retention), SearchAttributes: workflows.SearchAttributes(),
	})
	m.Retention = m.Result.Retention.String()
	if err == nil {
		m.visibilityResult, err = v.run(ctx, c, cfg.Visibility)
	}
	return m, err
}

// visibilityOptions say what to do with the indexes of Temporal's lists: nothing, unless asked.
type visibilityOptions struct{ lean, full bool }

func (o visibilityOptions) check(url string) error {
	if (o.lean || o.full) && url == "" {
		return errors.New("HOOKLOOP_TEMPORAL_VISIBILITY is required: the PostgreSQL URL of Temporal's visibility database")
	}
	return nil
}

// visibilityResult lists indexes of Temporal's lists with the statements that make them.
type visibilityResult struct {
	Dropped  []visibility.Index `json:"dropped_indexes,omitempty"`
	Restored []visibility.Index `json:"restored_indexes,omitempty"`
	lean     bool
	full     bool
}

func (o visibilityOptions) run(ctx context.Context, c namespace.Cluster, url string) (r visibilityResult, err error) {
	r.lean, r.full = o.lean, o.full
	switch {
	case o.lean:
		columns, err := namespace.Columns(ctx, c)
		if err != nil {
			return r, err
		}
		r.Dropped, err = visibility.Lean(ctx, url, columns)
		if err != nil {
			return r, fmt.Errorf("HOOKLOOP_TEMPORAL_VISIBILITY: %w", err)
		}
	case o.full:
		if r.Restored, err = visibility.Full(ctx, url); err != nil {
			return r, fmt.Errorf("HOOKLOOP_TEMPORAL_VISIBILITY: %w", err)
		}
	}
	return r, nil
}

func (r visibilityResult) show(w io.Writer) (err error) {
	switch {
	case r.lean && len(r.Dropped) == 0:
		_, err = fmt.Fprintln(w, "visibility: it is lean")
	case r.lean:
		_, err = fmt.Fprintf(w, "visibility: %d indexes dropped; hookloop migrate --full-visibility brings them back:\n", len(r.Dropped))
	case r.full:
		_, err = fmt.Fprintf(w, "visibility: %d indexes brought back\n", len(r.Restored))
	}
	for _, i := range r.Dropped {
		if err == nil {
			_, err = fmt.Fprintln(w, "  "+i.Name)
		}
	}
	return err
}
