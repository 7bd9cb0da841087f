//go:build !linux

package postgrestest

import "syscall"

// Elsewhere a server runs as the user who runs the test, and outlives it when that is killed.

func attributes(*identity) *syscall.SysProcAttr { return nil }

func tied(attr *syscall.SysProcAttr) *syscall.SysProcAttr { return attr }
