package e2e

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/stretchr/testify/require"
)

// A flood is of so many bodies at once, of bodySize bytes each: as much as a gateway holds of third
// parties' bodies.
const (
	bodies   = 64
	bodySize = 4 << 20
)

// flood has strangers send 256 MiB to sources that exist, signed by guesses, from two addresses.
// They hold back each last byte. Events are taken meanwhile, and the gateway stays within the
// memory of its container: the engine would end it.
func (r dockerRun) flood() {
	r.t.Helper()
	var sources []string
	for range 8 {
		u, err := url.Parse(r.gateways[0].createSource(r.t, "github", `{"secrets":["It's a Secret to Everybody"]}`))
		require.NoError(r.t, err)
		sources = append(sources, u.Path)
	}
	began := r.d.Started(r.t, "hookloop")
	r.round("strangers send 256 MiB", func(l *clusterLoad) {
		// By the published port they come from one network's gateway, directly from the other's.
		ways := []string{r.place.Gateway, "http://" + r.d.AddressIn(r.t, "hookloop", "hookloop_endpoints") + ":8080"}
		f := flood{body: strings.Repeat("x", bodySize-1), last: make(chan struct{}), answers: map[int]int{}}
		for n := range bodies {
			f.send(r, ways[n%2]+sources[n/2%len(sources)])
		}
		f.come.Wait()
		r.goOn(l)
		close(f.last)
		f.sent.Wait()
		r.t.Logf("answers: %v; the gateway's memory at most: %s", f.answers, r.d.Peak(r.t, "hookloop"))
		require.NotContains(r.t, f.answers, http.StatusAccepted)
		require.NotContains(r.t, f.answers, http.StatusOK)
	})
	require.Equal(r.t, began, r.d.Started(r.t, "hookloop"), "the engine has not ended it")
}

// flood is what strangers send.
type flood struct {
	body       string         // but for its last byte
	last       chan struct{}  // closed: last bytes may come
	come, sent sync.WaitGroup // all of a body but its last byte, or that it was refused before; the whole

	mu      sync.Mutex
	answers map[int]int // how many of each status; 0: a broken connection
}

func (f *flood) send(r dockerRun, to string) {
	f.come.Add(1)
	come := sync.OnceFunc(f.come.Done)
	body := io.MultiReader(strings.NewReader(f.body), waiting(func() { come(); <-f.last }), strings.NewReader("x"))
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, to, body)
	require.NoError(r.t, err)
	req.ContentLength = bodySize
	for name, value := range map[string]string{"Event": "push", "Delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958"} {
		req.Header.Set("X-Github-"+name, value)
	}
	req.Header.Set("X-Hub-Signature-256", "sha256="+strings.Repeat("0", 64))
	f.sent.Go(func() {
		defer come()
		status := 0
		if resp, err := appClient.Do(req); err == nil {
			_ = resp.Body.Close()
			status = resp.StatusCode
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.answers[status]++
	})
}

// waiting is an empty body that waits when it is read.
type waiting func()

func (wait waiting) Read([]byte) (int, error) {
	wait()
	return 0, io.EOF
}
