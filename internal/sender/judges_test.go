package sender_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
	"hookloop/internal/sender"
	"hookloop/internal/signature"
)

const judges = "../../e2e/judges"

type judged struct {
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	Secret  string            `json:"secret"`
}

// The libraries endpoints use verify what an endpoint received.
func TestJudges(t *testing.T) {
	t.Parallel()
	dir := installJudges(t)
	srv := endpointtest.Start(t, endpointtest.Config{})
	s := newSender(t, sender.Config{})
	d := delivery(srv.URL)
	d.Data = []byte(`{"name":"Zoë ✔","price":1.10,"id":12345678901234567890}`)
	old, fresh, stranger := d.Endpoint.Secrets[0].Secret, signature.NewSecret(), signature.NewSecret()
	_, err := s.Send(t.Context(), d, 1)
	require.NoError(t, err)
	d.Endpoint.Rotate(fresh, time.Now(), time.Hour)
	_, err = s.Send(t.Context(), d, 2)
	require.NoError(t, err)

	got := srv.MustWait(t, 2)
	plain, rotating := got[0], got[1]
	tampered := rotating
	tampered.Body = bytes.Replace(rotating.Body, []byte("1.10"), []byte("9.10"), 1)
	renamed := rotating
	renamed.Header = rotating.Header.Clone()
	renamed.Header.Set(signature.HeaderID, "evt_2")

	for i, verdicts := range ask(t, dir, []judged{
		caseOf(plain, old), caseOf(rotating, old), caseOf(rotating, fresh),
		caseOf(plain, fresh), caseOf(rotating, stranger), caseOf(tampered, fresh), caseOf(renamed, fresh),
	}) {
		require.Len(t, verdicts, 2)
		for library, verdict := range verdicts {
			if i < 3 {
				require.Equal(t, "ok", verdict, "case %d: %s", i, library)
			} else {
				require.Contains(t, verdict, "No matching signature", "case %d: %s", i, library)
			}
		}
	}
}

func caseOf(r endpointtest.Receipt, s signature.Secret) judged {
	return judged{Headers: flat(r.Header), Body: string(r.Body), Secret: s.Reveal()}
}

func flat(h http.Header) map[string]string {
	one := map[string]string{}
	for name := range h {
		one[strings.ToLower(name)] = h.Get(name)
	}
	return one
}

func ask(t *testing.T, dir string, cases []judged) (verdicts []map[string]string) {
	t.Helper()
	in, err := json.Marshal(cases)
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), "node", "verify.mjs")
	cmd.Dir = dir
	cmd.Stdin = bytes.NewReader(in)
	cmd.Stderr = t.Output()
	out, err := cmd.Output()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(out, &verdicts))
	require.Len(t, verdicts, len(cases))
	return verdicts
}

// installJudges gives a folder with verify.mjs beside its node_modules: e2e/judges when somebody
// installed there, else one in the user's cache, kept for as long as the lock file stays the same.
func installJudges(t *testing.T) string {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("NOT JUDGED: the npm libraries need %s: %v", tool, err)
		}
	}
	if _, err := os.Stat(filepath.Join(judges, "node_modules")); err == nil {
		return judges
	}
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	sum := sha256.New()
	files := map[string][]byte{}
	for _, name := range []string{"package.json", "package-lock.json", "verify.mjs"} {
		files[name], err = os.ReadFile(filepath.Join(judges, name))
		require.NoError(t, err)
		_, _ = sum.Write(files[name])
	}
	dir := filepath.Join(cache, "hookloop", "judges-"+hex.EncodeToString(sum.Sum(nil))[:12])
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	install(t, dir, files)
	return dir
}

// install fills a folder beside dir and moves it in place whole, so that an interrupted or a second
// installation leaves nothing half done.
func install(t *testing.T, dir string, files map[string][]byte) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(dir), 0o755))
	partial, err := os.MkdirTemp(filepath.Dir(dir), "partial-")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(partial) })
	for name, content := range files {
		require.NoError(t, os.WriteFile(filepath.Join(partial, name), content, 0o600))
	}
	cmd := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = partial
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "npm ci: %s", out)
	if err := os.Rename(partial, dir); err != nil {
		require.DirExists(t, dir, "neither installed nor by somebody else: %v", err)
	}
}
