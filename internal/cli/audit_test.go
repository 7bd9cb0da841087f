package cli

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAuditExport(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, map[string][]canned{"GET /v1/tenants/demo/audit": {
		{body: `{"data":[{"at":"2026-02-03T12:00:00.2Z","kind":"attempt"},
			{"at":"2026-02-03T12:00:00.15Z", "kind":"accepted","new":"to this CLI"}],"next_cursor":"two"}`},
		{body: `{"data":[{"at":"2026-02-03T11:00:00Z","kind":"approve","actor":"Ann"},{"at":"2026-02-03T12:00:00.2Z","kind":"attempt"}],"encrypted":true,"next_cursor":null}`},
	}})
	r := g.run(t, "audit", "export", "--after", "2026-02-03T12:00:00+01:00", "--before", "24h")
	require.Equal(t, `{"at":"2026-02-03T11:00:00Z","kind":"approve","actor":"Ann"}
{"at":"2026-02-03T12:00:00.15Z","kind":"accepted","new":"to this CLI"}
{"at":"2026-02-03T12:00:00.2Z","kind":"attempt"}
`, r.stdout)
	require.Zero(t, r.code)
	require.Contains(t, r.stderr, "encrypted")
	require.Len(t, g.requests, 2)
	require.Contains(t, g.requests[0].uri, "after=2026-02-03T11%3A00%3A00Z&before=2")
	require.NotContains(t, g.requests[0].uri, "cursor")
	require.Contains(t, g.requests[1].uri, "&cursor=two")
}

// TestAuditExportIsSafeToRead: what others wrote turns no terminal around, and is the same text to
// a program.
func TestAuditExportIsSafeToRead(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, map[string][]canned{"GET /v1/tenants/demo/audit": {
		{body: `{"data":[{"at":"2026-02-03T12:00:00Z","detail":"a\u0085b` + "\u009b31m \u202egnp.exe \u2066 Zoë" + `"}],"next_cursor":null}`},
	}})
	r := g.run(t, "audit", "export")
	require.Equal(t, `{"at":"2026-02-03T12:00:00Z","detail":"a\u0085b\u009b31m \u202egnp.exe \u2066 Zoë"}`+"\n", r.stdout)
}

func TestAuditExportRefuses(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, nil)
	r := g.run(t, "audit", "export", "--after", "yesterday")
	require.Equal(t, 2, r.code)
	require.Contains(t, r.stderr, "--after must be a time like")
	require.Empty(t, g.requests)
}
