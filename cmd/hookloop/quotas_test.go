package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/keyring"
	"hookloop/internal/webhook"
)

// TestQuotasStandInTheChangeLog: those of a tenant, those that were taken back, and the default's.
func TestQuotasStandInTheChangeLog(t *testing.T) {
	t.Parallel()
	key, err := keyring.New()
	require.NoError(t, err)
	s, err := openStore(t.Context(), filepath.Join(t.TempDir(), "registry.db"), key)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	path := filepath.Join(t.TempDir(), "quotas.json")
	start := func(text string) {
		t.Helper()
		at := ""
		if text != "" {
			at = path
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		}
		require.NoError(t, recordQuotas(t.Context(), s, at))
	}
	lines := func(tenant string) (all []webhook.AuditLine) {
		all, err := s.Changes(t.Context(), tenant, webhook.AuditQuery{Kind: webhook.AuditQuotasChanged}, time.Time{}, 100)
		require.NoError(t, err)
		return all
	}
	start("")
	require.Empty(t, lines(webhook.EveryTenant), "without a file there is nothing to say")
	for range 2 { // a restart changes nothing
		start(`{"default":{"endpoints":50},"tenants":{"acme":{"endpoints":5}}}`)
	}
	require.Len(t, lines("acme"), 1)
	require.Len(t, lines(webhook.EveryTenant), 1)
	require.Contains(t, lines(webhook.EveryTenant)[0].Changes[0].To, `"endpoints":50`)

	start(`{"default":{"endpoints":60}}`)
	require.Len(t, lines("acme"), 2)
	require.Empty(t, lines("acme")[1].Changes[0].To, "it has none of its own any more")
	last := lines(webhook.EveryTenant)[1]
	require.Contains(t, last.Changes[0].To, `"endpoints":60`)
	require.Equal(t, webhook.AuditChange{Field: "tenants", From: "acme"}, last.Changes[1])
	start("")
	require.Len(t, lines(webhook.EveryTenant), 3, "without the file the usual ones hold again")
	require.Len(t, lines("acme"), 2)
}
