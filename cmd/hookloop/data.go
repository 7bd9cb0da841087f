package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
)

// marker names the file that makes a folder ours; its content is the layout's version.
const (
	marker        = "hookloop-data"
	layoutVersion = "1"
)

// registryFile is where `hookloop dev` keeps its registry, in its folder.
const registryFile = "registry.db"

// defaultData is where `hookloop dev` keeps its data, and where the other commands look for it.
const defaultData = ".hookloop"

// dataDir is the folder below which `hookloop dev` keeps everything. One process owns it at a time.
type dataDir struct {
	path string
	lock *flock.Flock
}

// openData makes the folder, or takes over one that an earlier run left. It refuses a folder that
// holds other things: dev must never mix its files with somebody's.
func openData(path string) (*dataDir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("data folder %s: %w", path, plain(err))
	}
	if err := claim(path); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(path, "lock"))
	free, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("data folder %s: %w", path, plain(err))
	}
	if !free {
		return nil, fmt.Errorf("data folder %s is in use by another hookloop; stop it, or choose another with --data", path)
	}
	return &dataDir{path: path, lock: lock}, nil
}

// claim puts the marker into an empty folder, or checks the one that is there.
func claim(path string) error {
	file := filepath.Join(path, marker)
	content, err := os.ReadFile(file)
	if err == nil {
		if v := strings.TrimSpace(string(content)); v != layoutVersion {
			return fmt.Errorf("data folder %s has layout %q, this hookloop knows only %q; use the version that wrote it", path, v, layoutVersion)
		}
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("data folder %s: %w", path, plain(err))
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return fmt.Errorf("data folder %s: %w", path, plain(err))
	}
	if len(entries) > 0 {
		return fmt.Errorf("folder %s holds other things (%s, …) and is not Hookloop's; choose another with --data", path, entries[0].Name())
	}
	if err := os.WriteFile(file, []byte(layoutVersion+"\n"), 0o600); err != nil {
		return fmt.Errorf("data folder %s cannot be written: %w", path, plain(err))
	}
	return nil
}

// Close gives the folder free.
func (d *dataDir) Close() error { return d.lock.Unlock() }

func (d *dataDir) file(name string) string { return filepath.Join(d.path, name) }

// secretFile reads a file that only its owner may read, and makes it on the first run.
func secretFile(path string, generate func() ([]byte, error)) ([]byte, error) {
	content, err := os.ReadFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return content, err
	}
	if content, err = generate(); err != nil {
		return nil, err
	}
	return content, writePrivate(path, content)
}

// newJWTSecret draws 32 bytes, in base64 so that a person can export it as HOOKLOOP_JWT_SECRET.
func newJWTSecret() ([]byte, error) {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails since Go 1.24
	return []byte(base64.RawURLEncoding.EncodeToString(key)), nil
}

// plain takes the operation and the path off an error that names the path already.
func plain(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
