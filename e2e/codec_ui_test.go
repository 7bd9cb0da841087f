package e2e

import (
	"encoding/json"
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

	readers := []struct {
		name, token string
		status      int
	}{
		{"a stranger", "", http.StatusUnauthorized},
		{"who may read events", mint("--scope", "events:read"), http.StatusForbidden},
		{"an auditor of a tenant", mint("--scope", "audit:read", "--tenant", "demo"), http.StatusForbidden},
		{"an auditor", mint("--scope", "audit:read"), http.StatusOK},
	}
	var tokens []string
	for _, r := range readers {
		tokens = append(tokens, r.token)
	}
	var page struct {
		Sealed string
		Seen   []struct {
			Shown   string
			Answers []int
		}
		Outside []string
	}
	text, err := json.Marshal(tokens)
	require.NoError(t, err)
	ui.run(t, &page, "codec.mjs", p.UI, pictures(t), workflow, p.Gateway+"/codec", string(text))
	require.NotContains(t, page.Sealed, "Matilda")
	require.Empty(t, page.Outside)
	require.Len(t, page.Seen, len(readers))
	for i, seen := range page.Seen {
		require.Equal(t, []int{readers[i].status}, slices.Compact(seen.Answers), readers[i].name)
		require.Equal(t, readers[i].status == http.StatusOK, strings.Contains(seen.Shown, "Waltzing Matilda"), seen.Shown)
	}
}
