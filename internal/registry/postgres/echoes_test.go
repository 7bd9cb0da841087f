package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/echo"
	"hookloop/internal/registry/postgres"
)

// deleteExpired makes a write that deletes what has expired.
func deleteExpired(t *testing.T, r *postgres.Registry, now time.Time) {
	t.Helper()
	r.DeleteExpiredNext(echo.MaxWrites)
	_, err := r.BindOnce(t.Context(), "src_1", "kept", "a", now.Add(time.Hour), now)
	require.NoError(t, err)
}

// TestExpiredIsDeleted by the way, unasked.
func TestExpiredIsDeleted(t *testing.T) {
	t.Parallel()
	r, _ := newRegistry(t)
	now := time.Now()
	claim := func(name string, at time.Time) {
		t.Helper()
		_, err := r.BindOnce(t.Context(), "src_1", name, "a", at.Add(time.Hour), at)
		require.NoError(t, err)
	}
	claim("old", now.Add(-time.Hour))
	for range 100 {
		claim("new", now)
	}
	require.Equal(t, []string{"1"}, query(t, r.DB(), "SELECT count(*) FROM bindings"))
}

// TestDeleteExpired: what has expired goes, little by little, and what has not stays.
func TestDeleteExpired(t *testing.T) {
	t.Parallel()
	r, d := newRegistry(t)
	now := time.Now()
	for table, insert := range map[string]string{
		"echo_writes":  `INSERT INTO echo_writes SELECT 'acme', 'crm', 'k', 'h', n::text, '', 0, 0, 0, $1::bigint + n FROM generate_series(1, 1500) n`,
		"echo_objects": `INSERT INTO echo_objects SELECT 'acme', 'crm', n::text::bytea, '', '', '', 0, 0, '', $1::bigint + n FROM generate_series(1, 1500) n`,
		"bindings":     `INSERT INTO bindings SELECT 'src_1', n::text::bytea, '', $1::bigint + n FROM generate_series(1, 1500) n`,
	} {
		_, err := r.DB().ExecContext(t.Context(), "DELETE FROM "+table)
		require.NoError(t, err)
		d.exec(t, insert, now.UnixMicro())
		count := func() string {
			return query(t, r.DB(), "SELECT count(*) FROM "+table+" WHERE expires_at < $1", now.Add(time.Minute).UnixMicro())[0]
		}
		deleteExpired(t, r, now.Add(400*time.Microsecond))
		require.Equal(t, "1100", count())
		deleteExpired(t, r, now.Add(time.Second))
		require.Equal(t, "100", count())
		deleteExpired(t, r, now.Add(time.Second))
		require.Equal(t, "0", count())
	}
	require.Equal(t, []string{"1"}, query(t, r.DB(), "SELECT count(*) FROM bindings"))
}

// TestDeleteOutdated: of any age, what a tenant has beyond the latest goes; another tenant has its
// own.
func TestDeleteOutdated(t *testing.T) {
	t.Parallel()
	r, _ := newRegistry(t)
	now := time.Now()
	write := func(tenant, event string) {
		t.Helper()
		require.NoError(t, r.Remember(t.Context(), echo.Write{
			Value:   echo.Value{Tenant: tenant, Application: "crm", Key: "7", Hash: "blue"},
			EventID: event, EndpointID: "ep_1",
		}, now))
	}
	r.DeleteExpiredNext(echo.MaxWrites)
	write("acme", "evt_1")
	write("other", "evt_9")
	write("acme", "evt_2")
	write("acme", "evt_3")
	r.DeleteExpiredNext(2)
	write("acme", "evt_4") // deletes first
	r.DeleteExpiredNext(2)
	write("other", "evt_5")
	require.Equal(t, []string{"evt_2", "evt_3", "evt_4", "evt_5", "evt_9"}, query(t, r.DB(), "SELECT event_id FROM echo_writes ORDER BY event_id"))
}

// TestExpiredCountsForNothing also where it has not been deleted yet.
func TestExpiredCountsForNothing(t *testing.T) {
	t.Parallel()
	r, _ := newRegistry(t)
	now := time.Now()
	deleteExpired(t, r, now) // the next deletion is far away
	m := echo.Value{Tenant: "acme", Application: "crm", Key: "7", Hash: "blue"}
	w := echo.Write{Value: m, EventID: "evt_1", EndpointID: "ep_1"}
	require.NoError(t, r.Remember(t.Context(), w, now))
	ruling, err := r.Rule(t.Context(), echo.Report{Value: echo.Value{Tenant: "acme", Application: "crm", Key: "7", Hash: "red"}, EventID: "evt_2"}, now)
	require.NoError(t, err)
	require.Empty(t, ruling.EchoOf)

	later := now.Add(echo.TTL)
	require.NoError(t, r.Remember(t.Context(), w, later), "the old place of it is forgotten")
	ruling, err = r.Rule(t.Context(), echo.Report{Value: m, EventID: "evt_3"}, later)
	require.NoError(t, err)
	require.Equal(t, "evt_1", ruling.EchoOf)
	require.Empty(t, ruling.Newer)
}
