package sqlite_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/registry"
	"hookloop/internal/webhook"
)

// TestLedgerOfTenants: each tenant's changes have an order of their own, and what lies too many of them back is
// forgotten; another tenant's changes do neither.
func TestLedgerOfTenants(t *testing.T) {
	t.Parallel()
	r, f := newRegistry(t)
	now := time.Now()
	mark := func(tenant, value string) webhook.Mark {
		return webhook.Mark{Tenant: tenant, Application: "crm", Key: "7", Hash: value}
	}
	for n := range int64(3) {
		for _, tenant := range []string{"acme", "other"} {
			ruling, err := r.Rule(t.Context(), webhook.Report{Mark: mark(tenant, string(rune('a'+n))), EventID: "evt_" + string(rune('a'+n))}, now)
			require.NoError(t, err)
			require.Equal(t, n+1, ruling.Order)
		}
	}
	write := func(tenant, event string) {
		t.Helper()
		require.NoError(t, r.Remember(t.Context(), webhook.Write{Mark: mark(tenant, event), EventID: event, EndpointID: "ep_1"}, now))
	}
	write("acme", "evt_1")
	write("other", "evt_2")
	db := f.database(t)
	_, err := db.ExecContext(t.Context(), "UPDATE ledger_orders SET n = ? WHERE tenant = 'acme'", registry.MaxLedger+100)
	require.NoError(t, err)
	write("acme", "evt_3")
	write("other", "evt_4")
	var left string
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT group_concat(event_id) FROM (SELECT event_id FROM ledger_writes ORDER BY event_id)").Scan(&left))
	require.Equal(t, "evt_2,evt_3,evt_4", left)
}
