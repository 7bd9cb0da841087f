package sender_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/sender"
	"hookloop/internal/webhook"
)

// TestNoWayOutBehindNginx: the commonest of proxies decodes what we encode before it looks for
// "..", and hands on what it has decoded. An application behind it is asked for nothing but what
// lies below the endpoint's URL.
func TestNoWayOutBehindNginx(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var asked []string
	app := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.Method+" "+r.URL.Path)
	})
	proxy := nginx(t, app)
	s := newSender(t, sender.Config{})
	send := func(id string) webhook.Attempt {
		data, err := json.Marshal(id)
		require.NoError(t, err)
		d := shaped(proxy+"/api/contacts", webhook.RequestShape{Method: http.MethodDelete, Path: `[.data]`}, string(data))
		a, err := s.Send(t.Context(), d, 1)
		require.NoError(t, err)
		return a
	}
	require.Equal(t, 200, send("7").StatusCode)
	for _, id := range append([]string{"a%20b", "7?all=true", "7#x", "@evil.example", "Zo\u00eb"}, waysOut...) {
		send(id)
	}
	mu.Lock()
	defer mu.Unlock()
	require.Len(t, asked, 6, "none of the ways out was asked for")
	for _, path := range asked {
		rest, below := strings.CutPrefix(path, "DELETE /contacts/")
		require.True(t, below, path)
		require.NotContains(t, rest, "/", path)
	}
}

// nginx runs Debian's in front of app, whose paths it has below /api/, and answers its URL.
func nginx(t *testing.T, app http.Handler) string {
	t.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil {
		t.Skip("NOT TESTED: paths behind a real proxy need an nginx (apt-get install nginx-light)")
	}
	behind, front := listen(t), listen(t)
	server := &http.Server{Handler: app, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(behind) }() // ends with Close
	t.Cleanup(func() { _ = server.Close() })
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "nginx.conf"), fmt.Appendf(nil, `daemon off; master_process off; pid %[1]s/pid; events {}
http { access_log off; client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  server { listen %[2]s; location /api/ { proxy_pass http://%[3]s/; } location /admin/ { proxy_pass http://%[3]s/admin/; } } }
`, dir, front.Addr(), behind.Addr()), 0o600))
	require.NoError(t, front.Close())
	c := exec.CommandContext(t.Context(), program, "-p", dir, "-c", filepath.Join(dir, "nginx.conf"), "-e", filepath.Join(dir, "error.log"))
	c.Stderr = t.Output()
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	require.Eventually(t, func() bool {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", front.Addr().String())
		return err == nil && conn.Close() == nil
	}, patience, 10*time.Millisecond)
	return "http://" + front.Addr().String()
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return l
}
