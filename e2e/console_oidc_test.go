package e2e

import (
	"bufio"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/npmtest"
)

// TestConsoleSignsInAtAProvider signs a person in at a real OpenID Connect provider, in a browser.
func TestConsoleSignsInAtAProvider(t *testing.T) {
	t.Parallel()
	operator := operator{browser: findBrowser(t), dir: npmtest.Install(t, "browser")}
	listen := freeAddress(t)
	console := "http://" + listen
	issuer := startProvider(t, "-client", "console", "-secret", "a secret of theirs", "-redirect", console+"/console/oidc",
		"-scope", "events:read endpoints:read approvals:read")
	p := startIn(t, []string{
		"HOOKLOOP_CONSOLE_URL=" + console, "HOOKLOOP_OIDC_ISSUER=" + issuer,
		"HOOKLOOP_OIDC_CLIENT_ID=console", "HOOKLOOP_OIDC_CLIENT_SECRET=a secret of theirs",
		"HOOKLOOP_JWT_JWKS_URL=" + issuer + "/keys", "HOOKLOOP_JWT_ISSUER=" + issuer, "HOOKLOOP_JWT_AUDIENCE=console",
	}, filepath.Join(t.TempDir(), "data"), "--listen", listen)

	var seen struct {
		SignedIn, Who, Out, Again     string
		Found, Keeps, Outside, Errors []string
	}
	wanted := console + "/console/t/demo/endpoints"
	operator.run(t, &seen, "oidc.mjs", wanted, pictures(t))
	require.Equal(t, wanted, seen.SignedIn)
	require.Contains(t, seen.Who, "id2", "whom the provider says they are")
	require.Equal(t, []string{"hookloop_session true"}, seen.Keeps)
	require.Contains(t, seen.Out, "signed out here")
	require.Contains(t, seen.Again, "/console/sign-in?next=")
	require.Empty(t, seen.Found)
	require.Empty(t, seen.Outside)
	require.Empty(t, seen.Errors)
	require.NotContains(t, p.stderr.String(), "eyJ", "a token")
	require.NotContains(t, p.stderr.String(), "a secret of theirs")
}

// startProvider runs a provider until the test ends, and gives its issuer.
func startProvider(t *testing.T, args ...string) (issuer string) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "provider")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".")
	build.Dir = "provider"
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	run := exec.CommandContext(t.Context(), binary, args...)
	_, err = run.StdinPipe() // which ends with this process
	require.NoError(t, err)
	stdout, err := run.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, run.Start())
	t.Cleanup(func() { _ = run.Process.Kill(); _ = run.Wait() })
	issuer, err = bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSpace(issuer)
}
