// Package e2e holds black-box tests: the real binary, started as a user would, against real
// endpoints. What it learns it learns through the API, the CLI and the wire.
package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"hookloop/e2e/docker"
)

// binary is hookloop, built once for all tests of this package but those of `make docker`, whose
// programs run in containers.
var binary string

// TestMain lets twice as many tests run at a time as there are processors, unless -parallel says
// otherwise: they mostly wait, for timers and for what they killed. Eight at most: one with a
// browser takes a gigabyte.
func TestMain(m *testing.M) {
	_ = flag.Set("test.parallel", strconv.Itoa(min(2*runtime.GOMAXPROCS(0), 8)))
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	if docker.Wanted() {
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "hookloop-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if binary, err = build(dir, "hookloop/cmd/hookloop"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// build gives the path of a program. Without symbols the linker has half the work.
func build(dir, pkg string) (string, error) {
	program := filepath.Join(dir, filepath.Base(pkg))
	out, err := exec.CommandContext(context.Background(), "go", "build", "-ldflags=-s -w", "-o", program, pkg).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build %s: %w\n%s", pkg, err, out)
	}
	return program, nil
}

// patience bounds every wait for something that must happen. It is far above what anything takes
// on a busy machine; nothing waits for it when all is well.
const patience = 2 * time.Minute

// place is dev.json.
type place struct {
	Gateway, Temporal, Namespace, UI, Tenant, Token string
}

// process is one run of `hookloop dev`.
type process struct {
	place
	Metrics string // of a process of the production shape
	cmd     *exec.Cmd
	done    chan struct{} // closed when it has ended
	stderr  *output
}

// output collects what a process prints.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// start runs `hookloop dev` on data until the test ends, and returns when it is ready.
func start(t *testing.T, data string, args ...string) *process {
	t.Helper()
	return startIn(t, nil, data, args...)
}

// startIn adds to the environment of the process.
func startIn(t *testing.T, env []string, data string, args ...string) *process {
	t.Helper()
	return startProgram(t, binary, env, data, args...)
}

// startProgram runs a hookloop that was built otherwise.
func startProgram(t *testing.T, program string, env []string, data string, args ...string) *process {
	t.Helper()
	p := launchIn(t, program, env, data, args...)
	content, err := os.ReadFile(filepath.Join(data, "dev.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(content, &p.place))
	return p
}

// startEncrypted has a key for its histories.
func startEncrypted(t *testing.T, data string) *process {
	t.Helper()
	key := filepath.Join(t.TempDir(), "history.key")
	_, stderr, code := hookloop(t, "key", "history", "--out", key)
	require.Zero(t, code, stderr)
	return startIn(t, []string{"HOOKLOOP_HISTORY_KEY_FILE=" + key}, data)
}

// launchIn starts the process and waits for its greeting.
func launchIn(t *testing.T, program string, env []string, data string, args ...string) *process {
	t.Helper()
	args = append([]string{
		"dev", "--data", data, "--json",
		"--listen", "127.0.0.1:0", "--temporal-listen", "127.0.0.1:0", "--ui-listen", "127.0.0.1:0",
	}, args...)
	p := &process{cmd: exec.CommandContext(t.Context(), program, args...), done: make(chan struct{}), stderr: &output{}}
	p.cmd.WaitDelay = patience
	p.cmd.Stderr, p.cmd.Env = p.stderr, append(os.Environ(), env...)
	stdout, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() { p.kill(syscall.SIGKILL) }) // those that are to end in good order are told so before
	ready := make(chan bool, 1)
	go func() {
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			if lines.Text() == "}" { // the end of the greeting
				ready <- true
			}
		}
		_ = p.cmd.Wait()
		close(p.done)
	}()
	select {
	case <-ready:
	case <-p.done:
		require.Fail(t, "hookloop dev ended", p.stderr.String())
	case <-time.After(patience):
		require.Fail(t, "hookloop dev is not ready", p.stderr.String())
	}
	return p
}

// kill sends a signal and waits for the end. It answers the exit code, -1 after a kill.
func (p *process) kill(s syscall.Signal) int {
	_ = p.cmd.Process.Signal(s) // fails when it has ended already
	<-p.done
	return p.cmd.ProcessState.ExitCode()
}

// hookloop runs another command to its end.
func hookloop(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var out, errs bytes.Buffer
	c := exec.CommandContext(ctx, binary, args...)
	c.Stdout, c.Stderr = &out, &errs
	_ = c.Run() // the code says it
	return out.String(), errs.String(), c.ProcessState.ExitCode()
}

// eventually asks until the condition holds: for what can only be asked for, like a status. It asks
// less and less often, for asking takes from the machine what it waits for.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := withPatience(t)
	defer cancel()
	for pause := 10 * time.Millisecond; !condition(); pause = min(pause*3/2, 250*time.Millisecond) {
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			require.Fail(t, what+": not within "+patience.String())
		}
	}
}

// wait lets a span pass that is measured, or ends with the test.
func wait(t *testing.T, span time.Duration) {
	t.Helper()
	select {
	case <-time.After(span):
	case <-t.Context().Done():
	}
}

func oneLine(t *testing.T, s string) {
	t.Helper()
	require.Equal(t, 1, strings.Count(s, "\n"), "one clear line, not: %s", s)
}

func withPatience(t *testing.T) (context.Context, context.CancelFunc) {
	t.Helper()
	return context.WithTimeout(t.Context(), patience)
}

// dial connects an SDK client, as an operator's tool would.
func (p *process) dial(t *testing.T) client.Client {
	t.Helper()
	c, err := client.Dial(client.Options{
		HostPort: p.Temporal, Namespace: p.Namespace, Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler)),
	})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func historyLength(t *testing.T, p *process, workflowID string) int {
	t.Helper()
	d, err := p.dial(t).DescribeWorkflowExecution(t.Context(), workflowID, "")
	require.NoError(t, err)
	return int(d.GetWorkflowExecutionInfo().GetHistoryLength())
}
