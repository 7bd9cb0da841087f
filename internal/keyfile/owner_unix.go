//go:build unix

package keyfile

import (
	"fmt"
	"io/fs"
	"syscall"
)

// ownerOf says whose a file is.
func ownerOf(info fs.FileInfo) string {
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	return fmt.Sprintf(" and belongs to user %d, group %d", owner.Uid, owner.Gid)
}
