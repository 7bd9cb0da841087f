//go:build !linux

package sender

import "syscall"

// dropLate does nothing where the kernel has no such option.
func dropLate(syscall.RawConn) {}
