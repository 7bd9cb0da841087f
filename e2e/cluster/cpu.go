package cluster

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is what /proc counts time in; every Linux that Go runs on has 100 a second there.
const tick = 10 * time.Millisecond

// here names the process that started the cluster: what loads it.
const here = "load"

// Names are the processes that CPU tells of.
func (c *Cluster) Names() []string {
	names := []string{"postgres", c.Temporal.Name}
	for _, p := range append(c.Hookloops(), c.Bares...) {
		names = append(names, p.Name)
	}
	return append(names, here)
}

// CPU is what each process has used since it started, user and system; on Linux only. That of
// PostgreSQL is the sum of all of its processes.
func (c *Cluster) CPU() map[string]time.Duration {
	all := map[string]time.Duration{here: used(os.Getpid(), false), c.Temporal.Name: used(c.Temporal.PID(), false)}
	for _, p := range append(c.Hookloops(), c.Bares...) {
		all[p.Name] = used(p.PID(), false)
	}
	content, _ := os.ReadFile(filepath.Join(c.Postgres.Data, "postmaster.pid"))
	first, _, _ := strings.Cut(string(content), "\n")
	postmaster, _ := strconv.Atoi(first)
	all["postgres"] = used(postmaster, true)
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		if f := fields(path); len(f) > 1 && f[1] == first {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			all["postgres"] += used(pid, false)
		}
	}
	return all
}

// Used is what all that Hookloop needs has used: its processes, Temporal and PostgreSQL.
func (c *Cluster) Used() (sum time.Duration) {
	all := c.CPU()
	for _, p := range append(c.Hookloops(), c.Temporal) {
		sum += all[p.Name]
	}
	return sum + all["postgres"]
}

// used counts the ended children too, if asked to.
func used(pid int, children bool) (sum time.Duration) {
	f := fields(fmt.Sprintf("/proc/%d/stat", pid))
	if len(f) < 15 {
		return 0
	}
	end := 13 // utime, stime
	if children {
		end = 15 // cutime, cstime
	}
	for _, text := range f[11:end] {
		n, _ := strconv.ParseInt(text, 10, 64)
		sum += time.Duration(n) * tick
	}
	return sum
}

// fields are those after the program's name, which may hold blanks: state, ppid, ….
func fields(path string) []string {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return strings.Fields(string(content[strings.LastIndexByte(string(content), ')')+1:]))
}
