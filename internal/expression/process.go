package expression

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"time"
)

// maxStart bounds how long a child may take to get ready. It sets the whole binary up, on a busy
// machine.
const maxStart = 10 * time.Second

var errBroken = errors.New("the process ended")

// child is a process that runs expressions, one request after the other.
type child struct {
	cmd   *exec.Cmd
	in    *os.File
	out   *os.File
	read  *bufio.Reader
	ended chan struct{}

	late    atomic.Bool // it was ended for its time
	starved atomic.Bool // it was ended, for it got no processor
	spoiled bool        // it was ended, or is about to be; for the goroutine that has it
}

// startChild starts one and waits until it is ready. Its environment holds nothing of ours, and it
// inherits no file but its own two pipes.
func startChild(ctx context.Context) (*child, error) {
	binary, err := ownBinary()
	if err != nil {
		return nil, err
	}
	theirIn, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		_, _ = theirIn.Close(), in.Close()
		return nil, err
	}
	c := &child{in: in, out: out, read: bufio.NewReader(out), ended: make(chan struct{})}
	c.cmd = exec.CommandContext(context.WithoutCancel(ctx), binary, childArgument)
	c.cmd.Env = []string{"GOMAXPROCS=1"} // its watchdog runs beside the work, and its garbage is not collected on our time
	c.cmd.Stdin, c.cmd.Stdout = theirIn, theirOut
	tie(c.cmd)
	err = c.launch()
	_, _ = theirIn.Close(), theirOut.Close()
	if err == nil {
		err = c.ready(ctx)
	}
	if err != nil {
		c.end()
		return nil, err
	}
	return c, nil
}

// launch starts the process on a thread that lasts as long as it: the kernel ends a tied child with
// the thread that started it.
func (c *child) launch() error {
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(c.ended)
		err := c.cmd.Start()
		started <- err
		if err == nil {
			_ = c.cmd.Wait() // ProcessState says how it ended
		}
	}()
	return <-started
}

func (c *child) ready(ctx context.Context) error {
	within, cancel := context.WithTimeout(ctx, maxStart)
	defer cancel()
	defer context.AfterFunc(within, c.kill)()
	said, err := readFrame(c.read)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("a process did not get ready: %w", err)
	case len(said) != 1 || verdict(said[0]) != verdictReady:
		return errors.New("a process said something else than that it is ready")
	}
	return nil
}

// ask has a request answered, and ends the child if ctx ends before.
func (c *child) ask(ctx context.Context, r request, body []byte) ([][]byte, error) {
	head, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	goes := context.AfterFunc(ctx, c.kill)
	late := c.begin()
	defer func() { c.spoiled = !goes() || !late.stop() }()
	var values [][]byte
	if writeFrame(c.in, head) != nil || writeFrame(c.in, body) != nil {
		return nil, c.why(ctx, 0)
	}
	for i := range max(len(r.Asks), 1) {
		said, err := readFrame(c.read)
		if err != nil || len(said) == 0 {
			return values, c.why(ctx, i)
		}
		late.next()
		if err := problem(i, said); err != nil {
			return values, err
		}
		values = append(values, said[1:])
	}
	return values, nil
}

// problem is what an answer that is no value says.
func problem(i int, said []byte) error {
	switch verdict(said[0]) {
	case verdictValue:
		return nil
	case verdictText:
		return &Fault{Ask: i, Problem: notJQ(said[1:])}
	case verdictJSON:
		return ErrJSON
	case verdictTime:
		return &Fault{Ask: i, Problem: ErrTime}
	case verdictCount:
		return &Fault{Ask: i, Problem: ErrCount}
	case verdictFails:
		return &Fault{Ask: i, Problem: ErrFails}
	case verdictLarge:
		return &Fault{Ask: i, Problem: ErrLarge}
	case verdictReady:
	}
	return &Unavailable{errors.New("a process said something else than an answer")}
}

// why says what the end of the child means for the i-th it was asked for.
func (c *child) why(ctx context.Context, i int) error {
	c.end()
	if err := ctx.Err(); err != nil {
		return err
	}
	switch code := c.cmd.ProcessState.ExitCode(); {
	case c.late.Load(), code == exitTime:
		return &Fault{Ask: i, Problem: ErrTime}
	case c.starved.Load():
		return &Unavailable{errStarved}
	case code == exitMemory, code == exitFatal, code == exitRace:
		return &Fault{Ask: i, Problem: ErrMemory}
	}
	return &Unavailable{errBroken}
}

// kill ends the process now.
func (c *child) kill() { _ = c.cmd.Process.Kill() }

// end ends the process and waits until it has gone.
func (c *child) end() {
	if c.cmd.Process != nil {
		c.kill()
	}
	<-c.ended
	_, _ = c.in.Close(), c.out.Close()
}

// sound says whether the process can be asked again.
func (c *child) sound() bool {
	select {
	case <-c.ended:
		return false
	default:
		return !c.spoiled
	}
}
