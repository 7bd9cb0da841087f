// Package docker runs docker-compose.yml in a Docker engine of its own, for tests: its data, its
// socket and its images lie in one folder, and no other engine on the machine learns of them.
// Images that cannot be pulled have stand-ins, made from Debian and the Go proxy (README.md says
// what these do not prove). It decides what runs and how a part of it is killed or cut off; what
// must hold then is its caller's to say.
package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"hookloop/internal/config"
)

// Patience bounds each thing an engine is to do: far above what it takes on a busy machine.
const Patience = 10 * time.Minute

// Person is the number of a user that is not root and may use the engine, and of their group. No
// machine has such a user already.
const Person = 17170

// Engine is a Docker engine with a copy of the checkout, in which commands run.
type Engine struct {
	Dir      string // of the engine; kept from run to run, for its images
	Checkout string // the copy; it belongs to Person

	env      []string
	deadline time.Time // of the preparation; zero: it has none
	daemon   *exec.Cmd
	ended    chan struct{} // closed when the daemon has
}

// Start starts an engine with a copy of the checkout, or skips the test and says what is missing.
// It leaves nothing behind but Dir.
func Start(t testing.TB) *Engine {
	t.Helper()
	if missing := missing(t.Context()); missing != "" {
		skip(t, missing)
	}
	dir := filepath.Join(os.TempDir(), "hookloop-docker")
	e := &Engine{Dir: dir, Checkout: filepath.Join(dir, "checkout"), deadline: deadline()}
	e.env = []string{
		"DOCKER_HOST=unix://" + e.socket(), "DOCKER_CONFIG=" + e.config(0), "DOCKER_BUILDKIT=1",
		"COMPOSE_ANSI=never", "COMPOSE_PROGRESS=plain", "COMPOSE_FILE=docker-compose.yml:" + e.override(),
	}
	if err := os.MkdirAll(e.Dir, 0o755); err != nil { //nolint:gosec // Person uses what is in it
		t.Fatal(err)
	}
	if err := os.WriteFile(e.override(), []byte(override), 0o644); err != nil { //nolint:gosec // Person reads it
		t.Fatal(err)
	}
	e.keepMachine(t)
	t.Cleanup(e.StopDaemon)
	e.StartDaemon(t)
	e.clean() // what a run left that was killed
	e.installCompose(t)
	e.copyCheckout(t)
	t.Cleanup(func() {
		if t.Failed() {
			logs := filepath.Join(e.Dir, "failed.log")
			t.Log("the containers' logs: " + logs + "\n" + e.try("docker compose logs --no-color --timestamps >"+logs+" 2>&1; docker compose ps --all"))
		}
		e.clean()
	})
	return e
}

// clean removes all but images and caches.
func (e *Engine) clean() {
	_ = e.try(`docker ps --all --quiet | xargs --no-run-if-empty docker rm --force --volumes
		docker volume ls --quiet | xargs --no-run-if-empty docker volume rm
		docker network prune --force`)
	_ = os.RemoveAll(e.Checkout)
}

// config is the folder of a user's settings of Docker.
func (e *Engine) config(user int) string {
	return filepath.Join(e.Dir, "config-"+strconv.Itoa(user))
}

// installCompose gives root and Person Docker Compose.
func (e *Engine) installCompose(t testing.TB) {
	t.Helper()
	program := filepath.Join(e.programs(t, "compose"), "docker-compose")
	e.goBuild(t, "tools", program, "github.com/docker/compose/v2/cmd")
	for _, user := range []int{0, Person} {
		e.Run(t, fmt.Sprintf("mkdir -p %[1]s/cli-plugins; ln -sf %[2]s %[1]s/cli-plugins/; chown -R %[3]d %[1]s", e.config(user), program, user))
	}
}

// Wanted says whether this run is to use an engine: it takes minutes, so that only `make docker`
// asks for it, by HOOKLOOP_DOCKER. A duration there, from the start of the run, bounds the
// preparation.
func Wanted() bool { return config.OS("HOOKLOOP_DOCKER") != "" }

// begun is when this run began.
var begun = time.Now()

// deadline is when programs and images must be ready.
func deadline() time.Time {
	bound, err := time.ParseDuration(config.OS("HOOKLOOP_DOCKER"))
	if err != nil { // 1: none
		return time.Time{}
	}
	return begun.Add(bound)
}

// Ready ends the preparation: what follows is bounded by Patience alone.
func (e *Engine) Ready() { e.deadline = time.Time{} }

func skip(t testing.TB, why string) {
	t.Helper()
	t.Skip("NOT TESTED, docker-compose.yml in an engine: " + why)
}

// fail ends the test: as skipped, where the preparation took too long.
func (e *Engine) fail(t testing.TB, err error, what, said string) {
	t.Helper()
	if !e.deadline.IsZero() && !time.Now().Before(e.deadline) {
		skip(t, "making programs and images takes longer than HOOKLOOP_DOCKER allows; the next run goes on from here")
	}
	t.Fatalf("%v\n%s\n%s", err, what, said)
}

func (e *Engine) socket() string { return filepath.Join(e.Dir, "docker.sock") }

// override is the file that puts the stand-ins into their places.
func (e *Engine) override() string { return filepath.Join(e.Dir, "standins.yml") }

// copyCheckout makes what a clone is, with the changes of this one.
func (e *Engine) copyCheckout(t testing.TB) {
	t.Helper()
	if err := os.MkdirAll(e.Checkout, 0o755); err != nil { //nolint:gosec // any user may read a checkout
		t.Fatal(err)
	}
	list := `cd "$(git rev-parse --show-toplevel)" && git -c core.quotePath=false ls-files -z --cached --others --exclude-standard |
		while IFS= read -r -d '' f; do if [ -e "$f" ]; then printf '%s\0' "$f"; fi; done |
		tar -c --null -T - | tar -x -C "` + e.Checkout + `"
		chown -R ` + fmt.Sprintf("%d:%[1]d", Person) + ` "` + e.Checkout + `"`
	out, err := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", list).CombinedOutput()
	if err != nil {
		t.Fatalf("copying the checkout: %v\n%s", err, out)
	}
}

// Run runs commands in the checkout as root would, and answers what they print.
func (e *Engine) Run(t testing.TB, script string) string {
	t.Helper()
	out, err := e.run(t.Context(), 0, script)
	if err != nil {
		e.fail(t, err, script, out)
	}
	return out
}

// RunAsPerson runs commands in the checkout as a user would who is not root and may use the engine.
func (e *Engine) RunAsPerson(t testing.TB, script string) string {
	t.Helper()
	out, err := e.run(t.Context(), Person, script)
	if err != nil {
		e.fail(t, err, script, out)
	}
	return out
}

// Refused runs commands that must fail, and answers what they print.
func (e *Engine) Refused(t testing.TB, script string) string {
	t.Helper()
	out, err := e.run(t.Context(), 0, script)
	if _, refused := errors.AsType[*exec.ExitError](err); !refused {
		t.Fatalf("%s: not refused, but %v\n%s", script, err, out)
	}
	return out
}

// try is for what may fail, also after the test.
func (e *Engine) try(script string) string {
	out, err := e.run(context.Background(), 0, script)
	if err != nil {
		out += "\n" + err.Error()
	}
	return out
}

func (e *Engine) run(ctx context.Context, user int, script string) (string, error) {
	ctx, cancel := e.bounded(ctx)
	defer cancel()
	c := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script)
	var out bytes.Buffer
	c.Env, c.Stdout, c.Stderr, c.WaitDelay = append(c.Environ(), e.env...), &out, &out, 10*time.Second
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // what it starts ends with it
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
	if user != 0 {
		c.Env = append(c.Env, "HOME="+e.config(Person), "DOCKER_CONFIG="+e.config(Person))
		c.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(user), Gid: uint32(user)}
	}
	if _, err := os.Stat(e.Checkout); err == nil {
		c.Dir = e.Checkout
	}
	err := c.Run()
	return strings.TrimSpace(out.String()), err
}

// bounded ends a command with Patience, or with what is left of the preparation.
func (e *Engine) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if e.deadline.IsZero() {
		return context.WithTimeout(ctx, Patience)
	}
	return context.WithDeadline(ctx, e.deadline)
}
