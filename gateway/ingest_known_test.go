package gateway_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"hookloop/api"
	"hookloop/gateway"
	"hookloop/internal/orchestrator/orchestratortest"
	"hookloop/internal/webhook"
)

// clock is a time that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func newClock(c *gateway.Config) *clock {
	k := &clock{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	c.Now = k.now
	return k
}

const tokenSource = `{"provider":"hmac","config":{"kind":"token","header":"X-Token","secrets":["t"]`

// write has the registry told of everything, as the gateway does every second.
func (r *rig) write(id string) webhookActivity {
	r.t.Helper()
	return read[struct {
		Activity webhookActivity `json:"activity"`
	}](r.t, r.do("GET", "/sources/"+id, ""), 200).Activity
}

type webhookActivity struct {
	Accepted       int64      `json:"accepted"`
	Repeats        int64      `json:"repeats"`
	Refused        int64      `json:"refused"`
	LastAcceptedAt *time.Time `json:"last_accepted_at"`
	LastRefusedAt  *time.Time `json:"last_refused_at"`
	LastRefusal    string     `json:"last_refusal"`
}

// TestContentIsARepeatForAWhile: what has no id is the same event within ten minutes of the first,
// unless its source says otherwise.
func TestContentIsARepeatForAWhile(t *testing.T) {
	t.Parallel()
	var at *clock
	r := newRigWith(t, func(c *gateway.Config) { at = newClock(c) })
	usual := r.source(tokenSource + `}}`)
	long := r.source(tokenSource + `,"repeats_window":"1h"}}`)
	content := r.source(tokenSource + `,"repeats":"content"}}`)
	none := r.source(tokenSource + `,"repeats":"none"}}`)
	send := func(id string) int {
		before := r.temporal.Starts()
		require.Equal(t, 200, r.send("POST", id, `{"ping":1}`, "X-Token", "t").Code)
		return r.temporal.Starts() - before
	}
	for _, c := range []struct {
		later                      time.Duration
		usual, long, content, none int
	}{
		{0, 1, 1, 1, 1}, {0, 0, 0, 0, 1}, {9 * time.Minute, 0, 0, 0, 1}, {time.Minute, 1, 0, 0, 1}, {50 * time.Minute, 1, 1, 0, 1}, {48 * time.Hour, 1, 1, 0, 1},
	} {
		at.pass(c.later)
		require.Equal(t, c.usual, send(usual), c.later)
		require.Equal(t, c.long, send(long), c.later)
		require.Equal(t, c.content, send(content), c.later)
		require.Equal(t, c.none, send(none), c.later)
		if c.later > 0 {
			r.write(content)
		}
	}
}

// TestARepeatOutlivesItsHistory: what became an event once is none again, though Temporal has
// forgotten it; and one that is passed over hours later is told of.
func TestARepeatOutlivesItsHistory(t *testing.T) {
	t.Parallel()
	var at *clock
	r := newRigWith(t, func(c *gateway.Config) { at = newClock(c) })
	github, mautic := r.source(githubSource), r.source(`{"provider":"mautic","config":{"secrets":["k"]}}`)
	send := func() {
		require.Equal(t, 200, r.fromGitHub(github, "s3cr3t-new", "push", `{"n":1}`).Code)
		require.Equal(t, 200, r.fromMautic(mautic, "k", `{"a":[{"n":1},{"n":2}]}`).Code)
	}
	send()
	require.Equal(t, int64(1), r.write(github).Accepted)
	require.Equal(t, int64(2), r.write(mautic).Accepted)
	require.Equal(t, 3, r.temporal.Starts())
	r.temporal.Forget()
	at.pass(time.Minute)
	send()
	require.Equal(t, 3, r.temporal.Starts())
	require.NotContains(t, r.log.String(), "passed over")
	at.pass(5 * 24 * time.Hour)
	send()
	require.Equal(t, 3, r.temporal.Starts())
	require.Equal(t, 3, strings.Count(r.log.String(), `msg="repeat passed over"`))
	require.Contains(t, r.log.String(), "age=120h1m0s")
	require.Equal(t, int64(2), r.write(github).Repeats)
}

// TestRepeatOfWhatFailed: an item that could not be started is started when it comes again, and is
// the same event.
func TestRepeatOfWhatFailed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.source(tokenSource + `}}`)
	r.temporal.Down = serviceerror.NewUnavailable("no")
	require.Equal(t, 503, r.send("POST", id, `{"n":1}`, "X-Token", "t").Code)
	r.temporal.Down = nil
	for range 2 {
		require.Equal(t, 200, r.send("POST", id, `{"n":1}`, "X-Token", "t").Code)
	}
	require.Equal(t, 1, r.temporal.Starts())
}

// TestSeveralGatewaysKnowTheSame: what comes to two gateways at once is one event.
func TestSeveralGatewaysKnowTheSame(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	other := newRigOver(t, func(b *behind) { b.temporal = r.temporal }, func(c *gateway.Config) { c.Sources = r.sources })
	id := r.source(tokenSource + `}}`)
	var all sync.WaitGroup
	for _, to := range []*rig{r, other, r, other} {
		all.Go(func() {
			for n := range 20 {
				to.send("POST", id, fmt.Sprintf(`{"n":%d}`, n), "X-Token", "t")
			}
		})
	}
	all.Wait()
	require.Equal(t, 20, r.temporal.Starts())
}

// cuts is a Temporal that ends a request after some starts, as a sender does that has waited
// enough.
type cuts struct {
	*orchestratortest.Temporal

	mu    sync.Mutex
	after int
	end   context.CancelFunc
}

func (c *cuts) ExecuteWorkflow(ctx context.Context, o client.StartWorkflowOptions, w any, args ...any) (client.WorkflowRun, error) {
	c.mu.Lock()
	c.after--
	if c.after == 0 {
		c.end()
	}
	c.mu.Unlock()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return c.Temporal.ExecuteWorkflow(ctx, o, w, args...)
}

// TestALargeBatchComesNearer: of a batch that cannot be taken in time each try takes more, in
// rounds; no try is answered with what Mautic would forget it for, and none says anything about
// Temporal.
func TestALargeBatchComesNearer(t *testing.T) {
	t.Parallel()
	temporal := &cuts{Temporal: orchestratortest.New()}
	r := newRigOver(t, func(b *behind) { b.temporal = temporal }, func(*gateway.Config) {})
	id := r.source(`{"provider":"mautic","config":{"secrets":["k"]},"application":"crm","echo":{"key":".n","value":".n"}}`)
	items := make([]string, 601)
	for n := range items {
		items[n] = fmt.Sprintf(`{"n":%d}`, n)
	}
	body := `{"mautic.page_on_hit":[` + strings.Join(items, ",") + `]}`
	post := func() (code int, broken bool) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		temporal.mu.Lock()
		temporal.after, temporal.end = 200, cancel
		temporal.mu.Unlock()
		req := httptest.NewRequestWithContext(ctx, "POST", "/in/"+id, strings.NewReader(body))
		req.Header.Set("Webhook-Signature", base64.StdEncoding.EncodeToString(sum("k", body)))
		w := httptest.NewRecorder()
		defer func() { broken = recover() != nil }()
		r.handler.ServeHTTP(w, req)
		return w.Code, false
	}
	for tries := 1; ; tries++ {
		before := temporal.Starts()
		code, broken := post()
		if !broken {
			require.Equal(t, 200, code)
			require.Greater(t, tries, 2)
			break
		}
		require.Greater(t, temporal.Starts(), before, "each try takes more")
		require.LessOrEqual(t, temporal.Starts(), before+200)
		require.Equal(t, 200, r.do("GET", "=/readyz", "").Code)
	}
	require.Equal(t, 601, temporal.Starts())
}

// TestPackedBodies: what a signature covers is either what travels or what was packed.
func TestPackedBodies(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.source(githubSource)
	packed := func(w func(io.Writer) io.WriteCloser, body string) string {
		var b bytes.Buffer
		z := w(&b)
		_, err := io.WriteString(z, body)
		require.NoError(t, err)
		require.NoError(t, z.Close())
		return b.String()
	}
	zip := func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }
	deflate := func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }
	send := func(coding, body, signed string) *httptest.ResponseRecorder {
		return r.send("POST", id, body, "Content-Encoding", coding, "X-GitHub-Event", "push",
			"X-Hub-Signature-256", "sha256="+hex.EncodeToString(sum("s3cr3t-new", signed)))
	}
	for n, c := range []struct {
		coding string
		pack   func(io.Writer) io.WriteCloser
	}{{"gzip", zip}, {"X-GZIP", zip}, {"deflate", deflate}} {
		plain, travels := fmt.Sprintf(`{"plain":%d}`, n), fmt.Sprintf(`{"travels":%d}`, n)
		require.Equal(t, 200, send(c.coding, packed(c.pack, plain), plain).Code)
		require.Equal(t, 200, send(c.coding, packed(c.pack, travels), packed(c.pack, travels)).Code)
		require.Contains(t, r.startedEvents(), plain)
		require.Contains(t, r.startedEvents(), travels)
	}
	bomb := packed(zip, strings.Repeat(" ", 25<<20+1))
	require.Equal(t, 401, send("gzip", bomb, "another").Code)
	require.Equal(t, 413, send("gzip", bomb, bomb).Code)
	require.Equal(t, 400, send("gzip", "no gzip", "no gzip").Code)
	require.Equal(t, 401, send("gzip", "no gzip", "another").Code)
	require.Equal(t, 400, send("gzip", packed(zip, `{"a":1}`)[:20], packed(zip, `{"a":1}`)[:20]).Code)
}

// TestRefusedItemsAreNamed: in the log, by place, reason and hash, ten of a request; and at the
// source.
func TestRefusedItemsAreNamed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.source(`{"provider":"meta","config":{"secrets":["k"],"verify_token":"t"}}`)
	deep := strings.Repeat("[", webhook.MaxDepth+1) + strings.Repeat("]", webhook.MaxDepth+1)
	body := `{"object":"page","entry":[{"id":"1","time":5,"changes":[{"a":1}` + strings.Repeat(","+deep, 12) + `]}]}`
	w := r.send("POST", id, body, "X-Hub-Signature-256", "sha256="+hex.EncodeToString(sum("k", body)))
	p := refused(t, w, 422, webhook.Invalid)
	require.Equal(t, "12 of 13 events cannot be accepted; the others were", p.Detail)
	require.Len(t, p.Errors, 10)
	require.Equal(t, api.FieldError{Field: "events[1]", Message: "nests deeper than 500 levels"}, p.Errors[0])
	hash := sha256.Sum256([]byte(deep))
	require.Equal(t, 10, strings.Count(r.log.String(), `msg="event refused"`))
	require.Contains(t, r.log.String(), `item=events[10] reason="nests deeper than 500 levels" hash=sha256:`+hex.EncodeToString(hash[:]))
	require.NotContains(t, r.log.String(), "[[[")

	require.Equal(t, 401, r.send("POST", id, "{}").Code)
	a := r.write(id)
	require.Equal(t, int64(1), a.Accepted)
	require.Equal(t, int64(13), a.Refused)
	require.NotNil(t, a.LastAcceptedAt)
	require.NotNil(t, a.LastRefusedAt)
	require.Contains(t, a.LastRefusal, "X-Hub-Signature-256")
	require.Equal(t, a, r.write(id), "nothing is counted twice")
}

// TestMauticIsNeverAnsweredWithLoss: only a stranger is told that they are one.
func TestMauticIsNeverAnsweredWithLoss(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.source(`{"provider":"mautic","config":{"secrets":["k"]}}`)
	for _, body := range []string{"no JSON", "[]", `{"a":[` + strings.Repeat("0,", 50_000) + `0]}`} {
		require.Panics(t, func() { r.fromMautic(id, "k", body) })
	}
	require.Panics(t, func() { r.fromMautic(id, "k", strings.Repeat(" ", 25<<20+1)) })
	require.Equal(t, 401, r.fromMautic(id, "another", "{}").Code)
	large := `{"a":[{"x":"` + strings.Repeat("y", 500<<10) + `"}` + strings.Repeat(`,{"x":"`+strings.Repeat("z", 500<<10)+`"}`, 9) + `]}`
	require.Equal(t, 200, r.fromMautic(id, "k", large).Code, "4.9 MB")
}
