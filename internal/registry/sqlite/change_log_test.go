package sqlite_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/registry/registrytest"
	"hookloop/internal/registry/sqlite"
	"hookloop/internal/webhook"
)

// TestTheChangeLogIsOnlyAddedTo: even by SQL that is written into our file.
func TestTheChangeLogIsOnlyAddedTo(t *testing.T) {
	t.Parallel()
	r, f := newRegistry(t)
	require.NoError(t, r.CreateEndpoint(t.Context(), registrytest.NewEndpoint("ep_1")))
	for _, statement := range []string{"UPDATE change_log SET actor = 'mallory'", "DELETE FROM change_log"} {
		_, err := f.database(t).ExecContext(t.Context(), statement)
		require.ErrorContains(t, err, "the change log is only added to")
	}
}

// TestChangesHaveTheirIndex asks SQLite how it finds the lines of each question.
func TestChangesHaveTheirIndex(t *testing.T) {
	t.Parallel()
	_, f := newRegistry(t)
	for index, q := range map[string]webhook.AuditQuery{
		"sqlite_autoindex_change_log_1": {After: time.Unix(1, 0), Before: time.Unix(2, 0)},
		"change_log_by_event":           {EventID: "evt_1"},
		"change_log_by_endpoint":        {EndpointID: "ep_1"},
		"change_log_by_source":          {SourceID: "src_1"},
		"change_log_by_actor":           {Actor: "jane"},
		"change_log_by_status":          {Status: "held"},
		"change_log_by_kind":            {Kind: webhook.AuditSecretRead},
	} {
		statement, args := sqlite.ChangesQuery("acme", q, time.Unix(1, 0), 10)
		steps := strings.Join(explain(t, f, statement, args...), "\n")
		require.Contains(t, steps, index)
		require.NotContains(t, steps, "TEMP B-TREE", "the index has the order, too")
	}
}
