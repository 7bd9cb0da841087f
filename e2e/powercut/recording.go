package powercut

import (
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

type kind int

const (
	create kind = iota
	makeDir
	remove
	rename
	write
	truncate
	syncFile
	syncDir
)

// op is one change, or one wish that changes last.
type op struct {
	kind     kind
	at       time.Time
	path, to string
	inode    uint64 // of the file behind; numbers are used again
	file     int    // the same, and never used again
	off      int64  // of a write; the size to truncate to
	data     []byte
}

// Recording is all that happened on a file system, in order.
type Recording struct {
	mu    sync.Mutex
	ops   []op
	files map[uint64]int
	made  int
	fails func(what, path string) syscall.Errno
}

// What Break is asked about.
const (
	Create = "create"
	Write  = "write" // or truncate
	Sync   = "sync"
)

// Break lets changes fail from now on: how is asked before each one of a file, and gives 0 for
// those that go well. Nil mends it.
func (r *Recording) Break(how func(what, path string) syscall.Errno) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fails = how
}

// fail is called with mu held.
func (r *Recording) fail(what, path string) syscall.Errno {
	if r.fails == nil {
		return 0
	}
	return r.fails(what, path)
}

// add is called with mu held, which also keeps the order that of the effects.
func (r *Recording) add(o op) {
	if o.kind == create {
		if r.files == nil {
			r.files = map[uint64]int{}
		}
		r.made++
		r.files[o.inode] = r.made
	}
	o.at, o.file = time.Now(), r.files[o.inode]
	r.ops = append(r.ops, o)
}

// Syncs are the moments right after a sync, as numbers of operations; At gives their times.
func (r *Recording) Syncs() (all []int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for n, o := range r.ops {
		if o.kind == syncFile || o.kind == syncDir {
			all = append(all, n)
		}
	}
	return all
}

// Len is how many operations there were.
func (r *Recording) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.ops)
}

// At is when an operation happened.
func (r *Recording) At(n int) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ops[n].at
}

// Replay goes through a recording once, from one cut to the next.
type Replay struct {
	ops   []op
	next  int
	files map[int]*content
	names map[string]int // what is sure to be there; folders are 0
	loose []op           // changes of names that may be lost
}

// content is a file: what is sure to be there, and what may be lost.
type content struct {
	synced []byte
	loose  []op
}

// Replay begins at the start.
func (r *Recording) Replay() *Replay {
	r.mu.Lock()
	defer r.mu.Unlock()
	return &Replay{ops: slices.Clone(r.ops), files: map[int]*content{}, names: map[string]int{}}
}

// To goes on until right after operation n, which must not lie behind.
func (p *Replay) To(n int) {
	for ; p.next <= n; p.next++ {
		o := p.ops[p.next]
		switch o.kind {
		case create:
			p.files[o.file] = &content{}
			p.loose = append(p.loose, o)
		case makeDir, remove, rename:
			p.loose = append(p.loose, o)
		case write, truncate:
			if f := p.files[o.file]; f != nil {
				f.loose = append(f.loose, o)
			}
		case syncFile:
			p.syncFile(o.file)
		case syncDir:
			p.settle(func(c op) bool { return in(c.path, o.path) || c.kind == rename && in(c.to, o.path) })
		}
	}
}

// syncFile makes a file's content last, and the name it was made under. A name that it was given
// later needs a sync of its folder.
func (p *Replay) syncFile(id int) {
	f := p.files[id]
	if f == nil {
		return
	}
	for _, o := range f.loose {
		f.synced = apply(f.synced, o)
	}
	f.loose = nil
	path := ""
	for _, o := range p.loose {
		if o.kind == create && o.file == id {
			path = o.path
		}
	}
	if path != "" {
		p.settle(func(c op) bool {
			return c.kind == create && c.file == id || c.kind == makeDir && strings.HasPrefix(path, c.path+"/")
		})
	}
}

// settle makes some of the loose changes of names last, and before each one those that it follows:
// older ones of the same name.
func (p *Replay) settle(which func(op) bool) {
	lasts, names := make([]bool, len(p.loose)), map[string]bool{}
	for i, o := range slices.Backward(p.loose) {
		if which(o) || names[o.path] || o.kind == rename && names[o.to] {
			lasts[i], names[o.path] = true, true
			if o.kind == rename {
				names[o.to] = true
			}
		}
	}
	var left []op
	for i, o := range p.loose {
		if lasts[i] {
			name(p.names, o)
		} else {
			left = append(left, o)
		}
	}
	p.loose = left
}

func in(path, dir string) bool { return filepath.Dir(path) == filepath.Clean(dir) }

func name(names map[string]int, o op) {
	switch o.kind {
	case create:
		names[o.path] = o.file
	case makeDir:
		names[o.path] = 0
	case remove:
		delete(names, o.path)
	case rename:
		id, known := names[o.path]
		if !known {
			return
		}
		delete(names, o.path)
		names[o.to] = id
	case write, truncate, syncFile, syncDir:
	}
}

func apply(content []byte, o op) []byte {
	end := o.off + int64(len(o.data))
	if int64(len(content)) < end {
		content = append(content, make([]byte, end-int64(len(content)))...)
	}
	if o.kind == truncate {
		return content[:o.off]
	}
	copy(content[o.off:], o.data)
	return content
}

// sector is what a disk writes whole, in bytes.
const sector = 512

// Cut writes to a folder what a power cut leaves at this moment: what was synced, and of all else,
// when chance is given, some: a beginning of the changes of names, and of each file's writes some
// sectors. Without it nothing else is left.
func (p *Replay) Cut(dir string, chance *rand.Rand) error {
	names := maps.Clone(p.names)
	if chance != nil && len(p.loose) > 0 {
		for _, o := range p.loose[:chance.IntN(len(p.loose)+1)] {
			name(names, o)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(names)) {
		full := filepath.Join(dir, path)
		if names[path] == 0 {
			if err := os.MkdirAll(full, 0o700); err != nil {
				return err
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(full, p.files[names[path]].cut(chance), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (c *content) cut(chance *rand.Rand) []byte {
	left := slices.Clone(c.synced)
	if chance == nil {
		return left
	}
	for _, o := range c.loose {
		if o.kind == truncate {
			if chance.IntN(2) == 0 {
				left = apply(left, o)
			}
			continue
		}
		for from := 0; from < len(o.data); from += sector {
			if chance.IntN(2) == 0 {
				part := o.data[from:min(from+sector, len(o.data))]
				left = apply(left, op{kind: write, off: o.off + int64(from), data: part})
			}
		}
	}
	return left
}
