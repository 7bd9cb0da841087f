// Package keyfile keeps keys in files that only their owner may read.
package keyfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// Read reads a key. A file that it may not read is mostly another user's, as in a container whose
// files belong to the user that made them outside: the error names both users.
func Read(path string) ([]byte, error) {
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

// ReadOrMake reads a key, and makes the file on the first run.
func ReadOrMake(path string, generate func() ([]byte, error)) ([]byte, error) {
	content, err := Read(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return content, err
	}
	if content, err = generate(); err != nil {
		return nil, err
	}
	return content, Write(path, content)
}

// Create writes a new key over no file: what the one there protects would be lost with it.
func Create(path string, key []byte) error {
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("%s exists already, and what it protects would be lost with it", path)
	}
	return Write(path, key)
}

// Write replaces a file in one step, so that readers find the old one or the new one, and a power
// cut afterwards leaves the new one. Only its owner may read it, even if the old one was open to
// others.
func Write(path string, content []byte) error {
	file, err := renameio.NewPendingFile(path, renameio.WithStaticPermissions(0o600), renameio.WithTempDir(filepath.Dir(path)))
	if err != nil {
		return err
	}
	defer func() { _ = file.Cleanup() }() // nothing, once it has its name
	if _, err := file.Write(content); err != nil {
		return err
	}
	if err := file.CloseAtomicallyReplace(); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// syncDir makes the names in a folder survive a power cut.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
