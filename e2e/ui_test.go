package e2e

import (
	"encoding/json"
	"flag"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
	"hookloop/internal/npmtest"
)

// TestUIShowsSearchAttributes looks at the Temporal UI in a browser that has never seen it: the
// search attributes are columns, a delivery reads well, and nothing is asked of the outside.
func TestUIShowsSearchAttributes(t *testing.T) {
	t.Parallel()
	ui := operator{browser: findBrowser(t), dir: npmtest.Install(t, "browser")}
	p := start(t, filepath.Join(t.TempDir(), "data"))
	s, e := app{p}.listen(t, endpointtest.Config{Script: "503"}, `,"schedule":["0s","24h"]`)
	app{p}.post(t, `{"type":"contact.updated","data":{"id":1}}`)
	receipts(t, s, 1)

	var seen struct {
		Columns, Row, Outside []string
		Metadata              string
	}
	ui.run(t, &seen, "workflows.mjs", p.UI, pictures(t))
	require.Subset(t, seen.Columns, []string{"Tenant", "EventType", "Endpoint", "Outcome"})
	require.Subset(t, seen.Row, []string{"demo", "contact.updated", e.ID, "retrying"})
	require.Contains(t, seen.Metadata, "contact.updated → "+e.ID, "the summary")
	require.Contains(t, seen.Metadata, "HTTP 503", "the attempt")
	require.Contains(t, seen.Metadata, "next: attempt 2 of 2", "what comes next")
	require.Empty(t, seen.Outside)
}

// operator works in a browser.
type operator struct{ browser, dir string }

// run gives a script the browser before its other arguments, and reads what it saw.
func (o operator) run(t *testing.T, seen any, script string, args ...string) {
	t.Helper()
	look := exec.CommandContext(t.Context(), "node", append([]string{script, o.browser}, args...)...)
	look.Dir = o.dir
	look.Stderr = t.Output()
	out, err := look.Output()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(out, seen))
}

// pictures is where a browser's screenshots go, with -artifacts; else they are not taken.
func pictures(t *testing.T) string {
	t.Helper()
	if flag.Lookup("test.artifacts").Value.String() != "true" {
		return ""
	}
	return t.ArtifactDir()
}

func findBrowser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("NOT TESTED: the Temporal UI needs a chromium")
	return ""
}
