package engine_test

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestNothingListensBeyondLoopback asks the kernel, since a listener that was not configured is the
// one that matters.
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

// TestUIAnswersToThisMachine: a web page that has pointed its own name at 127.0.0.1 sees nothing,
// neither where people look nor at the UI server behind it; and no request becomes one of another
// method on its way.
func TestUIAnswersToThisMachine(t *testing.T) {
	t.Parallel()
	e := sharedEngine(t)
	ask := func(url, host, method string, header ...string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, url+"/api/v1/namespaces", http.NoBody)
		require.NoError(t, err)
		if host != "" {
			r.Host = host
		}
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return resp.StatusCode, string(body)
	}
	for _, url := range []string{e.UIURL(), e.InnerUIURL()} {
		code, body := ask(url, "", http.MethodGet)
		require.Equal(t, http.StatusOK, code, body)
		require.Contains(t, body, "namespaceInfo")
		for _, host := range []string{"evil.example", "evil.example:8233", "127.0.0.1.evil.example", "10.0.0.1"} {
			code, body = ask(url, host, http.MethodGet)
			require.Equal(t, http.StatusForbidden, code, host)
			require.NotContains(t, body, "namespaceInfo")
		}
	}
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
