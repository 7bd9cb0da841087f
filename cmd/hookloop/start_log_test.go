//go:build !noembed

package main

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/config"
)

// TestStartLog: what is said during a start follows once it is through, in order, and not before.
func TestStartLog(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log, started := holdUntilStarted(newLogger(&out, config.Log{}, false))
	log.With("tenant", "acme").WithGroup("g").Warn("first", slog.Int("n", 1))
	log.Debug("of no interest")
	log.Error("second")
	require.Empty(t, out.String())
	started()
	require.Regexp(t, `(?s)msg=first tenant=acme g.n=1\n.*msg=second\n$`, out.String())
	log.Warn("third")
	require.Equal(t, 3, strings.Count(out.String(), "\n"))
}

// TestStartLogIsBounded: a start that says the same for ever does not fill the memory.
func TestStartLogIsBounded(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log, started := holdUntilStarted(newLogger(&out, config.Log{}, false))
	for range 2 * heldLines {
		log.Warn("again")
	}
	started()
	require.Equal(t, heldLines, strings.Count(out.String(), "\n"))
}

// TestDiskTrouble: whichever way a library words it, the line says what to do, and is one line.
func TestDiskTrouble(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"engine: /data/visibility.db: disk I/O error (4618)", "database or disk is full (13)", "attempt to write a readonly database (8)",
		"registry /data/registry.db: the database file cannot be opened", "unable to open database file (14)",
	} {
		require.ErrorContains(t, diskTrouble(errors.New(text), "/data"), "see that the disk of /data has room, can be written to and is sound", text)
	}
	for _, errno := range []syscall.Errno{syscall.ENOSPC, syscall.EROFS, syscall.EIO} {
		err := diskTrouble(errors.Join(errno, errors.New("and more")), "/data")
		require.ErrorIs(t, err, errno)
		require.NotContains(t, err.Error(), "\n")
		require.Contains(t, err.Error(), "and more")
		require.Contains(t, err.Error(), "the disk of /data")
	}
	other := errors.New("address 127.0.0.1:1: address already in use")
	require.Equal(t, other, diskTrouble(other, "/data"))
	require.NoError(t, diskTrouble(nil, "/data"))
}
