//go:build !linux

package cluster

import "syscall"

// apart keeps Ctrl-C from the processes, which this one stops in good order.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
