// Package clock moves the clocks of the process that it is linked into: days pass in a moment, or
// the wall clock is set, as by an operator or by NTP. All that is in the process sees the same
// time: Temporal's server, its SDK, Hookloop, HTTP, SQLite. Other processes do not. It decides
// nothing about when time should pass; its callers, tests, do.
//
// Go asks the kernel for the time through a function of the vDSO whose address the runtime keeps in
// a variable; here that is replaced by a function which asks the same one and adds what has been
// skipped. Only Linux on amd64 has that function.
package clock

import (
	"flag"
	"sync"
	"sync/atomic"
	"time"
)

// In whole seconds, because the function that reads them adds them to nothing smaller.
var (
	wall      int64 // added to the wall clock
	monotonic int64 // added to the clock that timers go by
)

// moving lets the clocks be moved by one caller at a time.
var moving sync.Mutex

// Supported says whether this process's clocks can be moved.
func Supported() bool { return installed }

// Advance lets time pass, rounded up to whole seconds: the wall clock and all timers go forward by
// it. What was due meanwhile comes due now, as after a computer has slept.
func Advance(d time.Duration) {
	moving.Lock()
	seconds := int64((d + time.Second - 1) / time.Second)
	atomic.AddInt64(&wall, seconds)
	atomic.AddInt64(&monotonic, seconds)
	moving.Unlock()
	wake()
}

// Step sets the wall clock forward or back, by whole seconds. Timers that run do not notice.
func Step(d time.Duration) {
	moving.Lock()
	defer moving.Unlock()
	atomic.AddInt64(&wall, int64(d/time.Second))
}

// Untimed takes the time-out from a test program, which would count what Advance lets pass. The go
// command's own, by the clock outside, remains. TestMain calls it.
func Untimed() error {
	flag.Parse()
	return flag.Set("test.timeout", "0")
}

// Passed is how much time was let pass by Advance.
func Passed() time.Duration { return time.Duration(atomic.LoadInt64(&monotonic)) * time.Second }

// Stepped is by how much the wall clock is off.
func Stepped() time.Duration {
	return time.Duration(atomic.LoadInt64(&wall)-atomic.LoadInt64(&monotonic)) * time.Second
}

// Real is a span of this clock as it was for the world outside: the monotonic clock without what
// Advance added.
func Real(since time.Time, passed time.Duration) time.Duration {
	return time.Since(since) - (Passed() - passed)
}

// wake has the runtime look at its timers again: a thread that sleeps until the next one computed
// for how long before the clock moved. A timer that is due at once wakes it.
func wake() {
	done := make(chan struct{})
	time.AfterFunc(time.Nanosecond, func() { close(done) })
	<-done
}
