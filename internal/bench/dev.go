package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
)

// devPatience bounds how long `hookloop dev` may take to be ready.
const devPatience = 2 * time.Minute

// StartDev runs `program dev` with its data in a folder, as a process of its own: what it uses is
// told apart from what loads it. Closing the target kills it, and with it everything it had not
// done.
func StartDev(ctx context.Context, program, folder string) (*Target, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	stop, err := launch(ctx, program, folder)
	if err != nil {
		return nil, err
	}
	t, err := readDev(folder)
	if err != nil {
		stop()
		return nil, err
	}
	end := t.Close
	t.Close = func() {
		end()
		stop()
		_ = os.RemoveAll(folder)
	}
	return t, nil
}

// launch returns once the program says that it is ready. The program runs on a thread that lives as
// long as it does: upon that thread's death, not this process's, Linux ends what it started.
func launch(ctx context.Context, program, folder string) (stop func(), err error) {
	said := &strings.Builder{}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), program, "dev", "--data", folder,
		"--listen", "127.0.0.1:0", "--temporal-listen", "127.0.0.1:0", "--ui-listen", "")
	cmd.SysProcAttr, cmd.Stderr = apart(), said
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	started, ready, ended := make(chan error, 1), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		if started <- err; err != nil {
			return
		}
		lines := bufio.NewReader(stdout)
		if _, err := lines.ReadString('\n'); err == nil {
			close(ready)
		}
		_, _ = io.Copy(io.Discard, lines)
		_ = cmd.Wait() // it is killed
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	stop = func() {
		_ = cmd.Process.Kill()
		<-ended
	}
	select {
	case <-ready:
		return stop, nil
	case <-ended:
		return nil, fmt.Errorf("%s dev ended: %s", filepath.Base(program), said)
	case <-time.After(devPatience):
		err = errors.New("hookloop dev is not ready")
	case <-ctx.Done():
		err = errInterrupted
	}
	stop()
	return nil, err
}

// readDev finds what runs in a folder, by the file it has written there.
func readDev(folder string) (*Target, error) {
	content, err := os.ReadFile(filepath.Join(folder, "dev.json"))
	if err != nil {
		return nil, err
	}
	var running struct{ Gateway, Temporal, Namespace, Token string }
	if err := json.Unmarshal(content, &running); err != nil {
		return nil, err
	}
	t := &Target{Gateways: []string{running.Gateway}, Metrics: []string{running.Gateway}, Token: running.Token}
	t.CPU = t.ProcessCPU
	return t, t.Watch(running.Temporal, running.Namespace)
}

// Watch lets a target count its workflows, at its Temporal, until it is closed.
func (t *Target) Watch(address, namespace string) error {
	c, err := client.NewLazyClient(client.Options{HostPort: address, Namespace: namespace, Logger: silentLogger{}})
	if err != nil {
		return err
	}
	t.Deliveries = func(ctx context.Context) (int, error) {
		ctx, cancel := context.WithTimeout(ctx, Patience)
		defer cancel()
		n, err := c.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Query: "WorkflowType = 'Delivery'"})
		return int(n.GetCount()), err
	}
	t.Close = c.Close
	return nil
}

// silentLogger says nothing: what matters comes back as an error.
type silentLogger struct{}

func (silentLogger) Debug(string, ...any) {}
func (silentLogger) Info(string, ...any)  {}
func (silentLogger) Warn(string, ...any)  {}
func (silentLogger) Error(string, ...any) {}
