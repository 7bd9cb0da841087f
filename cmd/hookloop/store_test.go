package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"hookloop/internal/config"
)

// counting is a Temporal that has so many workflows under way.
type counting struct {
	client.Client

	running int64
	err     error
}

func (c counting) CountWorkflow(context.Context, *workflowservice.CountWorkflowExecutionsRequest) (*workflowservice.CountWorkflowExecutionsResponse, error) {
	return &workflowservice.CountWorkflowExecutionsResponse{Count: c.running}, c.err
}

// TestALostRegistryStopsTheStart: an empty one in its place would end every delivery that waits.
func TestALostRegistryStopsTheStart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "registry.db")
	cfg := config.Service{Registry: path}
	require.ErrorContains(t, checkRegistryFile(t.Context(), cfg, counting{running: 1}), path+" is missing, but Temporal holds events")
	require.NoError(t, checkRegistryFile(t.Context(), cfg, counting{}), "nothing waits: a first start")
	away := errors.New("Temporal is away")
	require.ErrorIs(t, checkRegistryFile(t.Context(), cfg, counting{err: away}), away)
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	require.NoError(t, checkRegistryFile(t.Context(), cfg, counting{running: 1}))
	require.NoError(t, checkRegistryFile(t.Context(), config.Service{Registry: "postgres://h/db"}, counting{running: 1}))
}
