package e2e

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/e2e/docker"
)

// TestDocker runs docker-compose.yml in an engine, by the commands of its header as they stand,
// after first starts that were interrupted. Then, under load, each part is killed in turn and all
// together, each link is cut and mended, strangers flood it, a new version takes the place of the
// old one, and the machine restarts with one processor. Nothing that was accepted is lost; the
// checks are TestCluster's.
func TestDocker(t *testing.T) {
	d, begun := startDocker(t)
	d.MakeStandins(t)
	d.Ready()
	t.Logf("engine and stand-ins after %s", time.Since(begun).Round(time.Second))
	begun = time.Now()
	install, try := header(t)
	before, up, found := strings.Cut(install, "docker compose up --wait")
	require.True(t, found)
	d.RunAsPerson(t, before)
	interruptFirstStart(t, d)
	d.RunAsPerson(t, "docker compose up --wait"+up)
	t.Logf("ready after %s", time.Since(begun).Round(time.Second))
	said := d.RunAsPerson(t, try)
	require.Regexp(t, `evt_\w+ .*delivered`, said)
	require.Contains(t, said, "✓ verified")
	d.Run(t, "docker compose --profile receiver rm --stop --force receiver")
	requireImage(t, d)

	r := newDockerRun(t, d)
	require.Zero(t, r.round("nothing is killed", func(*clusterLoad) {}), "duplicates")
	r.kills()
	r.links()
	r.flood()
	r.round("everything stops and starts", func(*clusterLoad) {
		d.RunAsPerson(t, "docker compose down && docker compose up --wait")
	})
	r.round("a new version, by root", func(*clusterLoad) {
		d.Run(t, "echo HOOKLOOP_VERSION=next >> .env\n"+install) // what may run again
	})
	requireRefusal(t, d)
	r.round("the machine restarts with one processor, and three workers", func(*clusterLoad) {
		d.RestartOnOneProcessor(t)
		d.Run(t, "docker compose up --wait --scale worker=3")
	})
	r.requireVersion("Hookloop/next")
	r.requireSameIDs()
	t.Logf("memory:\n%s", d.Memory())
	t.Logf("%d events accepted, all delivered, %d sent twice, in %s", len(r.ids), r.duplicates, time.Since(begun).Round(time.Second))
}

// TestDockerBuild: the Dockerfile builds the program in a container, too, through the Go proxy.
// TestDocker takes one that was built outside, where Go's caches are.
func TestDockerBuild(t *testing.T) {
	d, begun := startDocker(t)
	require.Contains(t, d.BuildProgram(t), "built-in-a-container")
	t.Logf("built in %s", time.Since(begun).Round(time.Second))
}

func startDocker(t *testing.T) (*docker.Engine, time.Time) {
	t.Helper()
	if !docker.Wanted() {
		t.Skip("`make docker` runs it")
	}
	begun := time.Now()
	return docker.Start(t), begun
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

// interruptFirstStart kills the services that prepare the databases in the midst of their work.
func interruptFirstStart(t *testing.T, d *docker.Engine) {
	t.Helper()
	d.Run(t, `docker compose up --detach postgres
		until docker compose exec -T postgres pg_isready -q -h postgres; do sleep 0.2; done
		docker compose exec -T postgres psql -qU postgres -c "CREATE ROLE temporal" -c "CREATE DATABASE temporal OWNER temporal"
		docker compose kill postgres`)
	for _, part := range []string{"databases", "temporal-schema"} {
		t.Logf("%s was killed in its work: %t", part, d.InterruptStart(t, part))
	}
	// As a kill leaves it between a step of Temporal's that drops a column and the record of it.
	d.Run(t, `docker compose up --detach temporal-schema && docker wait hookloop-temporal-schema-1
		docker compose exec -T postgres psql -U postgres -d temporal -c "UPDATE schema_version SET curr_version = '1.3'" | grep -x "UPDATE 1"`)
	t.Logf("migrate was killed in its work: %t", d.InterruptStart(t, "migrate"))
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

// requireRefusal: who may not read a key file learns whose it is and who asked.
func requireRefusal(t *testing.T, d *docker.Engine) {
	t.Helper()
	d.Run(t, "chown 17171:17172 secrets/registry.key")
	said := d.Refused(t, "docker compose run --rm --no-deps -T worker")
	require.Contains(t, said, "registry_key")
	require.Contains(t, said, "mode 0600 and belongs to user 17171, group 17172, and this process runs as user 1000, group 1000")
	d.Run(t, "chown 1000:1000 secrets/registry.key")
}
