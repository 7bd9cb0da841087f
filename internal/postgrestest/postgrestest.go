// Package postgrestest starts throw-away PostgreSQL servers for tests, from the programs that are
// installed: no Docker, no service that must run already. A server has a folder, a port and a
// password of its own; it goes with the test that started it, and with the process when that is
// killed. What is in its databases is the test's.
package postgrestest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// patience bounds everything a server is to do: on a busy machine it takes seconds, and never
// minutes.
const patience = 2 * time.Minute

// user owns the server's databases and may do everything there.
const user = "hookloop"

// Config says how a server behaves.
type Config struct {
	// Fsync makes each commit wait for the disk. Without it one is as fast as memory, and still
	// outlives the server: only if the machine fell would it be lost.
	Fsync bool
	// Settings are those of postgresql.conf that differ, each as name=value.
	Settings []string
	// Host is the IP it listens at. Empty: 127.0.0.1.
	Host string
	// Enter takes the calling thread to where the server is to run, a network namespace, say, and
	// leave takes it back. Nil: it runs here.
	Enter func() (leave func(), err error)
}

// host is where it listens.
func (c Config) host() string { return cmp.Or(c.Host, "127.0.0.1") }

// Server is a running PostgreSQL server.
type Server struct {
	Data string // the data directory

	cfg      Config
	folder   *folder
	programs programs
	password string
	port     int
	process  *process
	made     atomic.Int64 // databases
	template template
}

// template is a database that others are copies of.
type template struct {
	once sync.Once
	err  error
}

// Start starts a server that stops, and leaves nothing behind, when the test ends. Where PostgreSQL
// is not installed the test is skipped, and says so.
func Start(t testing.TB, cfg Config) *Server {
	t.Helper()
	s, err := start(cfg)
	require(t, err)
	t.Cleanup(s.remove)
	return s
}

// shared is the server that the tests of a package have in common.
var shared struct {
	once   sync.Once
	server *Server
	err    error
}

// Shared gives the server that the tests of a package have in common; the first to ask starts it.
// The package must have a TestMain that calls Main.
func Shared(t testing.TB) *Server {
	t.Helper()
	shared.once.Do(func() { shared.server, shared.err = start(Config{}) })
	require(t, shared.err)
	return shared.server
}

// Main runs the tests of a package, and removes the server they shared.
func Main(m *testing.M) {
	code := m.Run()
	if shared.server != nil {
		shared.server.remove()
	}
	os.Exit(code)
}

func require(t testing.TB, err error) {
	t.Helper()
	switch {
	case errors.Is(err, errMissing):
		t.Skipf("NOT TESTED: %v", err)
	case err != nil:
		t.Fatal(err)
	}
}

// URL is how to connect to a database of the server; "postgres" is always there.
func (s *Server) URL(database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(user, s.password), Host: fmt.Sprintf("%s:%d", s.cfg.host(), s.port),
		Path: "/" + database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

// NewDatabase makes an empty database, which goes when the test ends, and gives its URL.
func (s *Server) NewDatabase(t testing.TB) string {
	t.Helper()
	return s.newDatabase(t, "template1")
}

// NewCopy is NewDatabase with what fill makes in it, a schema, say: the first to ask has a database
// filled, and all get a copy of that one. Fill closes its connections.
func (s *Server) NewCopy(t testing.TB, fill func(url string) error) string {
	t.Helper()
	s.template.once.Do(func() { s.template.err = s.fill(fill) })
	if s.template.err != nil {
		t.Fatal(s.template.err)
	}
	return s.newDatabase(t, filled)
}

// filled is the name of the database that others are copies of.
const filled = "filled"

func (s *Server) fill(fill func(url string) error) error {
	err := s.exec("CREATE DATABASE " + filled)
	if err == nil {
		err = fill(s.URL(filled))
	}
	if err != nil {
		return err
	}
	// What was closed ends a moment later, and until then nothing can be copied.
	return s.exec(`DO $$ BEGIN
		WHILE EXISTS (SELECT FROM pg_stat_activity WHERE datname = '` + filled + `' AND backend_type = 'client backend') LOOP
			PERFORM pg_sleep(0.01);
			PERFORM pg_stat_clear_snapshot();
		END LOOP;
	END $$`)
}

func (s *Server) newDatabase(t testing.TB, like string) string {
	t.Helper()
	name := fmt.Sprintf("test%d", s.made.Add(1))
	if err := s.exec("CREATE DATABASE " + name + " TEMPLATE " + like); err != nil {
		t.Fatal(err)
	}
	// A server that was stopped meanwhile takes its databases along anyway.
	t.Cleanup(func() { _ = s.exec("DROP DATABASE " + name + " WITH (FORCE)") })
	return s.URL(name)
}

func (s *Server) exec(query string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, query)
	return err
}

// Written is how much the server has written ahead since it was made, in bytes.
func (s *Server) Written(t testing.TB) (bytes int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL("postgres"))
	if err == nil {
		defer conn.Close(ctx) //nolint:errcheck // it has answered
		err = conn.QueryRow(ctx, "SELECT (pg_current_wal_lsn() - '0/0')::bigint").Scan(&bytes)
	}
	if err != nil {
		t.Fatal(err)
	}
	return bytes
}

// StopImmediately cuts all connections and stops the server where it stands, as a crash does. Every
// commit that was answered is still there after Restart.
func (s *Server) StopImmediately(t testing.TB) {
	t.Helper()
	if err := s.process.stop(); err != nil {
		t.Fatal(err)
	}
}

// Restart starts a server that was stopped, at the same address.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	if err := s.run(); err != nil {
		t.Fatal(err)
	}
}

// remove is for the end, when errors have no reader any more.
func (s *Server) remove() {
	_ = s.process.stop()
	s.folder.remove()
}
