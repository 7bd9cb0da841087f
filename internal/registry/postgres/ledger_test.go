package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/registry/postgres"
	"hookloop/internal/webhook"
)

// sweep makes a write that sweeps.
func sweep(t *testing.T, r *postgres.Registry, now time.Time) {
	t.Helper()
	r.SweepNext()
	_, err := r.Claim(t.Context(), "src_1", "kept", "a", now.Add(time.Hour), now)
	require.NoError(t, err)
}

// TestSweepComes: nobody has to ask for it.
func TestSweepComes(t *testing.T) {
	t.Parallel()
	r, _ := newRegistry(t)
	now := time.Now()
	claim := func(name string, at time.Time) {
		t.Helper()
		_, err := r.Claim(t.Context(), "src_1", name, "a", at.Add(time.Hour), at)
		require.NoError(t, err)
	}
	claim("old", now.Add(-time.Hour))
	for range 100 {
		claim("new", now)
	}
	require.Equal(t, []string{"1"}, query(t, r.DB(), "SELECT count(*) FROM claims"))
}

// TestSweep: what has expired goes, little by little, and what has not stays.
func TestSweep(t *testing.T) {
	t.Parallel()
	r, d := newRegistry(t)
	now := time.Now()
	for table, insert := range map[string]string{
		"ledger_writes":  `INSERT INTO ledger_writes SELECT 'acme', 'crm', 'k', 'h', n::text, '', 0, 0, 0, $1::bigint + n FROM generate_series(1, 1500) n`,
		"ledger_objects": `INSERT INTO ledger_objects SELECT 'acme', 'crm', n::text::bytea, '', '', '', 0, 0, '', $1::bigint + n FROM generate_series(1, 1500) n`,
		"claims":         `INSERT INTO claims SELECT 'src_1', n::text::bytea, '', $1::bigint + n FROM generate_series(1, 1500) n`,
	} {
		_, err := r.DB().ExecContext(t.Context(), "DELETE FROM "+table)
		require.NoError(t, err)
		d.exec(t, insert, now.UnixMicro())
		count := func() string {
			return query(t, r.DB(), "SELECT count(*) FROM "+table+" WHERE expires_at < $1", now.Add(time.Minute).UnixMicro())[0]
		}
		sweep(t, r, now.Add(400*time.Microsecond))
		require.Equal(t, "1100", count())
		sweep(t, r, now.Add(time.Second))
		require.Equal(t, "100", count())
		sweep(t, r, now.Add(time.Second))
		require.Equal(t, "0", count())
	}
	require.Equal(t, []string{"1"}, query(t, r.DB(), "SELECT count(*) FROM claims"))
}

// TestSweepPassed: of any age, what a tenant has beyond the latest goes; another tenant has its own.
func TestSweepPassed(t *testing.T) {
	t.Parallel()
	r, _ := newRegistry(t)
	now := time.Now()
	write := func(tenant, event string) {
		t.Helper()
		require.NoError(t, r.Remember(t.Context(), webhook.Write{
			Mark:    webhook.Mark{Tenant: tenant, Application: "crm", Key: "7", Hash: "blue"},
			EventID: event, EndpointID: "ep_1",
		}, now))
	}
	r.SweepNext()
	write("acme", "evt_1")
	write("other", "evt_9")
	write("acme", "evt_2")
	r.Keep(2)
	write("acme", "evt_3")
	r.SweepNext()
	write("acme", "evt_4") // sweeps first
	r.SweepNext()
	write("other", "evt_5")
	require.Equal(t, []string{"evt_2", "evt_3", "evt_4", "evt_5", "evt_9"}, query(t, r.DB(), "SELECT event_id FROM ledger_writes ORDER BY event_id"))
}

// TestExpiredCountsForNothing also where no sweep has come by yet.
func TestExpiredCountsForNothing(t *testing.T) {
	t.Parallel()
	r, _ := newRegistry(t)
	now := time.Now()
	sweep(t, r, now) // the next is far away
	m := webhook.Mark{Tenant: "acme", Application: "crm", Key: "7", Hash: "blue"}
	w := webhook.Write{Mark: m, EventID: "evt_1", EndpointID: "ep_1"}
	require.NoError(t, r.Remember(t.Context(), w, now))
	ruling, err := r.Rule(t.Context(), webhook.Report{Mark: webhook.Mark{Tenant: "acme", Application: "crm", Key: "7", Hash: "red"}, EventID: "evt_2"}, now)
	require.NoError(t, err)
	require.Empty(t, ruling.EchoOf)

	later := now.Add(webhook.EchoTTL)
	require.NoError(t, r.Remember(t.Context(), w, later), "the old place of it is forgotten")
	ruling, err = r.Rule(t.Context(), webhook.Report{Mark: m, EventID: "evt_3"}, later)
	require.NoError(t, err)
	require.Equal(t, "evt_1", ruling.EchoOf)
	require.Empty(t, ruling.Newer)
}
