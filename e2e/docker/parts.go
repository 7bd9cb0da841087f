package docker

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Services are those that run all the time.
var Services = []string{"postgres", "temporal", "temporal-ui", "ui", "hookloop", "worker"}

// Kill ends the processes of services without a word, as a crash does; the engine brings them back.
func (e *Engine) Kill(t testing.TB, services ...string) {
	t.Helper()
	var pids []int
	for _, s := range services {
		pids = append(pids, e.pid(t, s))
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
}

// Started is when the run of a service under way began.
func (e *Engine) Started(t testing.TB, service string) string {
	t.Helper()
	return e.inspect(t, service, "{{.State.StartedAt}}")
}

// AwaitHealthy waits until the engine says so of services, all if none is named. What it says of
// one that was just killed may be from before; Started tells.
func (e *Engine) AwaitHealthy(t testing.TB, services ...string) {
	t.Helper()
	if len(services) == 0 {
		services = Services
	}
	for _, s := range services {
		for begun := time.Now(); e.inspect(t, s, "{{.State.Health.Status}}") != "healthy"; <-time.After(200 * time.Millisecond) {
			if time.Since(begun) > Patience {
				t.Fatalf("%s is not healthy: %s", s, e.try("docker compose ps --all"))
			}
		}
	}
}

// Address is a service's in the network that all parts share.
func (e *Engine) Address(t testing.TB, service string) string {
	t.Helper()
	return e.AddressIn(t, service, "hookloop_default")
}

// AddressIn is a service's in one of its networks.
func (e *Engine) AddressIn(t testing.TB, service, network string) string {
	t.Helper()
	return e.inspect(t, service, `{{(index .NetworkSettings.Networks "`+network+`").IPAddress}}`)
}

// GatewayOf is this machine's address in one of a service's networks.
func (e *Engine) GatewayOf(t testing.TB, service, network string) string {
	t.Helper()
	return e.inspect(t, service, `{{(index .NetworkSettings.Networks "`+network+`").Gateway}}`)
}

// Cut lets no packet pass between two services, as a broken switch does: nothing is refused,
// nothing arrives. heal lets them pass again.
func (e *Engine) Cut(t testing.TB, one, other string) (heal func()) {
	t.Helper()
	pid, address := e.pid(t, one), e.Address(t, other)
	rules := func(what string) {
		t.Helper()
		for _, rule := range []string{"INPUT -s", "OUTPUT -d"} {
			e.Run(t, fmt.Sprintf("nsenter --net --target %d iptables -w --%s %s %s -j DROP || ! kill -0 %[1]d", pid, what, rule, address))
		}
	}
	rules("insert")
	return func() { rules("delete") }
}

// Disconnect takes a service off the network. heal connects it again, with another address than
// before.
func (e *Engine) Disconnect(t testing.TB, service string) (heal func()) {
	t.Helper()
	name, before := e.container(service), e.Address(t, service)
	e.Run(t, "docker network disconnect hookloop_default "+name)
	return func() {
		t.Helper()
		// What stands at the old address meanwhile keeps it; others may get those below it first.
		e.Run(t, fmt.Sprintf(`for n in 1 2 3 4 5; do
				docker run --detach --rm --name other-$n --network hookloop_default %s sleep 1000
				docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' other-$n | grep -qxF %s && break
			done
			docker network connect --alias %s hookloop_default %s
			docker ps --quiet --filter name=other- | xargs docker rm --force`, debian, before, service, name))
		if now := e.Address(t, service); now == before {
			t.Fatalf("%s has kept %s", service, before)
		}
	}
}

// InterruptStart brings everything up, and kills one of the services that run once as soon as it
// runs: a start that was interrupted. It answers whether that was before the service had ended.
func (e *Engine) InterruptStart(t testing.TB, service string) (killed bool) {
	t.Helper()
	ctx, interrupt := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = e.run(ctx, 0, "docker compose up --detach") // what waits for the service fails
	}()
	for !killed {
		select {
		case <-ended:
			interrupt()
			return false
		case <-time.After(20 * time.Millisecond):
			killed = e.kills(t, service)
		}
	}
	interrupt()
	<-ended
	return true
}

func (e *Engine) kills(t testing.TB, container string) bool {
	t.Helper()
	_, err := e.run(t.Context(), 0, "docker kill "+e.container(container))
	return err == nil
}

// Memory says what each container uses, and its bound.
func (e *Engine) Memory() string {
	return e.try("docker stats --no-stream --format '{{.Name}} {{.MemUsage}}'")
}

// Peak is the most that a service's process was resident with.
func (e *Engine) Peak(t testing.TB, service string) string {
	t.Helper()
	return e.Run(t, fmt.Sprintf("grep VmHWM /proc/%d/status", e.pid(t, service)))
}

func (e *Engine) container(service string) string { return "hookloop-" + service + "-1" }

func (e *Engine) inspect(t testing.TB, service, format string) string {
	t.Helper()
	return e.Run(t, fmt.Sprintf("docker inspect --format '%s' %s", format, e.container(service)))
}

func (e *Engine) pid(t testing.TB, service string) int {
	t.Helper()
	pid, err := strconv.Atoi(strings.TrimSpace(e.inspect(t, service, "{{.State.Pid}}")))
	if err != nil || pid < 2 { // one that does not run has none, and 0 would be this process's own group
		t.Fatalf("%s does not run (%d, %v)", service, pid, err)
	}
	return pid
}
