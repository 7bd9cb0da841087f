package postgres_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/registry/postgres"
	"hookloop/internal/registry/registrytest"
	"hookloop/internal/webhook"
)

// TestTheChangeLogIsOnlyAddedTo: even by SQL that is written into our database.
func TestTheChangeLogIsOnlyAddedTo(t *testing.T) {
	t.Parallel()
	d := migratedDatabase(t)
	r := d.Open(t, registrytest.NewSealer(t))
	defer func() { require.NoError(t, r.Close()) }()
	require.NoError(t, r.CreateEndpoint(t.Context(), registrytest.NewEndpoint("ep_1")))
	for _, statement := range []string{"UPDATE change_log SET actor = 'mallory'", "DELETE FROM change_log", "TRUNCATE change_log"} {
		_, err := d.connect(t).ExecContext(t.Context(), statement)
		require.ErrorContains(t, err, "the change log is only added to")
	}
}

// TestChangesHaveTheirIndex asks PostgreSQL how it finds the lines of each question in a large log.
func TestChangesHaveTheirIndex(t *testing.T) {
	t.Parallel()
	d := migratedDatabase(t)
	d.exec(t, `INSERT INTO change_log SELECT 'tenant' || n % 5, n, 'kind' || n % 997, 'actor' || n % 991, 'api', 'evt_' || n, 'ep_' || n % 983, 'src_' || n % 977,
		0, '', 'held' || n % 997, '', '', '' FROM generate_series(1, 50000) n`)
	d.exec(t, `VACUUM ANALYZE change_log`)
	for index, q := range map[string]webhook.AuditQuery{
		"change_log_pkey":        {After: time.UnixMicro(5), Before: time.UnixMicro(900)},
		"change_log_by_event":    {EventID: "evt_1"},
		"change_log_by_endpoint": {EndpointID: "ep_1"},
		"change_log_by_source":   {SourceID: "src_1"},
		"change_log_by_actor":    {Actor: "actor7"},
		"change_log_by_status":   {Status: "held7"},
		"change_log_by_kind":     {Kind: "kind7"},
	} {
		statement, args := postgres.ChangesQuery("tenant1", q, time.UnixMicro(1), 10)
		steps := strings.Join(query(t, d.connect(t), "EXPLAIN (COSTS OFF) "+statement, args...), "\n")
		require.Contains(t, steps, index)
		require.NotContains(t, steps, "Seq Scan")
	}
}
