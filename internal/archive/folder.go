package archive

import (
	"compress/gzip"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2"
)

// What lies beside the tenants' folders. A tenant's name begins with a letter or a digit.
const (
	indexDir   = "_index"
	tempDir    = "_tmp"
	cursorFile = "_cursor.json"
	lockFile   = "_lock"
)

// Folder is an archive on disk:
//
//	<tenant>/2026/11/25/Event-event%2Facme%2Fevt_…-<run id>.json.gz   by the day, in UTC, it ended
//	_index/2026/11/25/14.jsonl   a record for each execution that ended in that hour, chained as in an export
//	_index/2026/11/25/_signed.json, _signed.json   where the chains of a day's hours end, and those of all days
//	_cursor.json                 which ends have been looked at
//
// A file that has its name is whole, and so is one whose line is in the index: they are written in
// that order, each safe on disk before the next, and then signed. One process writes to a folder at
// a time; everyone may read.
type Folder struct {
	path string
	lock *flock.Flock
	key  ed25519.PrivateKey // signs the heads of the index; nil: they are not signed

	mu    sync.Mutex
	dirty map[string]bool // folders with names that are not safe on disk yet
}

// Open makes the folder, or takes over what an earlier run left. A key signs what is in the index;
// nil: nothing is signed, and a folder that was signed before is refused.
func Open(dir string, key ed25519.PrivateKey) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("archive: %w", err)
	}
	lock := flock.New(filepath.Join(dir, lockFile))
	free, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("archive %s: %w", dir, err)
	}
	if !free {
		return nil, fmt.Errorf("archive %s is being written to by another process", dir)
	}
	f := &Folder{path: dir, lock: lock, key: key, dirty: map[string]bool{}}
	// A run that was killed leaves half a file, which no index names.
	if err := errors.Join(os.RemoveAll(f.at(tempDir)), os.Mkdir(f.at(tempDir), 0o700)); err != nil {
		return nil, errors.Join(fmt.Errorf("archive %s: %w", dir, err), lock.Unlock())
	}
	if err := f.begin(); err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	return f, nil
}

// begin finds out whether the folder is signed, and by this key.
func (f *Folder) begin() error {
	signed, err := f.isSigned()
	switch {
	case err != nil:
		return err
	case signed && f.key == nil:
		return fmt.Errorf("archive %s is signed: give --key, the file of the key that signs it", f.path)
	case signed:
		_, err := f.ownHeads(signedFile)
		return err
	case f.key != nil:
		return f.adopt()
	}
	return nil
}

// Close lets another process write.
func (f *Folder) Close() error { return f.lock.Unlock() }

func (f *Folder) at(name string) string { return filepath.Join(f.path, filepath.FromSlash(name)) }

// write makes the file of an entry and completes the entry. The name appears once the content is
// safe.
func (f *Folder) write(e *Entry, content func(io.Writer) error) error {
	file, err := renameio.NewPendingFile(f.at(e.File), renameio.WithStaticPermissions(0o600), renameio.WithTempDir(f.at(tempDir)))
	if err != nil {
		return err
	}
	defer func() { _ = file.Cleanup() }() // nothing, once it has its name
	sum := sha256.New()
	zipped := gzip.NewWriter(io.MultiWriter(file, sum))
	if err := errors.Join(content(zipped), zipped.Close()); err != nil {
		return err
	}
	if e.Bytes, err = file.Seek(0, io.SeekCurrent); err != nil {
		return err
	}
	e.SHA256 = hex.EncodeToString(sum.Sum(nil))
	if err := f.mkdir(path.Dir(e.File)); err != nil {
		return err
	}
	return file.CloseAtomicallyReplace()
}

// mkdir notes which folders get a new name in them.
func (f *Folder) mkdir(name string) error {
	if err := os.MkdirAll(f.at(name), 0o700); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for ; name != "."; name = path.Dir(name) {
		f.dirty[name] = true
	}
	f.dirty["."] = true
	return nil
}

// flush makes the names of all files written so far safe on disk.
func (f *Folder) flush() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name := range f.dirty {
		if err := syncDir(f.at(name)); err != nil {
			return err
		}
	}
	clear(f.dirty)
	return nil
}

func syncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// readJSON reads a small file, if it is there.
func readJSON(path string, into any) (there bool, err error) {
	content, err := os.ReadFile(path)
	if missing(err) {
		return false, nil
	}
	if err == nil {
		err = json.Unmarshal(content, into)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return true, err
}

// replace writes a small file whole or not at all.
func (f *Folder) replace(name string, v any) error {
	content, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	err = renameio.WriteFile(f.at(name), append(content, '\n'), 0o600, renameio.WithTempDir(f.at(tempDir)))
	return errors.Join(err, syncDir(filepath.Dir(f.at(name))))
}

func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
