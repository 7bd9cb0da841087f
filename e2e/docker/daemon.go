package docker

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// systemSocket is where the machine's own engine listens, if it has one.
const systemSocket = "/var/run/docker.sock"

// missing says why there can be no engine here.
func missing(ctx context.Context) string {
	switch {
	case runtime.GOOS != "linux":
		return "it takes Linux"
	case os.Getuid() != 0:
		return "it takes root"
	}
	for _, need := range [][2]string{
		{"dockerd", "docker.io"},
		{"docker", "docker.io"},
		{"debootstrap", "debootstrap"},
		{"iptables", "iptables"},
		{"nsenter", "util-linux"},
		{"taskset", "util-linux"},
		{"ip", "iproute2"},
		{"openssl", "openssl"},
	} {
		if _, err := exec.LookPath(need[0]); err != nil {
			return fmt.Sprintf("no %s (Debian: apt-get install %s)", need[0], need[1])
		}
	}
	if c, err := (&net.Dialer{}).DialContext(ctx, "unix", systemSocket); err == nil {
		_ = c.Close()
		return "an engine runs here already, and two do not share a machine's firewall"
	}
	for _, address := range []string{"127.0.0.1:8080", "127.0.0.1:8233"} {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		if err != nil {
			return err.Error()
		}
		_ = l.Close()
	}
	return ""
}

// keepMachine puts the machine back as it was when the engine has ended: an engine leaves its rules
// in the firewall, its bridge, and two files.
func (e *Engine) keepMachine(t testing.TB) {
	t.Helper()
	const forwarding = "/proc/sys/net/ipv4/ip_forward"
	before, err := os.ReadFile(forwarding)
	if err != nil {
		t.Fatal(err)
	}
	policy := e.try("iptables -w -S FORWARD | grep -E '^-P' || true")
	var made []string
	for _, path := range []string{"/etc/docker/key.json", "/opt/containerd"} {
		if _, err := os.Stat(path); err != nil {
			made = append(made, path)
		}
	}
	t.Cleanup(func() {
		rules := `{ grep -vE 'DOCKER|docker0|br-[0-9a-f]{12}' || true; } | iptables-restore -w`
		if strings.Contains(policy, "ACCEPT") {
			rules = "sed 's/^:FORWARD DROP/:FORWARD ACCEPT/' | " + rules
		}
		_ = e.try("iptables-save | " + rules + "; ip link delete docker0")
		_ = os.WriteFile(forwarding, before, 0o600)
		for _, path := range made {
			_ = os.RemoveAll(path)
		}
	})
}

// StartDaemon starts dockerd, by a command before it if one is given. A machine on which it cannot
// start skips the test.
func (e *Engine) StartDaemon(t testing.TB, by ...string) {
	t.Helper()
	settings := filepath.Join(e.Dir, "daemon.json") // and not the machine's own
	if err := os.WriteFile(settings, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	said, err := os.Create(filepath.Join(e.Dir, "dockerd.log"))
	if err != nil {
		t.Fatal(err)
	}
	args := append(by, "dockerd", "--config-file", settings, "--host", "unix://"+e.socket(), "--group", strconv.Itoa(Person), //nolint:gocritic // it is this call's own
		"--data-root", filepath.Join(e.Dir, "data"), "--exec-root", filepath.Join(e.Dir, "exec"), "--pidfile", filepath.Join(e.Dir, "docker.pid"))
	d := exec.CommandContext(context.WithoutCancel(t.Context()), args[0], args[1:]...)
	d.Stdout, d.Stderr = said, said
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = d.Wait(); _ = said.Close(); close(ended) }()
	e.daemon, e.ended = d, ended
	e.awaitDaemon(t, said.Name())
}

func (e *Engine) awaitDaemon(t testing.TB, log string) {
	t.Helper()
	for begun := time.Now(); ; {
		select {
		case <-e.ended:
			skip(t, "dockerd does not start here: "+lastLines(log))
		case <-time.After(100 * time.Millisecond):
		}
		if _, err := e.run(t.Context(), 0, "docker version"); err == nil {
			return
		} else if time.Since(begun) > 2*time.Minute {
			t.Fatalf("dockerd does not answer: %v\n%s", err, lastLines(log))
		}
	}
}

// StopDaemon stops dockerd, and with it all containers, as a machine that is shut down does.
func (e *Engine) StopDaemon() {
	if e.daemon == nil {
		return
	}
	_ = e.daemon.Process.Signal(syscall.SIGTERM) // it may have ended
	<-e.ended
}

// RestartOnOneProcessor restarts the engine and what runs in it, as a machine with one processor
// does.
func (e *Engine) RestartOnOneProcessor(t testing.TB) {
	t.Helper()
	const first = `grep -m1 Cpus_allowed_list /proc/self/status | grep -oE '[0-9]+' | head -1`
	cpu := e.Run(t, first)
	e.Run(t, "docker update --cpuset-cpus "+cpu+" $(docker ps --quiet)") // what runs keeps that; dockerd's own goes not so far
	e.StopDaemon()
	e.StartDaemon(t, "taskset", "--cpu-list", cpu)
	if n := e.Run(t, "docker info --format '{{.NCPU}}'"); n != "1" {
		t.Fatalf("the engine has %s processors", n)
	}
}

func lastLines(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(content[max(0, len(content)-2000):])
}
