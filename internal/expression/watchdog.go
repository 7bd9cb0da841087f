package expression

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// look is how often the watchdog looks while an expression runs.
	look = 10 * time.Millisecond
	// softCPU ends an expression between two steps, so that the child lives; MaxCPU ends the child.
	softCPU = MaxCPU * 4 / 5
	// softMemory is what Go collects garbage for, in bytes beside what there was at the start.
	softMemory = MaxMemory * 3 / 4
	// tidy is how much more than at the start a child may keep between two expressions, in bytes.
	tidy = MaxMemory / 4
)

// watchdog ends the child where an expression breaks a bound: gojq looks at its context between two
// steps only, and one step may take hours. The kernel bounds the memory as well, where it can.
type watchdog struct {
	start  int64 // bytes that Go had of the memory at first
	mapped int64 // and had taken from the system
}

func newWatchdog() *watchdog {
	inUse, mapped := memoryNow()
	return &watchdog{start: inUse, mapped: mapped}
}

// bounded does a piece of work. Its context ends shortly before the child would.
func (w *watchdog) bounded(work func(context.Context) (verdict, []byte)) (verdict, []byte) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	done := make(chan struct{})
	defer close(done)
	go w.watch(done, stop)
	return work(ctx)
}

func (w *watchdog) watch(done <-chan struct{}, stop func()) {
	began := cpuNow()
	t := time.NewTicker(look)
	defer t.Stop()
	for {
		select {
		case <-done:
			return
		case <-t.C:
		}
		took := cpuNow() - began
		inUse, _ := memoryNow()
		switch {
		case took >= MaxCPU:
			os.Exit(exitTime)
		case inUse-w.start > MaxMemory:
			os.Exit(exitMemory)
		case took >= softCPU:
			stop()
		}
	}
}

// worn says, after an answer, whether so much was taken from the system that the next expression
// may find too little in one piece. What is free is given back.
func (w *watchdog) worn() bool {
	inUse, mapped := memoryNow()
	if inUse-w.start > tidy {
		debug.FreeOSMemory()
	}
	return mapped-w.mapped > softMemory
}

// memoryNow is what Go has of the memory, and what it has taken from the system, in bytes.
func memoryNow() (inUse, mapped int64) {
	s := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(s)
	mapped = int64(s[0].Value.Uint64())                //nolint:gosec // far below
	return mapped - int64(s[1].Value.Uint64()), mapped //nolint:gosec // likewise
}
