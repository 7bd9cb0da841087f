package engine_test

import (
	"database/sql"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/engine"
)

func TestTakenAddressIsNamed(t *testing.T) {
	t.Parallel()
	var lc net.ListenConfig
	taken, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close() //nolint:errcheck // an unused listener
	address := taken.Addr().String()

	cfg := config(t)
	cfg.Listen = address
	_, err = engine.Start(t.Context(), cfg)
	require.EqualError(t, err, "engine: Temporal: address "+address+": address already in use")

	cfg.Listen, cfg.UIListen = "127.0.0.1:0", address
	_, err = engine.Start(t.Context(), cfg)
	require.EqualError(t, err, "engine: Temporal UI: address "+address+": address already in use")
}

func TestOnlyLoopbackIsServed(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0"} {
		cfg := config(t)
		cfg.Listen = address
		_, err := engine.Start(t.Context(), cfg)
		require.ErrorContains(t, err, "address "+address+": not loopback")
	}
}

func TestDataThatIsNotOursIsRefusedUntouched(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fill func(t *testing.T, path string)
		want string
	}{
		"another database": {execute("CREATE TABLE theirs (a)"), "is a database, but not one of Hookloop's"},
		"a later release":  {execute(fmt.Sprintf("CREATE TABLE later (a); PRAGMA application_id=%d; PRAGMA user_version=99", 0x486b6c70)), "another release of Hookloop"},
		"no database": {func(t *testing.T, path string) {
			t.Helper()
			require.NoError(t, os.WriteFile(path, []byte("dear diary, today nothing happened, and so it went on for a long while"), 0o600))
		}, "file is not a database"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := config(t)
			path := filepath.Join(cfg.Dir, "temporal.db")
			c.fill(t, path)
			before, err := os.ReadFile(path)
			require.NoError(t, err)
			_, err = engine.Start(t.Context(), cfg)
			require.ErrorContains(t, err, path)
			require.ErrorContains(t, err, c.want)
			after, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, before, after)
		})
	}
}

func TestSearchAttributeKeepsItsColumn(t *testing.T) {
	t.Parallel()
	cfg := config(t)
	e, err := engine.Start(t.Context(), cfg)
	require.NoError(t, err)
	require.NoError(t, e.Stop())

	cfg.SearchAttributes[0], cfg.SearchAttributes[1] = cfg.SearchAttributes[1], cfg.SearchAttributes[0]
	_, err = engine.Start(t.Context(), cfg)
	require.ErrorContains(t, err, "column Keyword01 already holds Tenant")
}

func execute(statements string) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		t.Helper()
		db, err := sql.Open("sqlite", path)
		require.NoError(t, err)
		_, err = db.ExecContext(t.Context(), statements)
		require.NoError(t, err)
		require.NoError(t, db.Close())
	}
}
