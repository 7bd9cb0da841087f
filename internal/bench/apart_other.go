//go:build !linux

package bench

import "syscall"

// apart keeps Ctrl-C from the processes, which this one stops.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
