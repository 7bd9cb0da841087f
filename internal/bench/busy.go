package bench

import (
	"context"
	"os/exec"
	"runtime"
)

// Busy takes half of the machine's CPU until ctx ends: one process that spins for every two cores.
// It returns when they run; wait returns when they have ended.
func Busy(ctx context.Context) (wait func(), err error) {
	ctx, stop := context.WithCancel(ctx)
	var all []chan struct{}
	wait = func() {
		stop()
		for _, ended := range all {
			<-ended
		}
	}
	for range max(runtime.NumCPU()/2, 1) {
		started, ended := make(chan error, 1), make(chan struct{})
		go func() {
			defer close(ended)
			runtime.LockOSThread() // see launch
			defer runtime.UnlockOSThread()
			cmd := exec.CommandContext(ctx, "sh", "-c", "while :; do :; done")
			cmd.SysProcAttr = apart()
			err := cmd.Start()
			if started <- err; err == nil {
				_ = cmd.Wait() // it is killed
			}
		}()
		all = append(all, ended)
		if err := <-started; err != nil {
			wait()
			return nil, err
		}
	}
	return wait, nil
}
