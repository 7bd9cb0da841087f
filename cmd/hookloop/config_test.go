package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCheckReadsTheQuotas: what would stop a gateway at its start is found by the check before it.
// Not parallel: the environment is the process's.
func TestCheckReadsTheQuotas(t *testing.T) {
	file := filepath.Join(t.TempDir(), "quotas.json")
	for name, value := range map[string]string{
		"HOOKLOOP_REGISTRY": "r.db", "HOOKLOOP_REGISTRY_KEY_FILE": "r.key", "HOOKLOOP_JWT_SECRET": "0123456789abcdef0123456789abcdef",
		"HOOKLOOP_QUOTAS_FILE": file,
	} {
		t.Setenv(name, value)
	}
	require.ErrorContains(t, checkRole("serve"), "HOOKLOOP_QUOTAS_FILE: open ")
	require.NoError(t, checkRole("worker"), "it asks nothing of tenants")
	require.NoError(t, os.WriteFile(file, []byte(`{"default":{"endpoints":"many"}}`), 0o600))
	require.ErrorContains(t, checkRole("gateway"), "HOOKLOOP_QUOTAS_FILE: quotas: ")
	require.NoError(t, os.WriteFile(file, []byte(`{}`), 0o600))
	require.NoError(t, checkRole("serve"))
}
