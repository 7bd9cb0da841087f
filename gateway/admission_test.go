package gateway_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"hookloop/api"
	"hookloop/gateway"
	"hookloop/internal/orchestrator/orchestratortest"
)

// stuckTemporal takes an event once it is let.
type stuckTemporal struct {
	*orchestratortest.Temporal

	let chan struct{}
}

func (f stuckTemporal) ExecuteWorkflow(ctx context.Context, o client.StartWorkflowOptions, w any, args ...any) (client.WorkflowRun, error) {
	select {
	case <-f.let:
		return f.Temporal.ExecuteWorkflow(ctx, o, w, args...)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// How many acceptances a new gateway has under way, and how many it lets wait, by the first guess
// of how long one takes.
const (
	underWay = 16
	waiting  = 160
)

// crowd is a gateway whose Temporal is stuck, and the posts that wait for it.
type crowd struct {
	*rig

	stuck stuckTemporal
	posts sync.WaitGroup
	mu    sync.Mutex
	codes map[int]int
}

func newCrowd(t *testing.T) *crowd {
	t.Helper()
	c := &crowd{codes: map[int]int{}}
	c.rig = newRigOver(t, func(b *behind) {
		c.stuck = stuckTemporal{b.temporal.(*orchestratortest.Temporal), make(chan struct{})}
		b.temporal = c.stuck
	}, func(*gateway.Config) {})
	return c
}

// post returns once it waits, or is answered.
func (c *crowd) post(n int, path string) {
	for range n {
		c.posts.Go(func() {
			w := c.do("POST", path, `{"type":"a.b","data":1}`)
			c.mu.Lock()
			defer c.mu.Unlock()
			c.codes[w.Code]++
		})
	}
	synctest.Wait()
}

func (c *crowd) end() {
	close(c.stuck.let)
	c.posts.Wait()
}

func TestOverload(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		c.post(underWay+waiting, "/events")
		require.Empty(t, c.codes, "all have a place, or wait for one")

		unread := &unreadBody{}
		req := httptest.NewRequestWithContext(t.Context(), "POST", "/v1/tenants/acme/events", unread)
		req.Header.Set("Authorization", "Bearer "+c.token)
		w := httptest.NewRecorder()
		c.handler.ServeHTTP(w, req)
		refused(t, w, 503, api.Overloaded)
		require.False(t, unread.read, "it is refused before its body is read")
		h := w.Header()
		require.Equal(t, []string{"1", `"acceptances";q=16;qu="concurrent-requests"`, `"acceptances";r=0;t=1`},
			[]string{h.Get("Retry-After"), h.Get("RateLimit-Policy"), h.Get("RateLimit")})
		for _, path := range []string{"/events/evt_" + strings.Repeat("0", 26) + "/redeliver", "/endpoints/ep_" + strings.Repeat("0", 26) + "/test"} {
			refused(t, c.do("POST", path, ""), 503, api.Overloaded)
		}
		require.Equal(t, 200, c.do("GET", "/endpoints", "").Code, "who only reads does not ask for a place")
		require.Equal(t, 1, strings.Count(c.log.String(), "more events come than can be accepted"), "the log does not grow with a flood")
		require.Equal(t, 1, strings.Count(c.log.String(), "\n"))

		c.end()
		require.Equal(t, map[int]int{202: underWay + waiting}, c.codes)
		require.Equal(t, 202, c.do("POST", "/events", `{"type":"a.b","data":1}`).Code)
	})
}

// TestOverloadByOneTenant does not keep out another.
func TestOverloadByOneTenant(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		c.post(underWay+waiting, "/events")
		refused(t, c.do("POST", "/events", `{"type":"a.b","data":1}`), 503, api.Overloaded)
		other := &crowd{rig: c.rig, codes: map[int]int{}}
		other.post(1, "=/v1/tenants/other/events")
		require.Empty(t, other.codes, "it waits")
		require.Equal(t, map[int]int{503: 1}, c.codes, "in the place of the last of the flood")
		c.end()
		other.posts.Wait()
		require.Equal(t, map[int]int{202: 1}, other.codes)
	})
}

// TestOverloadByThirdParties gives each what it needs: 503, or a broken connection if it would not
// come again.
func TestOverloadByThirdParties(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		github, mautic := c.source(githubSource), c.source(`{"provider":"mautic","config":{"secrets":["k"]}}`)
		c.post(underWay+waiting, "/events")
		w := c.fromGitHub(github, "s3cr3t-new", "push", `{"n":1}`)
		refused(t, w, 503, api.Overloaded)
		require.Equal(t, "1", w.Header().Get("Retry-After"))
		require.PanicsWithError(t, http.ErrAbortHandler.Error(), func() { c.fromMautic(mautic, "k", `{"mautic.form_on_submit":[{"n":1}]}`) })
		c.end()
		require.Equal(t, 200, c.fromGitHub(github, "s3cr3t-new", "push", `{"n":1}`).Code)
	})
}

type unreadBody struct{ read bool }

func (b *unreadBody) Read([]byte) (int, error) {
	b.read = true
	return 0, http.ErrBodyReadAfterClose
}
