package docker

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Services are those that run all the time.
var Services = []string{"postgres", "temporal", "temporal-ui", "hookloop", "worker"}

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
			if time.Since(begun) > patience {
				t.Fatalf("%s is not healthy: %s", s, e.try("docker compose ps --all"))
			}
		}
	}
}

// Address is a service's in the network that all parts share.
func (e *Engine) Address(t testing.TB, service string) string {
	t.Helper()
	return e.inspect(t, service, `{{(index .NetworkSettings.Networks "hookloop_default").IPAddress}}`)
}

// Gateway is this machine's address in a network.
func (e *Engine) Gateway(t testing.TB, network string) string {
	t.Helper()
	return e.Run(t, "docker network inspect --format '{{(index .IPAM.Config 0).Gateway}}' "+network)
}

// Cut lets no packet pass between two services, as a broken switch does: nothing is refused,
// nothing arrives. heal lets them pass again.
func (e *Engine) Cut(t testing.TB, one, other string) (heal func()) {
	t.Helper()
	pid, address := e.pid(t, one), e.Address(t, other)
	rules := func(what string) {
		t.Helper()
		for _, rule := range []string{"INPUT -s", "OUTPUT -d"} {
			e.Run(t, fmt.Sprintf("nsenter --net --target %d iptables -w --%s %s %s -j DROP", pid, what, rule, address))
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
		// What stands at the old address meanwhile keeps it.
		e.Run(t, "docker run --detach --rm --name other --network hookloop_default "+debian+" sleep 1000")
		e.Run(t, fmt.Sprintf("docker network connect --alias %s hookloop_default %s; docker rm --force other", service, name))
		if now := e.Address(t, service); now == before {
			t.Fatalf("%s has kept %s", service, before)
		}
	}
}

// Memory says what each container has used at most, as its bound counts.
func (e *Engine) Memory() string {
	return e.try("docker stats --no-stream --format '{{.Name}} {{.MemUsage}}'")
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
