package sqlite_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/registry/registrytest"
	"hookloop/internal/registry/sqlite"
)

func requireOpenFails(t *testing.T, f file, why string) {
	t.Helper()
	_, err := sqlite.Open(t.Context(), string(f), registrytest.NewSealer(t))
	require.EqualError(t, err, "registry "+string(f)+": "+why)
}

func TestOpenRefusesWhatIsNoDatabase(t *testing.T) {
	t.Parallel()
	f := newFile(t)
	text := bytes.Repeat([]byte("dear diary "), 1000)
	require.NoError(t, os.WriteFile(string(f), text, 0o600))
	requireOpenFails(t, f, "the file is not a SQLite database")
	require.Equal(t, text, f.Raw(t), "and leaves it alone")
}

func TestOpenRefusesAnotherApplicationsDatabase(t *testing.T) {
	t.Parallel()
	for _, stranger := range []string{"CREATE TABLE diary (day TEXT)", "PRAGMA application_id = 7; CREATE TABLE goose_diary (day TEXT)"} {
		f := newFile(t)
		_, err := f.database(t).ExecContext(t.Context(), stranger)
		require.NoError(t, err)
		before := f.Raw(t)
		requireOpenFails(t, f, "the file is another application's database")
		require.Equal(t, before, f.Raw(t), "and leaves it alone")
	}
}

func TestOpenRefusesNewerSchema(t *testing.T) {
	t.Parallel()
	r, f := newRegistry(t)
	require.NoError(t, r.Close())
	_, err := f.database(t).ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)")
	require.NoError(t, err)
	requireOpenFails(t, f, fmt.Sprintf("its schema is version 99, this hookloop knows up to %s: use a newer one", latest(t)))
}

func TestOpenNamesPathThatCannotBe(t *testing.T) {
	t.Parallel()
	requireOpenFails(t, file(t.TempDir()), "it is a folder, not a file")
	requireOpenFails(t, file(filepath.Join(t.TempDir(), "nowhere", "x.db")), "no such file or directory")
}

func TestOpenRefusesReadOnly(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	f := newFile(t)
	require.NoError(t, os.WriteFile(string(f), nil, 0o400))
	requireOpenFails(t, f, "the database file cannot be written")
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o500))
	requireOpenFails(t, file(filepath.Join(dir, "x.db")), "permission denied")
}

// TestOpenAfterKill opens what a killed process leaves: a database and its log, nothing folded in.
func TestOpenAfterKill(t *testing.T) {
	t.Parallel()
	f, killed := newFile(t), newFile(t)
	sealer := registrytest.NewSealer(t)
	r, err := sqlite.Open(t.Context(), string(f), sealer)
	require.NoError(t, err)
	want := registrytest.NewEndpoint("ep_1")
	require.NoError(t, r.CreateEndpoint(t.Context(), want))
	for _, suffix := range []string{"", "-wal"} {
		part, err := os.ReadFile(string(f) + suffix)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(string(killed)+suffix, part, 0o600))
	}
	require.NoError(t, r.Close())

	r, err = sqlite.Open(t.Context(), string(killed), sealer)
	require.NoError(t, err)
	defer func() { require.NoError(t, r.Close()) }()
	got, err := r.Endpoint(t.Context(), "acme", "ep_1")
	require.NoError(t, err)
	require.Equal(t, want.Secrets, got.Secrets)
}
