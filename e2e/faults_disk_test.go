//go:build linux

package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"hookloop/e2e/powercut"
	"hookloop/internal/check"
	"hookloop/internal/endpointtest"
)

const (
	diskClients = 4
	oneErrors   = 12 // how many single I/O errors TestDiskFaults deals
	startErrors = 8  // how many first starts TestStartOnBadDisk hinders
)

// TestDiskFaults lets the disk of a running Hookloop be full, become read-only, fail altogether,
// fail a single change, and lets the process run out of file handles, one after the other under
// load. Clients are told to come again; once all is well again, events are accepted without a
// restart, and nothing that was accepted is lost.
func TestDiskFaults(t *testing.T) {
	onlyInProof(t)
	t.Parallel()
	chance := dice(t)
	disk := powercut.Start(t)
	require.NoError(t, os.Mkdir(disk.Dir, 0o700))
	p := start(t, filepath.Join(disk.Dir, "data"))
	a := app{p}
	s, e := a.listen(t, endpointtest.Config{}, "")
	l := &clusterLoad{t: t, gateways: []app{a}, prefix: "disk", witness: newWitness(), ids: map[string]string{}}
	l.witness.watch(e.ID, s)
	l.last.Store(1 << 30)
	l.start(diskClients)
	r := diskRun{t: t, p: p, l: l}
	r.goOn("at first")
	for name, errno := range map[string]syscall.Errno{"full": syscall.ENOSPC, "read-only": syscall.EROFS, "broken": syscall.EIO} {
		r.deal("the disk is "+name, func() {
			disk.Break(func(string, string) syscall.Errno { return errno })
			r.awaitRefused()
			disk.Break(nil)
		})
	}
	r.deal("no file handles", func() {
		r.withoutHandles(func() { eventually(t, "a new connection is not answered", func() bool { return !r.answers() }) })
	})
	for range oneErrors {
		n, what := int64(chance.IntN(60)), []string{powercut.Write, powercut.Sync}[chance.IntN(2)]
		var hit atomic.Bool
		var count atomic.Int64
		r.deal(fmt.Sprintf("%s %d fails", what, n), func() {
			disk.Break(func(kind, path string) syscall.Errno {
				if kind != what || strings.HasSuffix(path, "-shm") || count.Add(1) != n+1 {
					return 0
				}
				hit.Store(true)
				return syscall.EIO
			})
			eventually(t, "a change has failed", hit.Load)
			disk.Break(nil)
		})
	}
	l.last.Store(0)
	l.clients.Wait()
	require.Empty(t, l.strays)
	l.witness.history.Repeats = 4
	v := l.witness.judge(t, a, check.Faults, check.Refused)
	t.Logf("%d kinds of fault, nothing lost, %d sent twice", len(l.witness.history.Faults), v.Duplicates)
}

// diskRun is a load on a process whose disk fails.
type diskRun struct {
	t *testing.T
	p *process
	l *clusterLoad
}

// deal breaks something and waits until events are accepted again after it.
func (r diskRun) deal(name string, blow func()) {
	r.t.Helper()
	mended := r.l.witness.fault(name)
	blow()
	r.goOn(name)
	mended()
	r.t.Logf("%s: %d accepted, %d refused so far", name, r.l.answered(), r.l.refused.Load())
}

func (r diskRun) goOn(after string) {
	r.t.Helper()
	enough := r.l.answered() + 20
	eventually(r.t, "events are accepted after: "+after, func() bool { return r.l.answered() >= enough || r.ended() })
	require.False(r.t, r.ended(), "%s: the process ended: %s", after, r.p.stderr)
}

func (r diskRun) awaitRefused() {
	r.t.Helper()
	enough := r.l.refused.Load() + diskClients
	eventually(r.t, "clients are refused", func() bool { return r.l.refused.Load() >= enough || r.ended() })
}

func (r diskRun) ended() bool {
	select {
	case <-r.p.done:
		return true
	default:
		return false
	}
}

// answers says whether a new connection is answered soon: a process without file handles takes
// none, and who connects waits. Those that are open go on.
func (r diskRun) answers() bool {
	c := http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := c.Get(r.p.Gateway + "/healthz") //nolint:noctx // the client has its time-out
	if err != nil {
		return false
	}
	return resp.Body.Close() == nil
}

// withoutHandles takes all file handles from the process but those it has.
func (r diskRun) withoutHandles(blow func()) {
	r.t.Helper()
	pid, free := r.p.cmd.Process.Pid, 0
	for exists := true; exists; free++ {
		_, err := os.Lstat(fmt.Sprintf("/proc/%d/fd/%d", pid, free))
		exists = err == nil
	}
	var before unix.Rlimit
	fewer := unix.Rlimit{Cur: uint64(free - 1)} //nolint:gosec // not negative
	require.NoError(r.t, unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &before))
	fewer.Max = before.Max
	require.NoError(r.t, unix.Prlimit(pid, unix.RLIMIT_NOFILE, &fewer, nil))
	blow()
	require.NoError(r.t, unix.Prlimit(pid, unix.RLIMIT_NOFILE, &before, nil))
}

// TestStartOnBadDisk hinders the first start: from some change on, the disk takes nothing. That
// ends in one clear line, or does not matter. What is left of it starts well on a disk that is
// mended.
func TestStartOnBadDisk(t *testing.T) {
	onlyInProof(t)
	t.Parallel()
	chance := dice(t)
	changes := changesOfStart(t)
	for n := range startErrors {
		startHindered(t, chance.Int64N(changes), []syscall.Errno{syscall.ENOSPC, syscall.EIO, syscall.EROFS}[n%3])
	}
}

// changesOfStart counts the changes that a first start makes.
func changesOfStart(t *testing.T) int64 {
	t.Helper()
	disk := powercut.Start(t)
	require.NoError(t, os.Mkdir(disk.Dir, 0o700))
	var all atomic.Int64
	disk.Break(func(string, string) syscall.Errno { all.Add(1); return 0 })
	p := start(t, filepath.Join(disk.Dir, "data"))
	p.kill(syscall.SIGKILL)
	return all.Load()
}

func startHindered(t *testing.T, from int64, errno syscall.Errno) {
	t.Helper()
	disk := powercut.Start(t)
	require.NoError(t, os.Mkdir(disk.Dir, 0o700))
	data := filepath.Join(disk.Dir, "data")
	var count atomic.Int64
	disk.Break(func(string, string) syscall.Errno {
		if count.Add(1) > from {
			return errno
		}
		return 0
	})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c := exec.CommandContext(ctx, binary, "dev", "--data", data, "--listen", "127.0.0.1:0", "--temporal-listen", "127.0.0.1:0", "--ui-listen", "127.0.0.1:0")
	var errs output
	c.Stderr = &errs
	require.NoError(t, c.Start())
	done := make(chan error, 1)
	go func() { done <- c.Wait() }()
	eventually(t, "the start ends, or is through", func() bool {
		select {
		case <-done: //nolint:errcheck // it was killed, or refused to start: what it said is judged
			done <- nil
			return true
		default:
			_, err := os.Stat(filepath.Join(data, "dev.json"))
			return err == nil
		}
	})
	_ = c.Process.Kill()
	<-done //nolint:errcheck // likewise
	said := errs.String()
	t.Logf("%v from change %d on: %s", errno, from, said)
	if c.ProcessState.ExitCode() == 1 {
		oneLine(t, said)
	}
	disk.Break(nil)
	p := start(t, data)
	s, _ := app{p}.listen(t, endpointtest.Config{}, "")
	app{p}.post(t, `{"type":"disk.mended","data":1}`)
	receipts(t, s, 1)
	p.kill(syscall.SIGKILL)
}

// TestArchiveOnBadDisk lets copying fail at some change, again and again. Each time it says so in
// one line; at the end the archive is whole.
func TestArchiveOnBadDisk(t *testing.T) {
	onlyInProof(t)
	t.Parallel()
	chance := dice(t)
	disk := powercut.Start(t)
	data := filepath.Join(t.TempDir(), "data")
	a := app{start(t, data)}
	a.listen(t, endpointtest.Config{}, "")
	for n := range 20 {
		a.ended(t, a.post(t, fmt.Sprintf(`{"type":"to.archive","data":%d}`, n)).ID)
	}
	failed := 0
	for n := range 10 {
		failed += archiveFails(t, disk, data, int64(n*8)+chance.Int64N(8))
	}
	require.Positive(t, failed)
	t.Logf("%d of 10 runs failed", failed)
	eventually(t, "all is archived", func() bool {
		_, stderr, code := hookloop(t, "archive", "--to", disk.Dir, "--data", data)
		require.Zero(t, code, stderr)
		return len(lines(t, disk.Dir)) == 20
	})
	stdout, stderr, code := hookloop(t, "archive", "verify", disk.Dir)
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "20 files whole, 0 erased, 0 in no index")
}

// archiveFails lets the disk take no more changes than so many, and answers whether that ended the
// run.
func archiveFails(t *testing.T, disk *powercut.Mount, data string, from int64) int {
	t.Helper()
	var count atomic.Int64
	disk.Break(func(string, string) syscall.Errno {
		if count.Add(1) > from {
			return syscall.ENOSPC
		}
		return 0
	})
	defer disk.Break(nil)
	_, stderr, code := hookloop(t, "archive", "--to", disk.Dir, "--data", data)
	if code != 0 {
		require.Equal(t, 1, code)
		oneLine(t, stderr)
		return 1
	}
	return 0
}
