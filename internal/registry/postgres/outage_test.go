package postgres_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/echo"
	"hookloop/internal/postgrestest"
	"hookloop/internal/registry/postgres"
	"hookloop/internal/registry/registrytest"
	"hookloop/internal/webhook"
)

// outage is all that is said of a server that is away.
const outage = "(the server is stopping or starting|the connection to the server broke: .+|the server cannot be reached: .+)$"

// requireOutage wants an error without a code: the gateway answers 503 to it.
func requireOutage(t *testing.T, err error) {
	t.Helper()
	require.Error(t, err)
	require.Regexp(t, outage, err.Error())
	require.Empty(t, webhook.CodeOf(err), "%v", err)
}

// TestOutage stops the server under a registry that is in use. Every call meanwhile says so; when
// the server is back the same registry goes on, and what it had answered is there.
func TestOutage(t *testing.T) {
	t.Parallel()
	s := postgrestest.Start(t, postgrestest.Config{})
	d, sealer := databaseOf(t, s), registrytest.NewSealer(t)
	d.migrate(t)
	r := d.registry(t, sealer)
	require.NoError(t, r.CreateEndpoint(t.Context(), registrytest.NewEndpoint("ep_0", "a")))

	written, failed := make(chan string, 1000), make(chan error)
	go func() { failed <- writeUntilItFails(t.Context(), r, written) }()
	for range 10 {
		<-written
	}
	s.StopImmediately(t)
	requireOutage(t, <-failed)
	close(written)

	for _, call := range calls(r) {
		requireOutage(t, call(t.Context()))
	}
	_, err := postgres.Open(t.Context(), d.url, sealer)
	require.ErrorContains(t, err, "the server cannot be reached: connect: connection refused")

	s.Restart(t)
	recovers(t, r)
	for id := range written {
		_, err := r.Endpoint(t.Context(), "acme", id)
		require.NoError(t, err)
	}
}

// TestCutConnections: connections that broke while they were idle cost one error each at most.
func TestCutConnections(t *testing.T) {
	t.Parallel()
	r, d := newRegistry(t)
	require.NoError(t, r.CreateEndpoint(t.Context(), registrytest.NewEndpoint("ep_0", "a")))
	query(t, d.connect(t), `SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	recovers(t, r)
}

// recovers wants every call to succeed again, after one error at most for each connection there can
// be.
func recovers(t *testing.T, r *postgres.Registry) {
	t.Helper()
	broken := 16
	for name, call := range calls(r) {
		for err := call(t.Context()); err != nil; err = call(t.Context()) {
			requireOutage(t, err)
			broken--
			require.GreaterOrEqual(t, broken, 0, name)
		}
	}
}

func calls(r *postgres.Registry) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"Ping":  r.Ping,
		"Match": func(ctx context.Context) error { _, err := r.Match(ctx, "acme", "a"); return err },
		"Endpoint": func(ctx context.Context) error {
			_, err := r.Endpoint(ctx, "acme", "ep_0")
			return err
		},
		"UpdateEndpoint": func(ctx context.Context) error {
			_, err := r.UpdateEndpoint(ctx, "acme", "ep_0", func(*webhook.Endpoint) error { return nil })
			return err
		},
		"Remember": func(ctx context.Context) error {
			return r.Remember(ctx, echo.Write{Value: echo.Value{Tenant: "acme", Application: "crm", Key: "7"}}, time.Now())
		},
	}
}

func writeUntilItFails(ctx context.Context, r *postgres.Registry, written chan<- string) error {
	for n := 1; ; n++ {
		id := fmt.Sprintf("ep_%d", n)
		if err := r.CreateEndpoint(ctx, registrytest.NewEndpoint(id, "a")); err != nil {
			return err
		}
		written <- id
	}
}

// TestVanishedProcess: one that goes away in the middle of a change without a word (its machine
// lost its power) holds others up for no longer than the server is told to wait.
func TestVanishedProcess(t *testing.T) {
	t.Parallel()
	r, _ := newRegistry(t)
	require.Equal(t, []string{"30s"}, query(t, r.DB(), "SHOW idle_in_transaction_session_timeout"))
	for setting, want := range map[string]string{"idle": "10", "interval": "5", "count": "4"} {
		require.Equal(t, []string{want}, query(t, r.DB(), "SHOW tcp_keepalives_"+setting))
	}
}
