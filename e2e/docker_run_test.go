package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/e2e/docker"
	"hookloop/internal/endpointtest"
	"hookloop/internal/signature"
)

// mostSent bounds how often an event is sent when all parts die together: each worker that has sent
// it may find Temporal away before it could say so.
const mostSent = 4

// dockerRun is TestCluster's run in an engine.
type dockerRun struct {
	*clusterRun

	d     *docker.Engine
	place *place
}

func newDockerRun(t *testing.T, d *docker.Engine) dockerRun {
	t.Helper()
	token := d.Run(t, "docker compose exec -T hookloop /hookloop token --ttl 2h")
	p := &process{place: place{Gateway: "http://127.0.0.1:8080", Namespace: "hookloop", Tenant: "acme", Token: token}}
	r := dockerRun{&clusterRun{t: t, gateways: []app{{p}}, ids: map[string]string{}, paced: true, repeats: mostSent}, d, &p.place}
	s := endpointtest.StartAt(t, d.GatewayOf(t, "hookloop", "hookloop_endpoints"), endpointtest.Config{})
	secret, err := signature.ParseSecret(r.gateways[0].createEndpoint(t, `{"url":"`+s.URL+`"}`).Secret)
	require.NoError(t, err)
	s.Trust(secret)
	r.endpoint = s
	return r
}

// round is TestCluster's, after which the gateway and a worker are ready.
func (r dockerRun) round(name string, blow func(*clusterLoad)) int {
	r.t.Helper()
	return r.clusterRun.round(name, func(l *clusterLoad) {
		blow(l)
		r.awaitReady("http://127.0.0.1:8080")
		r.awaitReady("http://" + r.d.Address(r.t, "worker") + ":8081")
		r.place.Temporal = r.d.Address(r.t, "temporal") + ":7233" // the test looks at histories there
		r.goOn(l)
		l.last.Store(0)
	})
}

func (r dockerRun) awaitReady(url string) {
	r.t.Helper()
	r.eventually(url+" is ready", func() bool {
		req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, url+"/readyz", http.NoBody)
		require.NoError(r.t, err)
		resp, err := appClient.Do(req)
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
}

// eventually has more patience than other tests: all parts run on this one machine.
func (r dockerRun) eventually(what string, condition func() bool) {
	r.t.Helper()
	require.Eventually(r.t, condition, docker.Patience, 100*time.Millisecond, what)
}

// goOn waits until some more events were taken.
func (r dockerRun) goOn(l *clusterLoad) {
	r.t.Helper()
	enough := l.answered() + clusterRound/3
	r.eventually("events are taken again", func() bool { return l.answered() >= enough })
}

// kills kills each part in turn, and all together; the engine brings them back.
func (r dockerRun) kills() {
	r.t.Helper()
	for _, part := range docker.Services {
		r.round(part+" is killed", func(*clusterLoad) { r.kill(part) })
	}
	r.round("all are killed", func(*clusterLoad) { r.kill(docker.Services...) })
	r.d.AwaitHealthy(r.t)
}

// kill kills parts and waits until the engine has started them again.
func (r dockerRun) kill(parts ...string) {
	r.t.Helper()
	began := map[string]string{}
	for _, p := range parts {
		began[p] = r.d.Started(r.t, p)
	}
	r.d.Kill(r.t, parts...)
	for _, p := range parts {
		r.eventually(p+" is back", func() bool { return r.d.Started(r.t, p) != began[p] })
	}
}

// links cuts each link until posts are refused, or go on without it, and mends it. Then it gives
// parts other addresses.
func (r dockerRun) links() {
	r.t.Helper()
	for _, link := range [][2]string{
		{"hookloop", "temporal"}, {"hookloop", "postgres"}, {"worker", "temporal"}, {"worker", "postgres"}, {"temporal", "postgres"},
	} {
		r.round(link[0]+" and "+link[1]+" are cut off from each other", func(l *clusterLoad) {
			heal := r.d.Cut(r.t, link[0], link[1])
			r.awaitEffect(l)
			heal()
		})
	}
	r.round("temporal, postgres and worker get other addresses", func(l *clusterLoad) {
		var heal []func()
		for _, part := range []string{"temporal", "postgres", "worker"} {
			heal = append(heal, r.d.Disconnect(r.t, part))
		}
		r.awaitEffect(l)
		for _, h := range heal {
			h()
		}
	})
	r.d.AwaitHealthy(r.t)
}

// awaitEffect waits until posts are refused, or so many were taken that the link does not matter to
// them.
func (r dockerRun) awaitEffect(l *clusterLoad) {
	r.t.Helper()
	enough := l.answered() + clusterRound
	r.eventually("the cut is felt, or does not matter", func() bool {
		return l.refused.Load() >= clusterClients || l.answered() >= enough
	})
}

// requireVersion: what was sent last was sent by this version.
func (r dockerRun) requireVersion(version string) {
	r.t.Helper()
	got := r.endpoint.Receipts()
	require.Equal(r.t, version, strings.TrimSpace(got[len(got)-1].Header.Get("User-Agent")))
}
