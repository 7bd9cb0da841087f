package devdir

import (
	"errors"
	"strings"
	"syscall"
)

// diskWords begin what SQLite and our registry say of a disk that takes nothing. On its way through
// Temporal such an error is text alone.
var diskWords = []string{
	"disk I/O error", "disk is full", "attempt to write a readonly database", "unable to open database file",
	"the database file cannot be opened",
}

// DiskTrouble says in one line what to do where a command failed because of the disk that a folder
// is on. Other errors stay as they are.
func DiskTrouble(err error, dir string) error {
	if err == nil {
		return nil
	}
	is := errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EROFS) || errors.Is(err, syscall.EIO) || errors.Is(err, syscall.EDQUOT)
	for _, words := range diskWords {
		is = is || strings.Contains(err.Error(), words)
	}
	if !is {
		return err
	}
	return &diskError{err, dir}
}

// diskError joins the lines of what went wrong.
type diskError struct {
	err error
	dir string
}

func (e *diskError) Error() string {
	return strings.ReplaceAll(e.err.Error(), "\n", "; ") + "; see that the disk of " + e.dir + " has room, can be written to and is sound"
}

func (e *diskError) Unwrap() error { return e.err }
