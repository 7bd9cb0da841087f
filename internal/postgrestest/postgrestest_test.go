package postgrestest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"hookloop/internal/postgrestest"
)

func TestMain(m *testing.M) { postgrestest.Main(m) }

// patience bounds every wait for something that must happen: far above what it takes on a busy
// machine.
const patience = 90 * time.Second

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func write(t *testing.T, url string) {
	t.Helper()
	_, err := connect(t, url).Exec(t.Context(), "CREATE TABLE diary AS SELECT 'dear' AS day")
	require.NoError(t, err)
}

func requireWritten(t *testing.T, want bool, url string) {
	t.Helper()
	var written bool
	require.NoError(t, connect(t, url).QueryRow(t.Context(), "SELECT to_regclass('diary') IS NOT NULL").Scan(&written))
	require.Equal(t, want, written)
}

func TestDatabasesAreNewAndApart(t *testing.T) {
	t.Parallel()
	s := postgrestest.Shared(t)
	require.Same(t, s, postgrestest.Shared(t))
	one, two := s.NewDatabase(t), s.NewDatabase(t)
	write(t, one)
	requireWritten(t, true, one)
	requireWritten(t, false, two)
	requireWritten(t, false, s.NewDatabase(t))
}

// TestCopiesAreApart: what the first to ask had filled in is in all of them, and nothing else.
func TestCopiesAreApart(t *testing.T) {
	t.Parallel()
	s := postgrestest.Shared(t)
	times := 0
	fill := func(url string) error {
		times++
		conn, err := pgx.Connect(t.Context(), url)
		require.NoError(t, err)
		_, err = conn.Exec(t.Context(), "CREATE TABLE diary AS SELECT 'dear' AS day")
		return errors.Join(err, conn.Close(t.Context()))
	}
	one, two := s.NewCopy(t, fill), s.NewCopy(t, fill)
	require.Equal(t, 1, times)
	requireWritten(t, true, one)
	_, err := connect(t, one).Exec(t.Context(), "DROP TABLE diary")
	require.NoError(t, err)
	requireWritten(t, true, two)
	requireWritten(t, true, s.NewCopy(t, fill))
}

// TestCrash: what was committed is there when the server is back, at the same address.
func TestCrash(t *testing.T) {
	t.Parallel()
	for _, cfg := range []postgrestest.Config{{}, {Fsync: true}} {
		s := postgrestest.Start(t, cfg)
		url := s.NewDatabase(t)
		write(t, url)
		s.StopImmediately(t)
		_, err := pgx.Connect(t.Context(), url)
		require.Error(t, err)
		s.Restart(t)
		requireWritten(t, true, url)
	}
}

// TestBackup: what was written after it is gone when it is restored, and nothing else.
func TestBackup(t *testing.T) {
	t.Parallel()
	s := postgrestest.Start(t, postgrestest.Config{})
	before, after := s.NewDatabase(t), s.NewDatabase(t)
	write(t, before)
	backup := s.Backup(t)
	write(t, after)
	s.StopImmediately(t)
	s.Restore(t, backup)
	s.Restart(t)
	requireWritten(t, true, before)
	requireWritten(t, false, after)
}

func TestAsksForThePassword(t *testing.T) {
	t.Parallel()
	s := postgrestest.Shared(t)
	cfg, err := pgx.ParseConfig(s.URL("postgres"))
	require.NoError(t, err)
	cfg.Password = "guess"
	_, err = pgx.ConnectConfig(t.Context(), cfg)
	require.ErrorContains(t, err, "28P01")
}

const victim = "HOOKLOOP_POSTGRESTEST_VICTIM"

// TestVictim is what TestKilled kills.
func TestVictim(t *testing.T) {
	if os.Getenv(victim) == "" {
		t.Skip("TestKilled runs it")
	}
	s := postgrestest.Start(t, postgrestest.Config{})
	fmt.Println(s.URL("postgres"), s.Data)
	_, _ = io.Copy(io.Discard, os.Stdin) // until it is killed
}

// TestKilled: a server ends with its test, even one that can do nothing any more, and the next to
// start removes what is left.
func TestKilled(t *testing.T) {
	t.Parallel()
	postgrestest.Shared(t) // or there is nothing to test with
	cmd := exec.Command(os.Args[0], "-test.run=^TestVictim$", "-test.v")
	cmd.Env = append(os.Environ(), victim+"=1")
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	defer func() { _ = stdin.Close() }()
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())

	var url, data string
	for lines := bufio.NewScanner(stdout); url == "" && lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "postgres://") {
			url, data, _ = strings.Cut(lines.Text(), " ")
		}
	}
	requireWritten(t, false, url) // it runs
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())

	require.Eventually(t, func() bool {
		_, err := pgx.Connect(t.Context(), url)
		return err != nil && strings.Contains(err.Error(), "refused")
	}, patience, 10*time.Millisecond)
	require.Eventually(t, func() bool {
		postgrestest.Start(t, postgrestest.Config{})
		_, err := os.Stat(filepath.Dir(data))
		return os.IsNotExist(err)
	}, patience, 10*time.Millisecond)
}
