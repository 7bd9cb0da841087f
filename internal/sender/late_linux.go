package sender

import (
	"syscall"

	"golang.org/x/sys/unix"

	"hookloop/internal/webhook"
)

// dropLate lets the kernel drop a connection whose other end acknowledges nothing for as long as an
// attempt may take (RFC 5482). Else TCP goes on for up to a quarter of an hour, and brings a
// request that was given up long ago once the network is mended, perhaps after a later one. Without
// the option connections work all the same.
func dropLate(c syscall.RawConn) {
	_ = c.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(webhook.MaxTimeout.Milliseconds()))
	})
}
