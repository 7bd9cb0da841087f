package e2e

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/npmtest"
)

// TestConsoleDecides uses the console in a browser, from the link that signs in to the released
// deliveries; on the way each page is looked at.
func TestConsoleDecides(t *testing.T) {
	t.Parallel()
	operator := operator{browser: findBrowser(t), dir: npmtest.Install(t, "browser")}
	data := filepath.Join(t.TempDir(), "data")
	a := app{start(t, data)}
	s, e, ids := a.broken(t)

	var seen struct {
		Found, Wide, Outside, Errors []string
		Said                         string
	}
	operator.run(t, &seen, "console.mjs", consoleLink(t, data), pictures(t), ids[0])
	require.Contains(t, seen.Said, "Approved")
	require.Empty(t, seen.Found, "what a screen reader or a keyboard would stumble over")
	require.Empty(t, seen.Wide, "what does not fit a phone")
	require.Empty(t, seen.Outside)
	require.Empty(t, seen.Errors, "the policy refuses nothing that the pages need")

	r := a.letGo(t, s, e.ID, ids)
	require.Equal(t, "their firewall is mended", r.Decision.Reason)
	require.NotEmpty(t, r.Decision.By, "who is signed in")
}

// consoleLink signs a browser in.
func consoleLink(t *testing.T, data string) string {
	t.Helper()
	stdout, stderr, code := hookloop(t, "console", "--data", data, "--json")
	require.Zero(t, code, stderr)
	var link struct{ URL string }
	require.NoError(t, json.Unmarshal([]byte(stdout), &link))
	return link.URL
}

// TestPanelDecides approves from the panel on the Approval's page in the Temporal UI.
func TestPanelDecides(t *testing.T) {
	t.Parallel()
	operator := operator{browser: findBrowser(t), dir: npmtest.Install(t, "browser")}
	data := filepath.Join(t.TempDir(), "data")
	a := app{start(t, data)}
	s, e, ids := a.broken(t)
	var seen struct {
		Asked, Said string
		Outside     []string
	}
	operator.run(t, &seen, "panel.mjs", consoleLink(t, data), a.p.UI, pictures(t), e.ID)
	require.Contains(t, seen.Asked, "It waits for your decision")
	require.Contains(t, seen.Asked, "HTTP 503")
	require.Contains(t, seen.Said, "Approved")
	require.Empty(t, seen.Outside)
	r := a.letGo(t, s, e.ID, ids)
	require.Equal(t, "mended, says the panel", r.Decision.Reason)
	require.NotEmpty(t, r.Decision.By, "who is signed in")
}
