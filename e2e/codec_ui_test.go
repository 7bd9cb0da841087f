package e2e

import (
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
	"hookloop/internal/npmtest"
)

// TestUIDecodes opens an encrypted event in the Temporal UI, with the gateway's codec server set in
// the UI's own dialog: it becomes readable for those who may read it, and stays ciphertext for
// all others.
func TestUIDecodes(t *testing.T) {
	t.Parallel()
	ui := operator{browser: findBrowser(t), dir: npmtest.Install(t, "browser")}
	data := filepath.Join(t.TempDir(), "data")
	p := startEncrypted(t, data)
	a := app{p}
	a.listen(t, endpointtest.Config{}, "")
	id := a.post(t, `{"type":"contact.updated","data":{"name":"Waltzing Matilda"}}`).ID
	workflow := a.ended(t, id).WorkflowID
	mint := func(flags ...string) string {
		out, stderr, code := hookloop(t, append([]string{"token", "--data", data}, flags...)...)
		require.Zero(t, code, stderr)
		return strings.TrimSpace(out)
	}

	for name, tc := range map[string]struct {
		token  string
		status int
	}{
		"an auditor":             {mint("--scope", "audit:read"), http.StatusOK},
		"nobody":                 {"", http.StatusUnauthorized},
		"who may read events":    {mint("--scope", "events:read"), http.StatusForbidden},
		"an auditor of a tenant": {mint("--scope", "audit:read", "--tenant", "demo"), http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			var seen struct {
				Sealed, Shown string
				Answers       []int
				Outside       []string
			}
			ui.run(t, &seen, "codec.mjs", p.UI, t.ArtifactDir(), workflow, p.Gateway+"/codec", tc.token)
			require.NotContains(t, seen.Sealed, "Matilda")
			require.Equal(t, []int{tc.status}, slices.Compact(seen.Answers))
			require.Equal(t, tc.status == http.StatusOK, strings.Contains(seen.Shown, "Waltzing Matilda"), seen.Shown)
			require.Empty(t, seen.Outside)
		})
	}
}
