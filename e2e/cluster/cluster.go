// Package cluster runs the production shape in processes, without Docker: PostgreSQL, a Temporal
// server on it, `hookloop migrate`, and as many gateways and workers as asked for. e2e kills its
// parts and brings them back; `make cluster` lets people look at it. What is installed and built
// decides what runs: nothing is downloaded.
package cluster

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"hookloop/e2e/wires"
	"hookloop/internal/postgrestest"
)

// patience bounds each thing a part is to do: far above what it takes on a busy machine.
const patience = 2 * time.Minute

// secret signs tokens. It guards a cluster on loopback that lives for minutes.
const secret = "the secret of a cluster on loopback"

// Deployment is the name of the versions of workers that have one.
const Deployment = "hookloop"

// Config says what to run.
type Config struct {
	// Dir holds keys and programs. It must exist; the caller removes it.
	Dir string
	// Hookloop is the program. Empty: it is built, without the embedded engine.
	Hookloop string
	// Temporal is the program of its server. Empty: it is built.
	Temporal string
	// Roles to run. Empty: two gateways and two workers.
	Roles []string
	// Builds are the versions of the workers, in their order. Empty: they have none.
	Builds []string
	// Bare runs the yardstick beside it: as many processes of workflows that do nothing as accept
	// events.
	Bare bool
	// Lean drops the indexes of Temporal's lists that nothing asks for.
	Lean bool
	// UI is the origin of a Temporal UI that may decode histories. Empty: none may.
	UI string
	// Nodes gives each part a place in a network: "postgres", "temporal", "gateway 1", "worker 2".
	// Nil: all are on loopback.
	Nodes func(part string) *wires.Node
	// Programs are those of the workers that are not of Hookloop's build, in their order; an empty
	// one is. Empty: all are.
	Programs []string
	// More is set in the environment of all Hookloops.
	More []string
}

// Cluster is what runs.
type Cluster struct {
	Postgres  *postgrestest.Server
	Temporal  *Process
	Gateways  []*Process // those that accept events: gateway, serve
	Workers   []*Process // those that only deliver: worker
	Bares     []*Process // the yardstick
	Namespace string
	Token     string // every scope, every tenant

	cfg Config
	env []string // of hookloop
}

// Start returns when everything is ready. It all ends with the test.
func Start(t testing.TB, cfg Config) *Cluster {
	t.Helper()
	if len(cfg.Roles) == 0 {
		cfg.Roles = []string{"gateway", "gateway", "worker", "worker"}
	}
	c := &Cluster{cfg: cfg, Namespace: "hookloop"}
	c.Postgres = postgrestest.Start(t, c.postgres())
	if c.cfg.Hookloop == "" {
		c.cfg.Hookloop = build(t, cfg.Dir, "hookloop", "-tags=noembed", "hookloop/cmd/hookloop")
	}
	if c.cfg.Temporal == "" {
		c.cfg.Temporal = build(t, cfg.Dir, "temporal", "hookloop/e2e/cluster/temporal")
	}
	c.Temporal = &Process{Name: "temporal", path: c.cfg.Temporal, env: []string{"CLUSTER_POSTGRES=" + c.Postgres.URL("postgres")}}
	c.settle(t, c.Temporal)
	c.Temporal.args = []string{"-listen", c.Temporal.Address}
	if c.Temporal.node != nil {
		c.Temporal.args = append(c.Temporal.args, "-apart")
	}
	c.Temporal.Start(t)
	c.prepare(t)
	for _, role := range cfg.Roles {
		c.add(t, role)
	}
	if cfg.Bare {
		c.addBares(t)
	}
	for _, p := range append(c.Hookloops(), c.Bares...) {
		p.Start(t)
	}
	for _, p := range c.Hookloops() {
		p.AwaitReady(t)
	}
	return c
}

// endsDeadIn30s lets PostgreSQL end a connection whose other end is gone, and with it the locks of
// its transaction: a reset that a bad cable loses is never sent again. docker-compose.yml has them.
var endsDeadIn30s = []string{
	"tcp_user_timeout=30s", "tcp_keepalives_idle=10", "tcp_keepalives_interval=5", "tcp_keepalives_count=4",
}

// postgres is PostgreSQL's configuration.
func (c *Cluster) postgres() postgrestest.Config {
	p := postgrestest.Config{Fsync: true, Settings: endsDeadIn30s}
	if c.cfg.Nodes != nil {
		node := c.cfg.Nodes("postgres")
		p.Host, p.Enter = node.Address, node.Enter
	}
	return p
}

// settle gives a process the place where it listens.
func (c *Cluster) settle(t testing.TB, p *Process) {
	t.Helper()
	if c.cfg.Nodes == nil {
		p.Address = FreeAddress(t)
		return
	}
	p.node = c.cfg.Nodes(p.Name)
	p.Address = p.node.Address + ":8080"
}

// Hookloops are all processes but Temporal's.
func (c *Cluster) Hookloops() []*Process {
	return append(append([]*Process{}, c.Gateways...), c.Workers...)
}

// Dir holds keys and programs.
func (c *Cluster) Dir() string { return c.cfg.Dir }

// Ended yields the first process that ends.
func (c *Cluster) Ended() <-chan *Process {
	first := make(chan *Process, 1)
	for _, p := range append(c.Hookloops(), c.Temporal) {
		go func(ended <-chan struct{}) {
			<-ended
			select {
			case first <- p:
			default:
			}
		}(p.ended)
	}
	return first
}

// prepare does what an operator does once: keys, then `hookloop migrate`.
func (c *Cluster) prepare(t testing.TB) {
	t.Helper()
	registryKey, historyKey := filepath.Join(c.cfg.Dir, "registry.key"), filepath.Join(c.cfg.Dir, "history.key")
	c.env = []string{
		"HOME=" + c.cfg.Dir, "HOOKLOOP_JWT_SECRET=" + secret, "HOOKLOOP_REGISTRY=" + c.Postgres.NewDatabase(t),
		"HOOKLOOP_REGISTRY_KEY_FILE=" + registryKey, "HOOKLOOP_HISTORY_KEY_FILE=" + historyKey,
		"HOOKLOOP_ALLOW_NETWORKS=127.0.0.0/8", "HOOKLOOP_UI_ORIGINS=" + c.cfg.UI,
		"TEMPORAL_ADDRESS=" + c.Temporal.Address, "TEMPORAL_NAMESPACE=" + c.Namespace,
	}
	c.env = append(c.env, c.cfg.More...)
	c.Hookloop(t, "key", "registry", "--out", registryKey)
	c.Hookloop(t, "key", "history", "--out", historyKey)
	c.migrate(t)
	c.Token = strings.TrimSpace(c.Hookloop(t, "token"))
}

func (c *Cluster) migrate(t testing.TB) {
	t.Helper()
	if !c.cfg.Lean {
		c.Hookloop(t, "migrate")
		return
	}
	env := append([]string{"HOOKLOOP_TEMPORAL_VISIBILITY=" + c.Postgres.URL("temporal_visibility")}, c.env...)
	output(t, env, c.cfg.Hookloop, "migrate", "--lean-visibility")
}

// Hookloop runs one command of it to its end.
func (c *Cluster) Hookloop(t testing.TB, args ...string) string {
	t.Helper()
	return output(t, c.env, c.cfg.Hookloop, args...)
}

func (c *Cluster) add(t testing.TB, role string) {
	t.Helper()
	all := &c.Gateways
	if role == "worker" {
		all = &c.Workers
	}
	n := len(*all)
	p := &Process{Name: fmt.Sprintf("%s %d", role, n+1), path: c.cfg.Hookloop, args: []string{role}}
	c.settle(t, p)
	p.env = append(append([]string{}, c.env...), "HOOKLOOP_LISTEN="+p.Address, "HOOKLOOP_OPS_LISTEN="+p.Address)
	if role == "worker" && n < len(c.cfg.Builds) {
		p.env = append(p.env, "HOOKLOOP_DEPLOYMENT_NAME="+Deployment, "HOOKLOOP_DEPLOYMENT_BUILD_ID="+c.cfg.Builds[n])
	}
	if role == "worker" && n < len(c.cfg.Programs) && c.cfg.Programs[n] != "" {
		p.path = c.cfg.Programs[n]
	}
	*all = append(*all, p)
}

func (c *Cluster) addBares(t testing.TB) {
	t.Helper()
	path := build(t, c.cfg.Dir, "bare", "hookloop/e2e/cluster/bare")
	for i := range c.Gateways {
		at := FreeAddress(t)
		c.Bares = append(c.Bares, &Process{
			Name: fmt.Sprintf("bare %d", i+1), Address: at, path: path,
			args: []string{"-listen", at, "-temporal", c.Temporal.Address, "-namespace", c.Namespace},
		})
	}
}

func build(t testing.TB, dir, name string, args ...string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	output(t, nil, "go", append([]string{"build", "-o", path}, args...)...)
	return path
}

// output runs a program to its end. Env nil is this process's.
func output(t testing.TB, env []string, program string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env, cmd.SysProcAttr = env, apart()
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = patience
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v: %s", filepath.Base(program), strings.Join(args, " "), err, out)
	}
	return string(out)
}
