package postgres_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/registry/postgres"
	"hookloop/internal/registry/registrytest"
)

const password = "s3cr3t-of-ours"

func openFails(t *testing.T, u string) error {
	t.Helper()
	_, err := postgres.Open(t.Context(), u, registrytest.NewSealer(t))
	require.Error(t, err)
	require.NotContains(t, err.Error(), password)
	require.NotContains(t, err.Error(), "\n")
	return err
}

// requireOpenFails wants the reason, after the registry's place.
func (d database) requireOpenFails(t *testing.T, why string) {
	t.Helper()
	require.EqualError(t, openFails(t, d.url), d.place(t)+why)
}

func (d database) place(t *testing.T) string {
	t.Helper()
	u, err := url.Parse(d.url)
	require.NoError(t, err)
	return "registry " + u.Host + u.Path + ": "
}

func (d database) name(t *testing.T) string {
	t.Helper()
	return query(t, d.connect(t), "SELECT current_database()")[0]
}

// with changes the URL of a database.
func (d database) with(t *testing.T, change func(*url.URL)) database {
	t.Helper()
	u, err := url.Parse(d.url)
	require.NoError(t, err)
	change(u)
	d.url = u.String()
	return d
}

func param(name, value string) func(*url.URL) {
	return func(u *url.URL) {
		q := u.Query()
		q.Set(name, value)
		u.RawQuery = q.Encode()
	}
}

func TestOpenRefusesOtherSchemas(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	d.requireOpenFails(t, "its schema is missing: run `hookloop migrate`")
	require.Empty(t, query(t, d.connect(t), "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"), "it was left alone")

	d.migrate(t)
	d.exec(t, "INSERT INTO hookloop_versions (version_id, is_applied) VALUES (99, true)")
	known := versions(t)
	newer := fmt.Sprintf("its schema is version 99, this hookloop knows up to %s: use a newer one", known[len(known)-1])
	d.requireOpenFails(t, newer)
	require.EqualError(t, postgres.Migrate(t.Context(), d.url), d.place(t)+newer)

	d.exec(t, "DELETE FROM hookloop_versions WHERE version_id > 0")
	d.requireOpenFails(t, "its schema is missing: run `hookloop migrate`")
}

// TestOpenFails says in one sentence what is wrong, without the password.
func TestOpenFails(t *testing.T) {
	t.Parallel()
	d := migratedDatabase(t)
	guess := d.with(t, func(u *url.URL) { u.User = url.UserPassword("hookloop", password) })
	guess.requireOpenFails(t, "the server does not accept the user and its password")
	d.with(t, func(u *url.URL) { u.User = url.UserPassword("nobody", password) }).
		requireOpenFails(t, "the server does not accept the user and its password")
	d.with(t, func(u *url.URL) { u.Path = "/nowhere" }).requireOpenFails(t, "the database does not exist")
	d.with(t, param("search_path", "nowhere")).requireOpenFails(t, "its schema is missing: run `hookloop migrate`")
	require.EqualError(t, openFails(t, guess.with(t, param("sslmode", "sometimes")).url), "registry: the URL: sslmode is invalid")

	d.with(t, param("default_transaction_read_only", "on")).
		requireOpenFails(t, "the server takes no writes: it is a standby, or its database is read-only")
}

func TestOpenNamesServerOutOfReach(t *testing.T) {
	t.Parallel()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	closed := l.Addr().String()
	require.NoError(t, l.Close())
	err = openFails(t, "postgres://hookloop:"+password+"@"+closed+"/hookloop?sslmode=disable")
	require.EqualError(t, err, "registry "+closed+"/hookloop: the server cannot be reached: connect: connection refused")

	err = openFails(t, "postgres://hookloop:"+password+"@/hookloop?host=/nowhere&sslmode=disable")
	require.EqualError(t, err, "registry /nowhere/hookloop: the server cannot be reached: connect: no such file or directory")

	silent, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, silent.Close()) }()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = postgres.Open(ctx, "postgres://hookloop:"+password+"@"+silent.Addr().String()+"/hookloop?sslmode=disable", registrytest.NewSealer(t))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotContains(t, err.Error(), password)
}

// TestOpenRefusesWhatIsNoURL: what cannot be read may hold the password in any place, and is not
// quoted.
func TestOpenRefusesWhatIsNoURL(t *testing.T) {
	t.Parallel()
	for _, u := range []string{
		"", "hookloop.db", "mysql://hookloop:" + password + "@db/hookloop", "host=db password=" + password,
		"postgres://hookloop:" + password + "/x@db/hookloop", "postgres://hookloop:%zz" + password + "@db/hookloop",
		"postgres://db:" + password + "/hookloop", " postgres://hookloop:" + password + "@db/hookloop",
	} {
		err := openFails(t, u)
		require.EqualError(t, err, "registry: the URL must be like postgres://user@host:5432/database", u)
		require.Equal(t, err, postgres.Migrate(t.Context(), u))
	}
}

// TestTriesEachHost of a URL that names several.
func TestTriesEachHost(t *testing.T) {
	t.Parallel()
	r, d := newRegistry(t)
	require.NoError(t, r.CreateEndpoint(t.Context(), registrytest.NewEndpoint("ep_1", "a")))
	d.with(t, func(u *url.URL) { u.Host = "127.0.0.1:1," + u.Host }).registry(t, registrytest.NewSealer(t))
}

// TestSchemaOfTheURL keeps two registries in one database apart.
func TestSchemaOfTheURL(t *testing.T) {
	t.Parallel()
	d := newDatabase(t)
	one, two := d.with(t, param("search_path", "one")), d.with(t, param("search_path", "two"))
	one.migrate(t)
	two.migrate(t)
	sealer := registrytest.NewSealer(t)
	require.NoError(t, one.registry(t, sealer).CreateEndpoint(t.Context(), registrytest.NewEndpoint("ep_1", "a")))
	for _, of := range []struct {
		database
		want []string
	}{{one, []string{"ep_1"}}, {two, nil}} {
		got, err := of.registry(t, sealer).Match(t.Context(), "acme", "a")
		require.NoError(t, err)
		require.Equal(t, of.want, got.IDs)
	}
	d.requireOpenFails(t, "its schema is missing: run `hookloop migrate`")
}

// TestConnectionsSayWhose lets an operator see in pg_stat_activity who holds what.
func TestConnectionsSayWhose(t *testing.T) {
	t.Parallel()
	r, d := newRegistry(t)
	require.NoError(t, r.Ping(t.Context()))
	require.Equal(t, []string{"hookloop"}, query(t, d.connect(t),
		"SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"))
}

// TestManyAtOnce: a process takes no more than its share of the server's connections.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	r, d := newRegistry(t)
	done := make(chan error)
	for n := range 100 {
		go func() { done <- r.CreateEndpoint(t.Context(), registrytest.NewEndpoint(fmt.Sprintf("ep_%d", n), "a")) }()
	}
	for range 100 {
		require.NoError(t, <-done)
	}
	require.LessOrEqual(t, len(query(t, d.connect(t),
		"SELECT pid::text FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")), 16)
}
