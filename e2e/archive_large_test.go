package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestArchiveHoldsLargeData: what lay in the registry is in the file, byte for byte, when both are
// gone.
func TestArchiveHoldsLargeData(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	a := app{start(t, data)}
	content := `{"n": 1.10, "text": "` + strings.Repeat(`\u00e9<&> `, 60_000) + `"}`
	e := a.post(t, `{"type":"big","data":`+content+`}`)
	a.ended(t, e.ID)

	files := func(out string, flags ...string) (found []string) {
		eventually(t, "the event is archived", func() bool {
			_, stderr, code := hookloop(t, append([]string{"archive", "--to", out, "--data", data}, flags...)...)
			require.Zero(t, code, stderr)
			found, _ = filepath.Glob(filepath.Join(out, a.p.Tenant, "*/*/*/Event-*"+e.ID+"*.json.gz"))
			return len(found) == 1
		})
		return found
	}
	whole, left := files(filepath.Join(t.TempDir(), "whole")), files(filepath.Join(t.TempDir(), "left"), "--leave-large")
	stdout, stderr, code := hookloop(t, "archive", "show", "--data", whole[0])
	require.Zero(t, code, stderr)
	require.Equal(t, content, stdout, "byte for byte")
	stdout, _, _ = hookloop(t, "archive", "show", whole[0])
	require.Contains(t, stdout, "bytes of data, for no endpoint")
	_, stderr, code = hookloop(t, "archive", "show", "--data", left[0])
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "was not copied")
	_, _, code = hookloop(t, "archive", "show", "--data", "--json", whole[0])
	require.Equal(t, 2, code)
}
