// Package docker runs docker-compose.yml in a Docker engine of its own, for tests: its data, its
// socket and its images lie in one folder, and no other engine on the machine learns of them.
// Images that cannot be pulled have stand-ins, made from Debian and the Go proxy (README.md says
// what these do not prove). It decides what runs and how a part of it is killed or cut off; what
// must hold then is its caller's to say.
package docker

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"hookloop/internal/config"
)

// patience bounds whatever an engine is to do: far above what it takes on a busy machine.
const patience = 10 * time.Minute

// systemSocket is where the machine's own engine listens, if it has one.
const systemSocket = "/var/run/docker.sock"

// Engine is a Docker engine with a copy of the checkout, in which commands run.
type Engine struct {
	Dir      string // of the engine; kept from run to run, for its images
	Checkout string // the copy
	env      []string
}

// Start starts an engine and makes the stand-ins, or skips the test and says what is missing.
func Start(t testing.TB) *Engine {
	t.Helper()
	if missing := missing(t.Context()); missing != "" {
		t.Skip("NOT TESTED, docker-compose.yml in an engine: " + missing)
	}
	e := &Engine{Dir: filepath.Join(os.TempDir(), "hookloop-docker"), Checkout: filepath.Join(t.TempDir(), "hookloop")}
	plugins := filepath.Join(e.Dir, "config", "cli-plugins")
	if err := os.MkdirAll(plugins, 0o700); err != nil {
		t.Fatal(err)
	}
	standins := filepath.Join(e.Dir, "standins.yml")
	e.env = append(os.Environ(),
		"DOCKER_HOST=unix://"+e.socket(), "DOCKER_CONFIG="+filepath.Dir(plugins), "COMPOSE_ANSI=never", "COMPOSE_PROGRESS=plain",
		"COMPOSE_FILE=docker-compose.yml"+string(os.PathListSeparator)+standins)
	e.daemon(t)
	goBuild(t, "tools", filepath.Join(plugins, "docker-compose"), "github.com/docker/compose/v2/cmd")
	e.copyCheckout(t)
	e.makeStandins(t, standins)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(e.try("docker compose ps --all; docker compose logs --tail 40"))
		}
		t.Log(e.try("docker compose --profile '*' down --volumes --timeout 5 2>&1 | tail -1"))
	})
	return e
}

// missing says why there can be no engine here.
func missing(ctx context.Context) string {
	switch {
	case runtime.GOOS != "linux":
		return "it takes Linux"
	case os.Getuid() != 0:
		return "it takes root"
	}
	for program, pkg := range map[string]string{"dockerd": "docker.io", "docker": "docker.io", "debootstrap": "debootstrap", "nsenter": "util-linux", "iptables": "iptables"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Sprintf("no %s (Debian: apt-get install %s)", program, pkg)
		}
	}
	if c, err := (&net.Dialer{}).DialContext(ctx, "unix", systemSocket); err == nil {
		_ = c.Close()
		return "an engine runs here already, and two do not share a machine's firewall"
	}
	return ""
}

func (e *Engine) socket() string { return filepath.Join(e.Dir, "docker.sock") }

// daemon starts dockerd, which ends with the test. A machine on which it cannot start skips the
// test.
func (e *Engine) daemon(t testing.TB) {
	t.Helper()
	settings := filepath.Join(e.Dir, "daemon.json") // and not the machine's own
	if err := os.WriteFile(settings, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	said, err := os.Create(filepath.Join(e.Dir, "dockerd.log"))
	if err != nil {
		t.Fatal(err)
	}
	d := exec.CommandContext(context.WithoutCancel(t.Context()), "dockerd", "--config-file", settings, "--host", "unix://"+e.socket(),
		"--data-root", filepath.Join(e.Dir, "data"), "--exec-root", filepath.Join(e.Dir, "exec"), "--pidfile", filepath.Join(e.Dir, "docker.pid"))
	d.Stdout, d.Stderr = said, said
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = d.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = d.Process.Signal(syscall.SIGTERM)
		<-ended
		_ = said.Close()
		_ = exec.CommandContext(context.WithoutCancel(t.Context()), "ip", "link", "delete", "docker0").Run() // it would stay
	})
	for begun := time.Now(); ; {
		select {
		case <-ended:
			t.Skip("NOT TESTED, docker-compose.yml in an engine: dockerd does not start here: " + lastLines(said.Name()))
		case <-time.After(100 * time.Millisecond):
		}
		if _, err := e.run(t.Context(), "docker version"); err == nil {
			return
		} else if time.Since(begun) > time.Minute {
			t.Fatalf("dockerd does not answer: %v\n%s", err, lastLines(said.Name()))
		}
	}
}

func lastLines(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(content[max(0, len(content)-2000):])
}

// copyCheckout makes what somebody has after a clone, with the changes of this one.
func (e *Engine) copyCheckout(t testing.TB) {
	t.Helper()
	if err := os.MkdirAll(e.Checkout, 0o755); err != nil { //nolint:gosec // any user may read a checkout
		t.Fatal(err)
	}
	list := `cd "$(git rev-parse --show-toplevel)" && git ls-files -z --cached --others --exclude-standard | while IFS= read -r -d '' f; do
		if [ -e "$f" ]; then printf '%s\0' "$f"; fi
	done | tar -c --null -T - | tar -x -C "` + e.Checkout + `"`
	out, err := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", list).CombinedOutput()
	if err != nil {
		t.Fatalf("copying the checkout: %v\n%s", err, out)
	}
}

// Run runs commands in the checkout as a person would, and answers what they print.
func (e *Engine) Run(t testing.TB, script string) string {
	t.Helper()
	out, err := e.run(t.Context(), script)
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, script, out)
	}
	return out
}

// try is for what may fail, also after the test.
func (e *Engine) try(script string) string {
	out, err := e.run(context.Background(), script)
	if err != nil {
		out += "\n" + err.Error()
	}
	return out
}

func (e *Engine) run(ctx context.Context, script string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script)
	var out bytes.Buffer
	c.Env, c.Stdout, c.Stderr, c.WaitDelay = e.env, &out, &out, time.Second
	if _, err := os.Stat(e.Checkout); err == nil {
		c.Dir = e.Checkout
	}
	err := c.Run()
	return strings.TrimSpace(out.String()), err
}

// Wanted says whether this run is to use an engine: it takes minutes, so that only `make docker`
// asks for it.
func Wanted() bool { return config.OS("HOOKLOOP_DOCKER") != "" }

// goBuild builds a program of a module beside this package, with the flags that the rest is built
// with.
func goBuild(t testing.TB, module, to, pkg string, flags ...string) {
	t.Helper()
	args := append([]string{"build", "-C", filepath.Join(here(), module), "-ldflags=-s -w", "-o", to}, flags...)
	build := exec.CommandContext(t.Context(), "go", append(args, pkg)...)
	var said bytes.Buffer
	build.Stdout, build.Stderr = io.Discard, &said
	if err := build.Run(); err != nil {
		t.Fatalf("go build %s: %v\n%s", pkg, err, said.String())
	}
}

// here is this package's folder.
func here() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(file)
}
