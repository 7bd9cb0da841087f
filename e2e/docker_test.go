package e2e

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/e2e/docker"
	"hookloop/internal/endpointtest"
	"hookloop/internal/signature"
)

// TestDocker runs docker-compose.yml in an engine, by the commands of its header as they stand,
// after a first start that was interrupted. Then, under load, each part is killed in turn and all
// together, each link is cut and mended, and a new version takes the place of the old one. Nothing
// that was accepted is lost; the checks are TestCluster's.
func TestDocker(t *testing.T) {
	if !docker.Wanted() {
		t.Skip("`make docker` runs it")
	}
	begun := time.Now()
	d := docker.Start(t)
	t.Logf("engine and stand-ins after %s", time.Since(begun).Round(time.Second))
	install, try := header(t)
	before, up, found := strings.Cut(install, "docker compose up --wait")
	require.True(t, found)
	d.Run(t, before)
	interruptFirstStart(t, d)
	d.Run(t, "docker compose up --wait"+up)
	t.Logf("ready after %s", time.Since(begun).Round(time.Second))
	said := d.Run(t, try)
	require.Regexp(t, `evt_\w+ .*delivered`, said)
	require.Contains(t, said, "✓ verified")
	d.Run(t, "docker compose --profile receiver rm --stop --force receiver")
	requireImage(t, d)

	r := newDockerRun(t, d)
	require.Zero(t, r.round("nothing is killed", func(*clusterLoad) {}), "duplicates")
	for _, part := range docker.Services {
		r.round(part+" is killed", func(*clusterLoad) { r.kill(part) })
	}
	r.round("all are killed", func(*clusterLoad) { r.kill(docker.Services...) })
	r.links()
	r.round("everything stops and starts", func(*clusterLoad) {
		d.Run(t, "docker compose down && docker compose up --wait")
	})
	r.round("a new version, and more workers", func(*clusterLoad) {
		d.Run(t, "echo HOOKLOOP_VERSION=next >> .env; docker compose build; docker compose up --wait --scale worker=3")
	})
	r.round("the new version", func(*clusterLoad) {})
	got := r.endpoint.Receipts()
	require.Equal(t, "Hookloop/next", got[len(got)-1].Header.Get("User-Agent"))
	r.requireSameIDs()
	t.Logf("memory:\n%s", d.Memory())
	t.Logf("%d events accepted, all delivered, %d sent twice, in %s", len(r.ids), r.duplicates, time.Since(begun).Round(time.Second))
}

// header answers the two blocks of commands in the header of docker-compose.yml: what installs, and
// what tries.
func header(t *testing.T) (install, try string) {
	t.Helper()
	content, err := os.ReadFile("../docker-compose.yml")
	require.NoError(t, err)
	text, _, _ := strings.Cut(string(content), "\nname: ")
	blocks := regexp.MustCompile(`(?m)(?:^#   .*\n)+`).FindAllString(text, -1)
	require.Len(t, blocks, 2)
	plain := func(block string) string { return regexp.MustCompile(`(?m)^#   `).ReplaceAllString(block, "") }
	return plain(blocks[0]), plain(blocks[1])
}

// interruptFirstStart leaves a database server behind on which half of what is needed was made.
func interruptFirstStart(t *testing.T, d *docker.Engine) {
	t.Helper()
	d.Run(t, `docker compose up --detach postgres
		until docker compose exec -T postgres pg_isready -q -h postgres; do sleep 0.2; done
		docker compose exec -T postgres psql -U postgres -c "CREATE ROLE temporal" -c "CREATE DATABASE temporal"
		docker compose kill postgres`)
}

// requireImage: the image that was built trusts Debian's roots without the distrusted ones, and
// holds one program.
func requireImage(t *testing.T, d *docker.Engine) {
	t.Helper()
	names := d.Run(t, `id=$(docker create hookloop:dev); docker cp "$id":/etc/ssl/certs/ca-certificates.crt - | tar -xO > bundle.pem; docker rm "$id" >/dev/null
		openssl storeutl -noout -text -certs bundle.pem | grep 'Subject:'; rm bundle.pem`)
	require.Greater(t, strings.Count(names, "Subject:"), 100)
	require.NotContains(t, names, "emSign")
}

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
	s := endpointtest.StartAt(t, d.Gateway(t, "hookloop_endpoints"), endpointtest.Config{})
	secret, err := signature.ParseSecret(r.gateways[0].createEndpoint(t, `{"url":"`+s.URL+`"}`).Secret)
	require.NoError(t, err)
	s.Trust(secret)
	r.endpoint = s
	return r
}

// round is TestCluster's, after which every part is healthy.
func (r dockerRun) round(name string, blow func(*clusterLoad)) int {
	r.t.Helper()
	return r.clusterRun.round(name, func(l *clusterLoad) {
		blow(l)
		r.d.AwaitHealthy(r.t)
		r.place.Temporal = r.d.Address(r.t, "temporal") + ":7233" // the test looks at histories there
		r.goOn(l)
		l.last.Store(0)
	})
}

// goOn waits until some more events were taken.
func (r dockerRun) goOn(l *clusterLoad) {
	r.t.Helper()
	enough := l.answered() + clusterRound/3
	eventually(r.t, "events are taken again", func() bool { return l.answered() >= enough })
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
		eventually(r.t, p+" is back", func() bool { return r.d.Started(r.t, p) != began[p] })
	}
}

// links cuts each link until posts are refused, or go on without it, and mends it.
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
	for _, part := range []string{"temporal", "postgres", "worker"} {
		r.round(part+" gets another address", func(l *clusterLoad) {
			heal := r.d.Disconnect(r.t, part)
			r.awaitEffect(l)
			heal()
		})
	}
}

// awaitEffect waits until posts are refused, or so many were taken that the link does not matter to
// them.
func (r dockerRun) awaitEffect(l *clusterLoad) {
	r.t.Helper()
	enough := l.answered() + clusterRound
	eventually(r.t, "the cut is felt, or does not matter", func() bool {
		return l.refused.Load() >= clusterClients || l.answered() >= enough
	})
}
