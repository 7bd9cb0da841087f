package sqlite_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/echo"
)

// TestEchoesOfTenants: each tenant's changes have an order of their own, and what lies too many of
// them back is forgotten; another tenant's changes do neither.
func TestEchoesOfTenants(t *testing.T) {
	t.Parallel()
	r, f := newRegistry(t)
	now := time.Now()
	blue := func(tenant, value string) echo.Value {
		return echo.Value{Tenant: tenant, Application: "crm", Key: "7", Hash: value}
	}
	for n := range int64(3) {
		for _, tenant := range []string{"acme", "other"} {
			ruling, err := r.Rule(t.Context(), echo.Report{Value: blue(tenant, string(rune('a'+n))), EventID: "evt_" + string(rune('a'+n))}, now)
			require.NoError(t, err)
			require.Equal(t, n+1, ruling.Order)
		}
	}
	write := func(tenant, event string) {
		t.Helper()
		require.NoError(t, r.Remember(t.Context(), echo.Write{Value: blue(tenant, event), EventID: event, EndpointID: "ep_1"}, now))
	}
	write("acme", "evt_1")
	write("other", "evt_2")
	db := f.database(t)
	_, err := db.ExecContext(t.Context(), "UPDATE echo_orders SET n = $1 WHERE tenant = 'acme'", echo.MaxWrites+100)
	require.NoError(t, err)
	r.DeleteExpiredNext(echo.MaxWrites)
	write("acme", "evt_3")
	r.DeleteExpiredNext(echo.MaxWrites)
	write("other", "evt_4")
	var left string
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT group_concat(event_id) FROM (SELECT event_id FROM echo_writes ORDER BY event_id)").Scan(&left))
	require.Equal(t, "evt_2,evt_3,evt_4", left)
}
