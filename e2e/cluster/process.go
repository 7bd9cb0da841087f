package cluster

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os/exec"
	"runtime"
	"sync"
	"testing"
	"time"

	"hookloop/e2e/wires"
)

// Process is a part of the cluster that can be killed and started again at the same address.
type Process struct {
	Name    string
	Address string // host:port
	path    string
	args    []string
	env     []string
	node    *wires.Node // where it runs; nil: here

	cmd   *exec.Cmd
	ended chan struct{}
	said  *tail
}

// URL is where one that speaks HTTP does.
func (p *Process) URL() string { return "http://" + p.Address }

// PID is that of the run under way.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Start returns when the process says that it listens. It stops with the test.
func (p *Process) Start(t testing.TB) {
	t.Helper()
	p.ended, p.said = make(chan struct{}), &tail{}
	p.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), p.path, p.args...)
	p.cmd.Env, p.cmd.SysProcAttr, p.cmd.Stderr = p.env, apart(), p.said
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	listens := make(chan struct{})
	if err := p.launch(stdout, listens); err != nil {
		t.Fatalf("%s: %v", p.Name, err)
	}
	stop := p.stopper()
	t.Cleanup(stop)
	select {
	case <-listens:
	case <-p.ended:
		t.Fatalf("%s ended: %s", p.Name, p.said)
	case <-time.After(patience):
		t.Fatalf("%s does not listen: %s", p.Name, p.said)
	case <-t.Context().Done():
		t.Fatalf("%s: %v", p.Name, t.Context().Err())
	}
}

// launch starts the process. It stays on one thread until that has ended: upon that thread's death,
// not this process's, Linux ends what it started.
func (p *Process) launch(stdout io.Reader, listens chan struct{}) error {
	cmd, ended := p.cmd, p.ended
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.startThere()
		started <- err
		if err != nil {
			return
		}
		lines := bufio.NewReader(stdout)
		if _, err := lines.ReadString('\n'); err == nil {
			close(listens)
		}
		_, _ = io.Copy(io.Discard, lines)
		_ = cmd.Wait() // whether it had to end is its killer's knowledge
		close(ended)
	}()
	return <-started
}

// startThere starts the process where it is to run.
func (p *Process) startThere() error {
	if p.node == nil {
		return p.cmd.Start()
	}
	leave, err := p.node.Enter()
	if err != nil {
		return err
	}
	defer leave()
	return p.cmd.Start()
}

// stopper ends this run and no later one, at once: what it had is removed after it.
func (p *Process) stopper() func() {
	cmd, ended := p.cmd, p.ended
	return func() {
		_ = cmd.Process.Kill() // it may have ended
		<-ended
	}
}

// Kill is kill -9, and returns when the process is gone.
func (p *Process) Kill(t testing.TB) {
	t.Helper()
	select {
	case <-p.ended:
		t.Fatalf("%s had ended by itself: %s", p.Name, p.said)
	default:
	}
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// AwaitReady asks /readyz until the process can do its work.
func (p *Process) AwaitReady(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for again := time.NewTicker(50 * time.Millisecond); ; {
		if ready(ctx, p.URL()+"/readyz") {
			again.Stop()
			return
		}
		select {
		case <-again.C:
		case <-p.ended:
			t.Fatalf("%s ended: %s", p.Name, p.said)
		case <-ctx.Done():
			t.Fatalf("%s is not ready: %s", p.Name, p.said)
		}
	}
}

func ready(ctx context.Context, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer func() { _ = resp.Body.Close() }()
	return resp.StatusCode == http.StatusOK
}

// Said is the end of what the process wrote to stderr.
func (p *Process) Said() string { return p.said.String() }

// tail keeps the end of what is written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

const tailSize = 8 << 10

func (w *tail) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.b = append(w.b, p...)
	w.b = w.b[max(0, len(w.b)-tailSize):]
	return len(p), nil
}

func (w *tail) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(bytes.Clone(w.b))
}

// FreeAddress lies below what systems hand out by themselves (32768 and up): no program that asks
// for any port may be given a killed process's.
func FreeAddress(t testing.TB) string {
	t.Helper()
	for range 100 {
		at := fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000))
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", at)
		if err != nil {
			continue
		}
		_ = l.Close()
		return at
	}
	t.Fatal("no port between 20000 and 32000 is free")
	return ""
}
