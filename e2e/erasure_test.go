package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// needle is what is to be found nowhere. No tool of ours would write it by itself.
const needle = "Zoe-Quackenbush-of-Waldorf-5a1f"

// quoting is an endpoint that fails once, and quotes what it got in every answer.
func quoting(t *testing.T) string {
	t.Helper()
	var asked atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if asked.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = w.Write(body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// holders are the files below some folders that hold the needle, as they lie there or unpacked.
func holders(t *testing.T, folders ...string) (found []string) {
	t.Helper()
	for _, folder := range folders {
		require.NoError(t, filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			content, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			if strings.HasSuffix(name, ".gz") {
				z, err := gzip.NewReader(bytes.NewReader(content))
				require.NoError(t, err)
				content, err = io.ReadAll(z)
				require.NoError(t, err)
			}
			// an archive has payloads in base64, at any of three places within a group
			for _, form := range append([]string{needle}, inBase64(needle)...) {
				if bytes.Contains(content, []byte(form)) {
					found = append(found, filepath.Base(name))
					break
				}
			}
			return nil
		}))
	}
	return found
}

// inBase64 is a text as it stands within longer ones, at each of three places in a group.
func inBase64(text string) (all []string) {
	for skip := range 3 {
		padded := base64.StdEncoding.EncodeToString([]byte(strings.Repeat(" ", skip) + text))
		all = append(all, padded[4:len(padded)-4])
	}
	return all
}

// TestErase leaves nothing of an event in any file: not in Temporal's databases and their logs, not
// in the registry, not in the archive. Its process is killed in the middle, and goes on.
func TestErase(t *testing.T) {
	t.Parallel()
	data, out := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "archive")
	p := start(t, data)
	a := app{p}
	var e endpoint
	a.call(t, http.StatusCreated, http.MethodPost, "/endpoints", `{"url":"`+quoting(t)+`","schedule":["0s","24h"]}`, &e)
	small := a.post(t, `{"type":"a.b","data":{"name":"`+needle+`"},"subject":"customer-4711"}`).ID
	eventually(t, "it can be tried again", func() bool {
		status, _ := a.try(t.Context(), http.MethodPost, "/events/"+small+"/deliveries/"+e.ID+"/retry-now", `{}`, nil)
		return status == http.StatusAccepted
	})
	a.ended(t, small)
	a.call(t, http.StatusAccepted, http.MethodPost, "/events/"+small+"/redeliver", `{"endpoint_id":"`+e.ID+`"}`, nil)
	large := a.post(t, fmt.Sprintf(`{"type":"a.b","data":{"name":%q,"rest":%q},"subject":"customer-4711"}`, needle, strings.Repeat("x", 300<<10))).ID
	other := a.post(t, `{"type":"a.b","data":{"name":"somebody else"},"subject":"customer-4712"}`).ID
	for _, id := range []string{small, large, other} {
		a.ended(t, id)
	}
	eventually(t, "all is archived", func() bool {
		_, stderr, code := hookloop(t, "archive", "--to", out, "--data", data)
		require.Zero(t, code, stderr)
		return strings.Count(strings.Join(copies(t, out), " "), small) == 3 && strings.Contains(strings.Join(copies(t, out), " "), large)
	})
	require.NotEmpty(t, holders(t, data), "or the search finds nothing")
	require.NotEmpty(t, holders(t, out))

	_, stderr, code := hookloop(t, "event", "hold", "--data", data, "--subject", "customer-4711", "--reason", "case 12")
	require.Zero(t, code, stderr)
	_, stderr, code = hookloop(t, "event", "erase", "--data", data, small, "--reason", "request 17")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "under a legal hold: dev asked for it on ")
	_, stderr, code = hookloop(t, "event", "unhold", "--data", data, "--subject", "customer-4711", "--reason", "closed")
	require.Zero(t, code, stderr)

	erasing := make(chan string, 1)
	go func() {
		out, stderr, _ := hookloop(t, "event", "erase", "--data", data, "--subject", "customer-4711", "--reason", "request 17")
		erasing <- out + stderr
	}()
	eventually(t, "it is noted", func() bool {
		status, _ := a.try(t.Context(), http.MethodPost, "/events/"+small+"/redeliver", `{}`, nil)
		return status == http.StatusGone
	})
	p.kill(syscall.SIGKILL)
	t.Log("killed while it said: " + <-erasing)
	p = start(t, data)
	a = app{p}
	var stdout string
	eventually(t, "the same command goes on", func() bool {
		stdout, stderr, code = hookloop(t, "event", "erase", "--data", data, "--subject", "customer-4711", "--reason", "request 17")
		t.Log(stdout, stderr)
		return code == 0
	})
	var gone struct{ Status, Reason string }
	for _, id := range []string{small, large} {
		eventually(t, "it is erased", func() bool {
			status, answer := a.try(t.Context(), http.MethodDelete, "/events/"+id+"/data?reason=again", "", nil)
			return status == http.StatusOK && json.Unmarshal(answer, &gone) == nil && gone.Status == "erased"
		})
		require.Equal(t, "request 17", gone.Reason)
		_, stderr, code = hookloop(t, "event", "get", "--data", data, id)
		require.Equal(t, 1, code)
		require.Contains(t, stderr, "was erased: dev asked for it on ")
		oneLine(t, stderr)
		stdout, stderr, code = hookloop(t, "audit", "show", "--data", data, id)
		require.Zero(t, code, stderr)
		require.Regexp(t, `erasure-asked +[0-9]+ bytes of data, SHA-256 [0-9a-f]{64}, request 17, by dev`, stdout)
		require.Contains(t, stdout, "payload-erased")
		_, stderr, code = hookloop(t, "event", "redeliver", "--data", data, id)
		require.Equal(t, 1, code)
		require.Contains(t, stderr, "was erased")
	}
	stdout, stderr, code = hookloop(t, "archive", "--to", out, "--data", data)
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "of erased events taken out")
	stdout, stderr, code = hookloop(t, "archive", "verify", out, "--public-key", filepath.Join(data, "audit.pub"))
	require.Zero(t, code, stdout+stderr)
	require.Regexp(t, `, [4-9] erased, 0 in no index`, stdout)
	require.Empty(t, holders(t, out))

	a.ended(t, other)
	stdout, stderr, code = hookloop(t, "event", "data", "--data", data, other)
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "somebody else")
	eventually(t, "no file holds it, while it runs, logs and all", func() bool {
		left := holders(t, data)
		t.Log(left)
		return len(left) == 0
	})
	p.kill(syscall.SIGTERM)
	require.Empty(t, holders(t, data))
}
