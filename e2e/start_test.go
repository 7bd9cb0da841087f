package e2e

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// refused runs `hookloop dev` where it cannot start: one clear line, exit 1, no dev.json.
func refused(t *testing.T, data, want string, args ...string) {
	t.Helper()
	args = append([]string{"dev", "--data", data, "--listen", "127.0.0.1:0", "--temporal-listen", "127.0.0.1:0", "--ui-listen", "127.0.0.1:0"}, args...)
	stdout, stderr, code := hookloop(t, args...)
	require.Equal(t, 1, code, stderr)
	require.Empty(t, stdout)
	oneLine(t, stderr)
	require.Contains(t, stderr, want)
	require.NoFileExists(t, filepath.Join(data, "dev.json"))
}

func TestTakenPorts(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() }) // after the parallel tests below
	for _, flag := range []string{"--listen", "--temporal-listen", "--ui-listen"} {
		t.Run(flag, func(t *testing.T) {
			t.Parallel()
			refused(t, filepath.Join(t.TempDir(), "data"), l.Addr().String(), flag, l.Addr().String())
		})
	}
}

func TestForeignFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "thesis.txt"), []byte("mine"), 0o600))
	refused(t, dir, "thesis.txt")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing was added")
}

func TestUnwritableFolder(t *testing.T) {
	t.Parallel()
	refused(t, filepath.Join("/proc", "hookloop"), "/proc/hookloop")
}

func TestDataIsAFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "data")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	refused(t, file, file)
}

func TestSecondInstance(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data)
	before, err := os.ReadFile(filepath.Join(data, "dev.json"))
	require.NoError(t, err)
	_, stderr, code := hookloop(t, "dev", "--data", data, "--listen", "127.0.0.1:0", "--temporal-listen", "127.0.0.1:0", "--ui-listen", "127.0.0.1:0")
	require.Equal(t, 1, code)
	oneLine(t, stderr)
	require.Contains(t, stderr, "in use")
	after, err := os.ReadFile(filepath.Join(data, "dev.json"))
	require.NoError(t, err)
	require.Equal(t, before, after, "the first instance is not disturbed")
	app{p}.post(t, `{"type":"contact.updated","data":1}`)
}

func TestPrivateFiles(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data)
	e := app{p}.createEndpoint(t, `{"url":"http://127.0.0.1:9/"}`)
	app{p}.post(t, `{"type":"contact.updated","data":1}`)
	for _, name := range []string{"dev.json", "jwt.secret", "registry.key"} {
		info, err := os.Stat(filepath.Join(data, name))
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
	}
	require.NoError(t, filepath.WalkDir(data, func(path string, _ os.DirEntry, err error) error {
		if err != nil || filepath.Base(path) == "data" {
			return err
		}
		content, err := os.ReadFile(path)
		require.NotContains(t, string(content), strings.TrimPrefix(e.Secret, "whsec_"), path)
		return err
	}))
	require.NotContains(t, p.stderr.String(), strings.TrimPrefix(e.Secret, "whsec_"))
	require.NotContains(t, p.stderr.String(), p.Token)
}
