package powercut

import (
	"context"
	"os"
	"path/filepath"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// node passes everything on to a folder behind, and has it recorded. What it does not record, like
// links, it refuses.
type node struct {
	fs.LoopbackNode

	r *Recording
}

func newRoot(dir string, r *Recording) (fs.InodeEmbedder, error) {
	var st syscall.Stat_t
	if err := syscall.Stat(dir, &st); err != nil {
		return nil, err
	}
	data := &fs.LoopbackRoot{Path: dir, Dev: st.Dev}
	//nolint:staticcheck // NodeWrapChilder wraps children alone, and the root is recorded, too
	data.NewNode = func(root *fs.LoopbackRoot, _ *fs.Inode, _ string, _ *syscall.Stat_t) fs.InodeEmbedder {
		return &node{fs.LoopbackNode{RootData: root}, r}
	}
	root := data.NewNode(data, nil, "", &st) //nolint:staticcheck // likewise
	data.RootNode = root
	return root, nil
}

func (n *node) at(name string) string { return filepath.Join(n.Path(n.Root()), name) }

func (n *node) behind() string { return filepath.Join(n.RootData.Path, n.Path(n.Root())) }

func (n *node) Create(ctx context.Context, name string, flags, mode uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	n.r.mu.Lock()
	defer n.r.mu.Unlock()
	if errno := n.r.fail(Create, n.at(name)); errno != 0 {
		return nil, nil, 0, errno
	}
	inode, _, _, errno := n.LoopbackNode.Create(ctx, name, flags, mode, out)
	if errno != 0 {
		return nil, nil, 0, errno
	}
	n.r.add(op{kind: create, path: n.at(name), inode: inode.StableAttr().Ino})
	f, err := os.OpenFile(filepath.Join(n.behind(), name), os.O_RDWR, 0)
	return inode, &file{f: f}, 0, fs.ToErrno(err)
}

func (n *node) Open(_ context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	f, err := os.OpenFile(n.behind(), int(flags)&syscall.O_ACCMODE, 0)
	if err != nil {
		return nil, 0, fs.ToErrno(err)
	}
	return &file{f: f}, 0, 0
}

func (n *node) Write(_ context.Context, h fs.FileHandle, data []byte, off int64) (uint32, syscall.Errno) {
	n.r.mu.Lock()
	defer n.r.mu.Unlock()
	if errno := n.r.fail(Write, n.at("")); errno != 0 {
		return 0, errno
	}
	done, err := h.(*file).f.WriteAt(data, off) //nolint:forcetypeassert // all of ours are
	if done > 0 {
		n.r.add(op{kind: write, inode: n.StableAttr().Ino, off: off, data: append([]byte(nil), data[:done]...)})
	}
	return uint32(done), fs.ToErrno(err)
}

func (n *node) Setattr(ctx context.Context, _ fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	n.r.mu.Lock()
	defer n.r.mu.Unlock()
	if _, ok := in.GetSize(); ok {
		if errno := n.r.fail(Write, n.at("")); errno != 0 {
			return errno
		}
	}
	errno := n.LoopbackNode.Setattr(ctx, nil, in, out)
	if size, ok := in.GetSize(); ok && errno == 0 {
		n.r.add(op{kind: truncate, inode: n.StableAttr().Ino, off: int64(size)})
	}
	return errno
}

// Fsync is asked for files and folders.
func (n *node) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	n.r.mu.Lock()
	defer n.r.mu.Unlock()
	if errno := n.r.fail(Sync, n.at("")); errno != 0 {
		return errno
	}
	if n.IsDir() {
		n.r.add(op{kind: syncDir, path: n.at("")})
	} else {
		n.r.add(op{kind: syncFile, inode: n.StableAttr().Ino})
	}
	return 0
}

// OpendirHandle gives a folder whose syncs are recorded; go-fuse's own passes them by.
func (n *node) OpendirHandle(ctx context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	inner, more, errno := n.LoopbackNode.OpendirHandle(ctx, flags)
	if errno != 0 {
		return nil, 0, errno
	}
	able, ok := inner.(folder)
	if !ok {
		return nil, 0, syscall.ENOTSUP
	}
	return &openFolder{able, n}, more, 0
}

type folder interface {
	fs.FileReaddirenter
	fs.FileReleasedirer
	fs.FileSeekdirer
}

type openFolder struct {
	folder

	n *node
}

func (f *openFolder) Fsyncdir(ctx context.Context, flags uint32) syscall.Errno {
	return f.n.Fsync(ctx, nil, flags)
}

func (n *node) Mkdir(ctx context.Context, name string, mode uint32, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	n.r.mu.Lock()
	defer n.r.mu.Unlock()
	if errno := n.r.fail(Create, n.at(name)); errno != 0 {
		return nil, errno
	}
	inode, errno := n.LoopbackNode.Mkdir(ctx, name, mode, out)
	if errno == 0 {
		n.r.add(op{kind: makeDir, path: n.at(name)})
	}
	return inode, errno
}

func (n *node) Unlink(ctx context.Context, name string) syscall.Errno {
	n.r.mu.Lock()
	defer n.r.mu.Unlock()
	errno := n.LoopbackNode.Unlink(ctx, name)
	if errno == 0 {
		n.r.add(op{kind: remove, path: n.at(name)})
	}
	return errno
}

func (n *node) Rmdir(ctx context.Context, name string) syscall.Errno {
	n.r.mu.Lock()
	defer n.r.mu.Unlock()
	errno := n.LoopbackNode.Rmdir(ctx, name)
	if errno == 0 {
		n.r.add(op{kind: remove, path: n.at(name)})
	}
	return errno
}

func (n *node) Rename(_ context.Context, name string, parent fs.InodeEmbedder, to string, flags uint32) syscall.Errno {
	other, ours := parent.(*node)
	if !ours || flags != 0 {
		return syscall.ENOTSUP
	}
	n.r.mu.Lock()
	defer n.r.mu.Unlock()
	err := syscall.Rename(filepath.Join(n.behind(), name), filepath.Join(other.behind(), to))
	if err == nil {
		n.r.add(op{kind: rename, path: n.at(name), to: other.at(to)})
	}
	return fs.ToErrno(err)
}

func (*node) Link(context.Context, fs.InodeEmbedder, string, *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	return nil, syscall.ENOTSUP
}

func (*node) Symlink(context.Context, string, string, *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	return nil, syscall.ENOTSUP
}

func (*node) CopyFileRange(context.Context, fs.FileHandle, uint64, *fs.Inode, fs.FileHandle, uint64, uint64, uint64) (uint32, syscall.Errno) {
	return 0, syscall.ENOSYS
}

// file is an open file behind. It is not go-fuse's own, which would let the kernel pass us by.
type file struct{ f *os.File }

func (f *file) Read(_ context.Context, into []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	return fuse.ReadResultFd(f.f.Fd(), off, len(into)), 0
}

func (*file) Flush(context.Context) syscall.Errno { return 0 }

func (f *file) Release(context.Context) syscall.Errno { return fs.ToErrno(f.f.Close()) }
