package e2e

import (
	"html"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/npmtest"
)

// owners are endpoints whose owners have copied the code from the portal's page, by language: how
// it is made to listen at an address, and how it is run in a folder with what it needs.
var owners = map[string]func(t *testing.T, code, dir, listen string) *exec.Cmd{
	"node":   nodeOwner,
	"python": pythonOwner,
	"go":     goOwner,
	"php":    phpOwner,
}

// TestPortalCodeVerifies runs the code that the portal shows as it stands there, but for the
// address it listens at: it takes what Hookloop signed and refuses what was changed.
func TestPortalCodeVerifies(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../gateway/portal/templates/verify.html")
	require.NoError(t, err)
	shown := regexp.MustCompile(`(?s)<pre class="code" tabindex="0" aria-labelledby="(\w+)">(.*?)</pre>`).FindAllStringSubmatch(string(page), -1)
	require.Len(t, shown, len(owners))
	a := app{start(t, filepath.Join(t.TempDir(), "data"))}
	for _, one := range shown {
		language, code := one[1], html.UnescapeString(one[2])
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			listen := freeAddress(t)
			url := "http://" + listen + "/hooks"
			e := a.createEndpoint(t, `{"url":"`+url+`","event_types":["order.`+language+`"],"schedule":["0s"]}`)
			run := owners[language](t, code, t.TempDir(), listen)
			said := &output{}
			run.Stdout, run.Stderr, run.Env = said, said, append(os.Environ(), "WEBHOOK_SECRET="+e.Secret, "PYTHONUNBUFFERED=1")
			require.NoError(t, run.Start())
			t.Cleanup(func() { _ = run.Process.Kill(); _ = run.Wait() })
			eventually(t, language+" listens", func() bool {
				conn, err := net.Dial("tcp", listen)
				if err == nil {
					_ = conn.Close()
				}
				return err == nil
			})

			sent := a.post(t, `{"type":"order.`+language+`","data":{"note":"grüße, 12345678901234567890.10"}}`)
			require.Equal(t, "delivered", a.ended(t, sent.ID).Status, said.String())
			eventually(t, "it says which", func() bool { return strings.Contains(said.String(), sent.ID) })

			forged, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(`{"type":"order.paid"}`))
			require.NoError(t, err)
			forged.Header.Set("Content-Type", "application/json")
			forged.Header.Set("webhook-id", sent.ID)
			forged.Header.Set("webhook-timestamp", "1764340000")
			forged.Header.Set("webhook-signature", "v1,AAAA")
			for range 2 { // without its headers, too
				resp, err := appClient.Do(forged)
				require.NoError(t, err)
				_ = resp.Body.Close()
				require.Equal(t, http.StatusUnauthorized, resp.StatusCode, said.String())
				forged.Body, forged.Header = http.NoBody, http.Header{"Content-Type": {"application/json"}}
				forged.ContentLength = 0
			}
		})
	}
}

// listening puts an address where the code has its own.
func listening(t *testing.T, code, own, listen string) string {
	t.Helper()
	require.Equal(t, 1, strings.Count(code, own))
	return strings.Replace(code, own, listen, 1)
}

func nodeOwner(t *testing.T, code, _, listen string) *exec.Cmd {
	t.Helper()
	_, port, err := net.SplitHostPort(listen)
	require.NoError(t, err)
	main := filepath.Join(npmtest.Install(t, "owners/node"), "main-"+port+".mjs") // beside what it imports
	write(t, main, listening(t, code, "app.listen(3000)", "app.listen("+port+`, "127.0.0.1")`))
	t.Cleanup(func() { _ = os.Remove(main) })
	return exec.CommandContext(t.Context(), "node", main)
}

func goOwner(t *testing.T, code, dir, listen string) *exec.Cmd {
	t.Helper()
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join("owners", "go", name))
		require.NoError(t, err)
		write(t, filepath.Join(dir, name), string(content))
	}
	write(t, filepath.Join(dir, "main.go"), listening(t, code, `":3000"`, `"`+listen+`"`))
	build := exec.CommandContext(t.Context(), "go", "build", "-o", "owner", ".")
	build.Dir = dir
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return exec.CommandContext(t.Context(), filepath.Join(dir, "owner"))
}

func pythonOwner(t *testing.T, code, dir, listen string) *exec.Cmd {
	t.Helper()
	python := interpreter(t, "python3")
	if exec.CommandContext(t.Context(), python, "-c", "import flask, standardwebhooks").Run() != nil {
		install := exec.CommandContext(t.Context(), python, "-m", "pip", "install", "--quiet", "--retries", "0", "--target", dir, "standardwebhooks", "flask")
		if out, err := install.CombinedOutput(); err != nil {
			t.Skipf("NOT TESTED: the portal's Python needs flask and standardwebhooks: %s", out)
		}
	}
	write(t, filepath.Join(dir, "main.py"), code)
	host, port, err := net.SplitHostPort(listen)
	require.NoError(t, err)
	run := exec.CommandContext(t.Context(), python, "-m", "flask", "--app", "main", "run", "--host", host, "--port", port)
	run.Dir = dir
	return run
}

func phpOwner(t *testing.T, code, dir, listen string) *exec.Cmd {
	t.Helper()
	php := interpreter(t, "php")
	if vendor := os.Getenv("HOOKLOOP_PHP_VENDOR"); vendor != "" { // a folder of packages that is there already
		require.NoError(t, os.Symlink(vendor, filepath.Join(dir, "vendor")))
	} else {
		install := exec.CommandContext(t.Context(), interpreter(t, "composer"), "--no-interaction", "--quiet", "require", "standard-webhooks/standard-webhooks")
		install.Dir = dir
		if out, err := install.CombinedOutput(); err != nil {
			t.Skipf("NOT TESTED: the portal's PHP needs standard-webhooks/standard-webhooks: %s", out)
		}
	}
	write(t, filepath.Join(dir, "hooks.php"), code)
	run := exec.CommandContext(t.Context(), php, "-S", listen, "hooks.php")
	run.Dir = dir
	return run
}

func interpreter(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("NOT TESTED: the portal's code needs %s", name)
	}
	return path
}

func write(t *testing.T, path, content string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
}
