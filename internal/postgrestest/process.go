package postgrestest

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// process is a server that runs, or has ended.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

// launch starts a server. It stays on one thread until the server has ended: it is that thread's
// death, not the process's, upon which Linux ends the server.
func launch(cmd *exec.Cmd, attr *syscall.SysProcAttr, enter func() (leave func(), err error)) (*process, error) {
	cmd.SysProcAttr = tied(attr)
	p := &process{cmd: cmd, ended: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := within(enter, cmd.Start)
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended stands in its log
			close(p.ended)
		}
	}()
	return p, <-started
}

// within starts something elsewhere.
func within(enter func() (leave func(), err error), start func() error) error {
	if enter == nil {
		return start()
	}
	leave, err := enter()
	if err != nil {
		return err
	}
	defer leave()
	return start()
}

// stop stops the server where it stands. It may have ended already.
func (p *process) stop() error {
	for _, how := range []os.Signal{syscall.SIGQUIT, syscall.SIGKILL} {
		if err := p.cmd.Process.Signal(how); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return err
		}
		select {
		case <-p.ended:
			return nil
		case <-time.After(patience / 2):
		}
	}
	return errors.New("the PostgreSQL server does not end")
}
