package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/config"
	"hookloop/internal/orchestrator"
	"hookloop/internal/orchestrator/orchestratortest"
	"hookloop/workflows"
)

// counting counts in a Temporal that has an event under way, or none, or is away.
func counting(t *testing.T, running bool, away error) *orchestrator.Counts {
	t.Helper()
	s := orchestratortest.New()
	if s.Down = away; running {
		s.Put(&orchestratortest.Run{ID: "event/acme/evt_1", Type: workflows.TypeEvent})
	}
	o, err := orchestrator.New(orchestrator.Config{Client: s})
	require.NoError(t, err)
	return o.Counts()
}

// TestALostRegistryStopsTheStart: an empty one in its place would end every delivery that waits.
func TestALostRegistryStopsTheStart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "registry.db")
	cfg := config.Service{Registry: path}
	require.ErrorContains(t, checkRegistryFile(t.Context(), cfg, counting(t, true, nil)), path+" is missing, but Temporal holds events")
	require.NoError(t, checkRegistryFile(t.Context(), cfg, counting(t, false, nil)), "nothing waits: a first start")
	away := errors.New("Temporal is away")
	require.ErrorIs(t, checkRegistryFile(t.Context(), cfg, counting(t, false, away)), away)
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	require.NoError(t, checkRegistryFile(t.Context(), cfg, counting(t, true, nil)))
	require.NoError(t, checkRegistryFile(t.Context(), config.Service{Registry: "postgres://h/db"}, counting(t, true, nil)))
}
