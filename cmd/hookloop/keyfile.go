package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// readKeyFile reads a key. One that it may not read is mostly another user's, as in a container whose files
// belong to the user that made them outside: the error names both users.
func readKeyFile(path string) ([]byte, error) {
	content, err := os.ReadFile(path)
	if !errors.Is(err, fs.ErrPermission) {
		return content, err
	}
	info, statErr := os.Stat(path)
	if statErr != nil {
		return nil, err
	}
	return nil, fmt.Errorf("%w: the file has mode %04o%s, and this process runs as user %d, group %d",
		err, info.Mode().Perm(), ownerOf(info), os.Getuid(), os.Getgid())
}
