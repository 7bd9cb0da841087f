package expression

import (
	"math"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ownBinary is the file this process was started from, even if another has taken its place since.
func ownBinary() (string, error) { return "/proc/self/exe", nil }

// tie has the kernel end the child with its parent, and keeps from it what this process was started
// with: files that another program had left open. (Linux before 5.11 does not.)
func tie(cmd *exec.Cmd) {
	_ = unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// confine has the kernel refuse this process more memory than so many bytes from now on: Go then
// ends it. Address space (RLIMIT_AS) says nothing of a Go process, which reserves far more than it
// uses; RLIMIT_DATA counts what may be written to. A core file would hold tenants' data.
func confine(bytes uint64) {
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return // the watchdog remains
	}
	fields := strings.Fields(string(statm))
	if len(fields) < 6 {
		return
	}
	pages, err := strconv.ParseUint(fields[5], 10, 64)
	if err != nil {
		return
	}
	most := pages*uint64(os.Getpagesize()) + bytes //nolint:gosec // positive
	_ = syscall.Setrlimit(syscall.RLIMIT_DATA, &syscall.Rlimit{Cur: most, Max: most})
}

// cpuNow is the time this process has had of processors.
func cpuNow() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// spentBy is the time another process has had of processors: by its clock, which the kernel names
// after its number (clock_getcpuclockid).
func spentBy(pid int) time.Duration {
	const all = 2 // user and system (CPUCLOCK_SCHED)
	var t unix.Timespec
	if unix.ClockGettime(int32(^pid<<3|all), &t) != nil { //nolint:gosec // a process's number has 22 bits
		return 0
	}
	return time.Duration(t.Nano())
}
