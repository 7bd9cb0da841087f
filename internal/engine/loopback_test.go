package engine_test

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestNothingListensBeyondLoopback asks the kernel, since a listener nobody configured is the one
// that matters.
func TestNothingListensBeyondLoopback(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/net/tcp"); err != nil {
		t.Skip("needs Linux's /proc")
	}
	sharedEngine(t)
	inodes := ownSockets(t)
	var listening int
	for _, table := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		file, err := os.Open(table)
		require.NoError(t, err)
		lines := bufio.NewScanner(file)
		for lines.Scan() {
			const local, state, inode, listen = 1, 3, 9, "0A"
			fields := strings.Fields(lines.Text())
			if fields[state] != listen || !inodes["socket:["+fields[inode]+"]"] {
				continue
			}
			listening++
			require.True(t, strings.HasPrefix(fields[local], "0100007F:"), "%s: %s", table, fields[local]) // 127.0.0.1
		}
		require.NoError(t, file.Close())
	}
	require.GreaterOrEqual(t, listening, 5, "frontend, history, matching, worker, UI")
}

func ownSockets(t *testing.T) map[string]bool {
	t.Helper()
	files, err := filepath.Glob("/proc/self/fd/*")
	require.NoError(t, err)
	inodes := map[string]bool{}
	for _, file := range files {
		if target, err := os.Readlink(file); err == nil { // some close meanwhile
			inodes[target] = true
		}
	}
	return inodes
}
