package cli

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/devdir"
)

// standIn plays the gateway: it answers from a table and remembers what it was asked.
type standIn struct {
	URL  string
	data string // a folder with a dev.json that leads here

	mu       sync.Mutex
	answers  map[string][]canned
	requests []asked
}

// canned is one answer; a status of 0 stands for 200.
type canned struct {
	status int
	body   string
	header http.Header
}

type asked struct {
	method, uri, body string
	header            http.Header
}

const standInToken = "token-of-the-stand-in"

// newStandIn answers "METHOD /path", below the tenant demo, from the table; of several answers the
// last one repeats.
func newStandIn(t *testing.T, answers map[string][]canned) *standIn {
	t.Helper()
	g := &standIn{answers: answers, data: t.TempDir()}
	srv := httptest.NewServer(g)
	t.Cleanup(srv.Close)
	g.URL = srv.URL
	require.NoError(t, devdir.Running{
		Gateway: g.URL, UI: "http://ui.test", Namespace: "hook loop", Tenant: "demo", Token: standInToken,
	}.Write(g.data))
	return g
}

func (g *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.requests = append(g.requests, asked{r.Method, r.URL.RequestURI(), string(body), r.Header.Clone()})
	key := r.Method + " " + r.URL.EscapedPath()
	left := g.answers[key]
	if len(left) == 0 {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintf(w, `{"code":"not_found","detail":"the stand-in has no answer to %s"}`, key)
		return
	}
	if len(left) > 1 {
		g.answers[key] = left[1:]
	}
	for name := range left[0].header {
		w.Header().Set(name, left[0].header.Get(name))
	}
	w.WriteHeader(max(left[0].status, http.StatusOK))
	_, _ = io.WriteString(w, left[0].body)
}

// set replaces the answers to one request.
func (g *standIn) set(key string, answers ...canned) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.answers[key] = answers
}

// last is the request that came last.
func (g *standIn) last(t *testing.T) asked {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	require.NotEmpty(t, g.requests)
	return g.requests[len(g.requests)-1]
}

// run runs a command line against the stand-in.
func (g *standIn) run(t *testing.T, args ...string) result {
	t.Helper()
	return hookloop(t, append(args, "--data-dir="+g.data)...)
}
