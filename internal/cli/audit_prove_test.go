package cli

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/chain"
	"hookloop/internal/devdir"
)

// TestAuditExportCanBeProven writes a folder page by page, goes on where it stopped, and finds what
// was changed.
func TestAuditExportCanBeProven(t *testing.T) {
	t.Parallel()
	const one = `{"data":[{"at":"2026-02-03T12:00:00Z","kind":"accepted"},{"at":"2026-02-03T12:00:01Z","kind":"attempt"}],"next_cursor":"two"}`
	g := newStandIn(t, map[string][]canned{"GET /v1/tenants/demo/audit": {{body: one}, {status: 503, body: `{"code":"unavailable","detail":"away"}`}}})
	text, err := chain.NewKey()
	require.NoError(t, err)
	key, err := chain.ParseKey(text)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(g.data, "audit.key"), text, 0o600))
	dir := filepath.Join(t.TempDir(), "january")

	r := g.run(t, "audit", "export", "--after", "24h", "--out", dir)
	require.Equal(t, 1, r.code)
	first := g.requests[0].uri
	require.Contains(t, first, "before=", "the end is that of its beginning")
	g.set("GET /v1/tenants/demo/audit", canned{body: `{"data":[{"at":"2026-02-03T11:00:00Z","kind":"approve"}],"next_cursor":null}`})
	r = g.run(t, "audit", "export", "--after", "24h", "--out", dir)
	require.Zero(t, r.code, r.stderr)
	require.Contains(t, r.stdout, "3 records in ")
	require.Equal(t, first+"&cursor=two", g.last(t).uri, "it goes on where it stopped, with the same period")

	verify := func(public string) result { return hookloop(t, "audit", "verify", dir, "--public-key", public) }
	r = verify(chain.PublicText(key))
	require.Zero(t, r.code, r.stderr)
	require.Contains(t, r.stdout, "3 records whole, head ")
	records := filepath.Join(dir, "records-0000000001.jsonl")
	raw, err := os.ReadFile(records)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(records, []byte(strings.Replace(string(raw), "attempt", "nothing", 1)), 0o600))
	r = verify(chain.PublicText(key))
	require.Equal(t, 1, r.code)
	require.Contains(t, r.stdout, "record 2 was changed")
	require.Equal(t, 2, hookloop(t, "audit", "verify", dir).code)
	require.Equal(t, 1, verify("not a key").code)
}

// TestAnExportTakesNoMoreMemoryForMoreEvents: 100,000 lines pass through the memory of one page. It
// measures what lives, and so runs alone.
func TestAnExportTakesNoMoreMemoryForMoreEvents(t *testing.T) { //nolint:paralleltest // see above
	const lines, onPage = 100_000, 500
	var most uint64
	pages := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if pages++; pages%50 == 2 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
			if pages == 2 {
				t.Logf("%d KiB live after one page", m.HeapAlloc>>10)
			}
		}
		next := fmt.Sprintf(`"after page %d"`, pages)
		if pages*onPage >= lines {
			next = "null"
		}
		line := `{"at":"2026-02-03T12:00:00Z","kind":"accepted","event_id":"evt_` + strings.Repeat("a", 26) + `","detail":"` + strings.Repeat("x", 200) + `"}`
		fmt.Fprintf(w, `{"data":[%s],"next_cursor":%s}`, strings.TrimSuffix(strings.Repeat(line+",", onPage), ","), next)
	}))
	defer srv.Close()
	data, dir := t.TempDir(), filepath.Join(t.TempDir(), "all")
	require.NoError(t, devdir.Running{Gateway: srv.URL, Tenant: "demo", Token: standInToken}.Write(data))
	text, err := chain.NewKey()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(data, "audit.key"), text, 0o600))
	r := hookloop(t, "audit", "export", "--data-dir="+data, "--after", "24h", "--out", dir)
	require.Zero(t, r.code, r.stderr)
	require.Contains(t, r.stdout, "100000 records in ")
	t.Logf("%d KiB live at most, of %d pages", most>>10, pages)
	require.Less(t, most, uint64(24<<20), "the lines are 30 MB")
}
