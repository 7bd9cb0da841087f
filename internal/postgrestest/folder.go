package postgrestest

import (
	"errors"
	"fmt"
	"os"
	osuser "os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/gofrs/flock"
)

// folderName begins with what tells ours apart, for those that come after us.
const folderName = "hookloop-postgres-"

// backupName is where a server's backup lies, within its folder.
const backupName = "backup"

// folder holds all of a server's files. It is short, as the path of a Unix socket must be, and
// locked for as long as its process lives.
type folder struct {
	path  string
	lock  *flock.Flock
	owner *identity // nil: this process's
}

// identity is whom a server runs as.
type identity struct{ uid, gid int }

func newFolder() (_ *folder, err error) {
	removeAbandoned()
	f := &folder{}
	if f.owner, err = owner(); err != nil {
		return nil, err
	}
	if f.path, err = os.MkdirTemp("", folderName); err != nil {
		return nil, err
	}
	// The lock gets its name when it is held, so that a free one is an abandoned one.
	unnamed, named := filepath.Join(f.path, "lock.new"), filepath.Join(f.path, "lock")
	f.lock = flock.New(unnamed)
	if err = errors.Join(f.lock.Lock(), os.Rename(unnamed, named), f.own(f.path)); err != nil {
		f.remove()
		return nil, err
	}
	return f, nil
}

// own gives what this process made to whom the server runs as.
func (f *folder) own(path string) error {
	if f.owner == nil {
		return nil
	}
	return os.Chown(path, f.owner.uid, f.owner.gid)
}

func (f *folder) runAs() *syscall.SysProcAttr { return attributes(f.owner) }

func (f *folder) remove() {
	_ = os.RemoveAll(f.path)
	_ = f.lock.Close()
}

// removeAbandoned removes what killed tests have left. Their servers ended with them.
func removeAbandoned() {
	all, err := filepath.Glob(filepath.Join(os.TempDir(), folderName+"*", "lock"))
	if err != nil {
		return
	}
	for _, path := range all {
		lock := flock.New(path)
		if free, err := lock.TryLock(); err == nil && free {
			abandoned := filepath.Dir(path)
			if os.RemoveAll(filepath.Join(abandoned, backupName)) == nil && os.RemoveAll(filepath.Join(abandoned, "data")) == nil { // the lock goes last, or no process comes back for the rest
				_ = os.RemoveAll(abandoned)
			}
		}
		_ = lock.Close()
	}
}

// owner finds a user for the server to run as: PostgreSQL refuses to run as root.
func owner() (*identity, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := osuser.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.Atoi(u.Uid)
		gid, gidErr := strconv.Atoi(u.Gid)
		return &identity{uid: uid, gid: gid}, errors.Join(uidErr, gidErr)
	}
	return nil, fmt.Errorf("PostgreSQL does not run as root, and there is no user %q or %q", "postgres", "nobody")
}
