// Package devdir is the folder below which `hookloop dev` keeps everything: one process owns it at
// a time, and the file dev.json in it tells the other commands where that process is. What the
// databases in it hold is not its business.
package devdir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gofrs/flock"

	"hookloop/internal/keyfile"
)

// marker names the file that makes a folder ours; its content is the layout's version.
const (
	marker        = "hookloop-data"
	layoutVersion = "1"
)

// RegistryFile is where `hookloop dev` keeps its registry, in its folder.
const RegistryFile = "registry.db"

// AuditKeyFile is where it keeps the key that signs exports of the audit, AuditPublicFile the half
// that verifies them.
const (
	AuditKeyFile    = "audit.key"
	AuditPublicFile = "audit.pub"
)

// Default is where `hookloop dev` keeps its data unless told otherwise, and where the other
// commands look for it.
const Default = ".hookloop"

// Dir is the folder below which `hookloop dev` keeps everything. One process owns it at a time.
type Dir struct {
	path string
	lock *flock.Flock
}

// Open makes the folder, or takes over one that an earlier run left. It refuses a folder that
// holds other things: dev must never mix its files with other people's.
func Open(path string) (*Dir, error) {
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
		return nil, fmt.Errorf("data folder %s is in use by another hookloop; stop it, or choose another with --data-dir", path)
	}
	return &Dir{path: path, lock: lock}, nil
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
	// a marker that a power cut kept from getting its name
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return strings.HasPrefix(e.Name(), "."+marker) })
	if len(entries) > 0 {
		return fmt.Errorf("folder %s holds other things (%s, …) and is not Hookloop's; choose another with --data-dir", path, entries[0].Name())
	}
	// Whole or not at all, also after a power cut: a marker without its content, or files without a
	// marker, would be taken for another's folder.
	if err := keyfile.Write(file, []byte(layoutVersion+"\n")); err != nil {
		return fmt.Errorf("data folder %s cannot be written: %w", path, plain(err))
	}
	return nil
}

// Close lets another process have the folder.
func (d *Dir) Close() error { return d.lock.Unlock() }

// Path is the folder itself.
func (d *Dir) Path() string { return d.path }

// File is the path of a file in the folder.
func (d *Dir) File(name string) string { return filepath.Join(d.path, name) }

// plain takes the operation and the path off an error that names the path already.
func plain(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
