package gateway_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/api"
	"hookloop/gateway"
)

// looksSigned is a signature header by which no secret has signed.
const looksSigned = "sha256=00"

// pour sends a body that is not verified. from is the client's address.
func (r *rig) pour(source, from string, body io.Reader, header ...string) *httptest.ResponseRecorder {
	req := httptest.NewRequestWithContext(r.t.Context(), http.MethodPost, "/in/"+source, body)
	req.ContentLength, req.RemoteAddr = 4<<20, from+":1234"
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, req)
	return w
}

// flood has many bodies under way, of size bytes each, until end.
func (r *rig) flood(many, size int, pour func(n int, body io.Reader)) (end func()) {
	var all sync.WaitGroup
	slow, stop := io.Pipe()
	for n := range many {
		begun := make(chan struct{})
		all.Go(func() {
			here := sync.OnceFunc(func() { close(begun) })
			pour(n, io.MultiReader(strings.NewReader(strings.Repeat("x", size)), signals(here), slow))
			here() // it was refused before its end
		})
		<-begun // one after the other, or those that are refused halfway leave room
	}
	return func() {
		_ = stop.Close()
		all.Wait()
	}
}

// signals is an empty body that tells when it is read.
type signals func()

func (read signals) Read([]byte) (int, error) {
	read()
	return 0, io.EOF
}

func prefixes(all ...string) (list []netip.Prefix) {
	for _, p := range all {
		list = append(list, netip.MustParsePrefix(p))
	}
	return list
}

// TestStrangersHoldNoMemory: what is sent to no source, or without a signature, takes no tenant's
// place.
func TestStrangersHoldNoMemory(t *testing.T) {
	t.Parallel()
	r := newRigWith(t, func(c *gateway.Config) { c.IngestMemory = 1 << 20 })
	id := r.source(githubSource)
	for name, pour := range map[string]func(int, io.Reader){
		"a source that does not exist": func(_ int, body io.Reader) {
			r.pour("src_"+strings.Repeat("0", 26), "192.0.2.1", body, "X-Hub-Signature-256", looksSigned)
		},
		"no source's id":  func(_ int, body io.Reader) { r.pour("x", "192.0.2.1", body) },
		"no signature":    func(_ int, body io.Reader) { r.pour(id, "192.0.2.1", body) },
		"a malformed one": func(_ int, body io.Reader) { r.pour(id, "192.0.2.1", body, "X-Hub-Signature-256", "sha256=") },
	} {
		end := r.flood(100, 256<<10, pour) // they hold 25 MiB, had they a place
		body := fmt.Sprintf(`{"n":%q}`, name+strings.Repeat("y", 100<<10))
		require.Equal(t, 200, r.fromGitHub(id, "s3cr3t-new", "push", body).Code, name)
		end()
	}
	require.Equal(t, 4, r.temporal.Starts())
}

// TestBodiesHaveShares: a source that is flooded leaves room for other sources, and a client that
// floods for other clients.
func TestBodiesHaveShares(t *testing.T) {
	t.Parallel()
	r := newRigWith(t, func(c *gateway.Config) { c.IngestMemory = 8 << 20 })
	var ids []string
	for range 6 {
		ids = append(ids, r.source(githubSource))
	}
	genuine := func(id, from string) int {
		body := `{"n":"` + strings.Repeat("y", 512<<10) + `"}`
		w := r.pour(id, from, strings.NewReader(body), "X-GitHub-Event", "push", "X-Hub-Signature-256", "sha256="+hex.EncodeToString(sum("s3cr3t-new", body)))
		if w.Code == 503 {
			require.NotEmpty(t, w.Header().Get("Retry-After"))
		}
		return w.Code
	}
	end := r.flood(40, 256<<10, func(_ int, body io.Reader) { // they promise 160 MiB, and send 10
		r.pour(ids[0], "192.0.2.1", body, "X-Hub-Signature-256", looksSigned)
	})
	require.Equal(t, 503, genuine(ids[0], "192.0.2.2"))
	require.Equal(t, 200, genuine(ids[1], "192.0.2.1"))
	end()
	require.Equal(t, 200, genuine(ids[0], "192.0.2.2"), "what strangers held is free again")

	end = r.flood(60, 256<<10, func(n int, body io.Reader) {
		r.pour(ids[n%5], "192.0.2.1", body, "X-Hub-Signature-256", looksSigned)
	})
	require.Equal(t, 503, genuine(ids[5], "192.0.2.1"))
	require.Equal(t, 200, genuine(ids[5], "192.0.2.2"))
	end()
}

// TestClientsBehindAProxy: each client behind a trusted proxy has a share of its own. What a client
// itself says of its address gives it none.
func TestClientsBehindAProxy(t *testing.T) {
	t.Parallel()
	for _, trusted := range []bool{true, false} {
		r := newRigWith(t, func(c *gateway.Config) {
			c.IngestMemory = 8 << 20
			if trusted {
				c.Proxies = prefixes("192.0.2.0/24")
			}
		})
		var ids []string
		for range 6 {
			ids = append(ids, r.source(githubSource))
		}
		end := r.flood(60, 256<<10, func(n int, body io.Reader) {
			r.pour(ids[n%5], "192.0.2.1", body, "X-Hub-Signature-256", looksSigned, "X-Forwarded-For", "2001:db8::"+hex.EncodeToString([]byte{byte(n)}))
		})
		body := `{"n":"` + strings.Repeat("y", 512<<10) + `"}`
		w := r.pour(ids[5], "192.0.2.1", strings.NewReader(body), "X-GitHub-Event", "push", "X-Forwarded-For", "198.51.100.7, 192.0.2.9",
			"X-Hub-Signature-256", "sha256="+hex.EncodeToString(sum("s3cr3t-new", body)))
		require.Equal(t, map[bool]int{true: 200, false: 503}[trusted], w.Code)
		end()
	}
}

// TestLargeBodiesWithinTheirShare: the largest body fits, packed as well, by itself and as it is.
func TestLargeBodiesWithinTheirShare(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.source(githubSource)
	body := `{"n":"` + strings.Repeat("y", 25<<20-8) + `"}`
	require.Len(t, body, 25<<20)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write([]byte(body))
	require.NoError(t, w.Close())
	signed := []string{"X-GitHub-Event", "push", "X-Hub-Signature-256", "sha256=" + hex.EncodeToString(sum("s3cr3t-new", body))}
	require.Equal(t, 200, r.pour(id, "192.0.2.1", strings.NewReader(body), signed...).Code)
	require.Equal(t, 200, r.pour(id, "192.0.2.1", &packed, append(signed, "Content-Encoding", "gzip")...).Code)
	require.Equal(t, 1, r.temporal.Starts(), "the same event")
	refused(t, r.pour(id, "192.0.2.1", strings.NewReader(body+" "), signed...), 413, api.PayloadTooLarge)
}

// serve runs the gateway on a listener, until the test ends or stop.
func (r *rig) serve() (addr string, stop func()) {
	l, err := (&net.ListenConfig{}).Listen(r.t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(r.t, err)
	ctx, cancel := context.WithCancel(r.t.Context())
	done := make(chan error, 1)
	go func() { done <- r.gateway.Run(ctx, l) }()
	stop = sync.OnceFunc(func() {
		cancel()
		require.NoError(r.t, <-done)
	})
	r.t.Cleanup(stop)
	return l.Addr().String(), stop
}

// TestABodyHasToComeAlong: one that stops coming is given up, a stranger's sooner.
func TestABodyHasToComeAlong(t *testing.T) {
	t.Parallel()
	r := newRigWith(t, func(c *gateway.Config) { c.BodyPatience = 50 * time.Millisecond })
	id := r.source(githubSource)
	addr, _ := r.serve()
	for request, code := range map[string]int{
		"POST /in/" + id + " HTTP/1.1\r\nHost: x\r\nX-Hub-Signature-256: " + looksSigned + "\r\nContent-Length: 4194304\r\n\r\nx": 408,
		"POST /in/" + id + " HTTP/1.1\r\nHost: x\r\nContent-Length: 4194304\r\n\r\nx":                                             401,
		"POST /in/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n":                                                    401,
	} {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
		require.NoError(t, err)
		_, err = io.WriteString(conn, request)
		require.NoError(t, err)
		in := bufio.NewReader(conn)
		resp, err := http.ReadResponse(in, nil)
		require.NoError(t, err)
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		require.Equal(t, code, resp.StatusCode)
		_, err = in.ReadByte()
		require.Error(t, err, "the connection is closed: the rest of the body is nothing to wait for")
		_ = conn.Close()
	}
}

// TestOneLineAMinute: however often strangers knock, the log has a line for each source and minute.
func TestOneLineAMinute(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.source(githubSource)
	_, stop := r.serve()
	for n := range 100 {
		require.Equal(t, 401, r.fromGitHub(id, "s3cr3t-guess", "push", `{}`).Code)
		require.Equal(t, 401, r.send("POST", fmt.Sprintf("src_%026d", n), `{}`).Code)
	}
	stop()
	var lines []string
	for line := range strings.Lines(r.log.String()) {
		if strings.Contains(line, "msg=ingest") {
			lines = append(lines, line)
		}
	}
	require.Len(t, lines, 4, "the first of each, and what came after it")
	require.Equal(t, 1, strings.Count(strings.Join(lines[2:], ""), `source_id=`+id+` provider=github outcome=refused requests=99 reason="the signature does not match"`))
	require.Equal(t, 1, strings.Count(strings.Join(lines[2:], ""), `source_id="" provider="" outcome=refused requests=99 reason="there is no such source"`))
}
