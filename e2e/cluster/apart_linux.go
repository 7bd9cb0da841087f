package cluster

import "syscall"

// apart keeps Ctrl-C from the processes, which this one stops in good order, and ends them if it is
// killed.
func apart() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
