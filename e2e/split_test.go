package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/check"
	"hookloop/internal/endpointtest"
	"hookloop/internal/postgrestest"
)

// split is the production shape in processes: a Temporal elsewhere, a registry on PostgreSQL,
// histories encrypted.
type split struct {
	t    *testing.T
	env  []string
	dirs []string // where databases lie
}

func startSplit(t *testing.T) *split {
	t.Helper()
	db := postgrestest.Start(t, postgrestest.Config{})
	dir := t.TempDir()
	e := startEngine(t, dir, "127.0.0.1:0")
	s := &split{t: t, dirs: []string{dir, db.Data}, env: []string{
		"HOME=" + dir, "HOOKLOOP_JWT_SECRET=" + serviceSecret, "HOOKLOOP_LISTEN=127.0.0.1:0", "HOOKLOOP_OPS_LISTEN=127.0.0.1:0",
		"HOOKLOOP_REGISTRY=" + db.NewDatabase(t), "HOOKLOOP_ALLOW_NETWORKS=127.0.0.0/8",
		"HOOKLOOP_REGISTRY_KEY_FILE=" + s0(dir, "registry.key"), "HOOKLOOP_HISTORY_KEY_FILE=" + s0(dir, "history.key"),
		"TEMPORAL_ADDRESS=" + e.HostPort(), "TEMPORAL_NAMESPACE=hookloop",
	}}
	s.hookloop("key", "registry", "--out", s0(dir, "registry.key"))
	s.hookloop("key", "history", "--out", s0(dir, "history.key"))
	require.Contains(t, s.hookloop("migrate"), "namespace hookloop was made, retention 720h0m0s\nsearch attributes added: [Tenant EventType Endpoint Outcome Accepted]")
	require.Contains(t, s.hookloop("migrate"), "namespace hookloop is there, retention 720h0m0s\n")
	return s
}

func s0(dir, name string) string { return filepath.Join(dir, "keys-"+name) }

func (s *split) hookloop(args ...string) string {
	s.t.Helper()
	c := exec.CommandContext(s.t.Context(), binary, args...)
	c.Env = s.env
	out, err := c.CombinedOutput()
	require.NoError(s.t, err, string(out))
	return string(out)
}

func (s *split) run(role string) *process {
	s.t.Helper()
	p := runRole(s.t, role, s.env)
	eventually(s.t, role+" is ready", func() bool {
		return (&keyedLoad{app: app{p}}).get(s.t, "/readyz").status == http.StatusOK
	})
	p.Tenant, p.Token = "acme", mintToken(s.t)
	return p
}

// TestSplit runs two gateways and two workers on one PostgreSQL and one Temporal. One of each is
// killed under load; nothing is lost, and neither payloads nor secrets lie in clear in any
// database.
func TestSplit(t *testing.T) {
	t.Parallel()
	s := startSplit(t)
	gateways := []*process{s.run("gateway"), s.run("gateway")}
	workers := []*process{s.run("worker"), s.run("worker")}
	a := app{gateways[0]}
	server, made := a.listen(t, endpointtest.Config{}, `,"headers":{"X-Key":"header-of-theirs"}`)
	require.Equal(t, made.ID, readEndpoint(t, app{gateways[1]}, made.ID), "what one gateway wrote the other reads")

	w := newWitness()
	w.watch(made.ID, server)
	mended := func() {}
	for n := range 60 {
		require.Equal(t, http.StatusAccepted, app{gateways[n%2]}.postData(t, w, "", fmt.Sprintf(`{"name":"pay-load-%d"}`, n)))
		if n == 20 {
			mended = w.fault("a worker is killed")
			workers[0].kill(syscall.SIGKILL)
		}
	}
	gateways[1].kill(syscall.SIGKILL)
	mended()
	w.judge(t, a, check.Faults)
	for _, p := range []*process{gateways[0], workers[1]} {
		require.Equal(t, 0, p.kill(syscall.SIGTERM), p.stderr.String())
	}
	for _, dir := range s.dirs {
		requireNowhere(t, dir, "pay-load-", "header-of-theirs", strings.TrimPrefix(made.Secret, "whsec_"))
	}
}

// TestWorkersTogether: with three workers an endpoint's rate limit holds in sum and lets all
// through, and what one finds out about an endpoint the others heed. That the limit is used up its
// slots show, in the registry's own test: how soon an attempt follows its slot is the machine's
// affair.
func TestWorkersTogether(t *testing.T) {
	t.Parallel()
	s := startSplit(t)
	a := app{s.run("gateway")}
	for range 3 {
		s.run("worker")
	}
	const n, burst, rate = 65, 5, 4
	limited, _ := a.listen(t, endpointtest.Config{}, `,"event_types":["limited"],"rate_limit":{"per_second":4,"burst":5}`)
	begun := time.Now()
	for i := range n {
		a.post(t, fmt.Sprintf(`{"type":"limited","data":%d}`, i))
	}
	took := receipts(t, limited, n)[n-1].At.Sub(begun).Seconds()
	t.Logf("%d attempts in %.1f s: %.1f a second of %d", n, took, (n-burst)/took, rate)
	require.GreaterOrEqual(t, took, 0.98*(n-burst)/rate, "never more than the limit")

	const events = 450
	broken, _ := a.listen(t, endpointtest.Config{Script: "503"}, `,"event_types":["broken"],"schedule":["0s","24h"]`)
	for i := range events {
		a.post(t, fmt.Sprintf(`{"type":"broken","data":%d}`, i))
	}
	eventually(t, "all are known", func() bool { return len(a.listEvents(t, "delivering")) == events })
	t.Logf("%d attempts of %d until every worker heeded the breaker", len(broken.Receipts()), events)
	require.Less(t, len(broken.Receipts()), events/3, "one opinion, not one for each event")
}

func readEndpoint(t *testing.T, a app, id string) string {
	t.Helper()
	var e endpoint
	a.call(t, http.StatusOK, http.MethodGet, "/endpoints/"+id, "", &e)
	return e.ID
}

// requireNowhere reads every file below a folder.
func requireNowhere(t *testing.T, dir string, texts ...string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		for _, text := range texts {
			if bytes.Contains(content, []byte(text)) {
				t.Errorf("%s holds %s", path, text)
			}
		}
		return err
	}))
}
