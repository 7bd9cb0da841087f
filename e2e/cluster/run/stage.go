package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"testing"
)

// stage stands in for a test, to use what starts and stops things for tests: it has the part of one
// that they need.
type stage struct {
	testing.TB // nil: what is not below is not needed

	ctx      context.Context
	stderr   io.Writer
	cleanups []func()
	failed   bool
}

func newStage(ctx context.Context, stderr io.Writer) *stage { return &stage{ctx: ctx, stderr: stderr} }

// play runs a program on the stage, cleans up, last first, and answers the exit code. Like a test,
// the program has a goroutine of its own, which Fatal ends.
func (s *stage) play(program func(*stage)) int {
	done := make(chan struct{})
	go func() {
		defer close(done)
		program(s)
	}()
	<-done
	for _, cleanup := range slices.Backward(s.cleanups) {
		cleanup()
	}
	if s.failed {
		return 1
	}
	return 0
}

func (s *stage) Helper() {}

func (s *stage) Context() context.Context { return s.ctx }

func (s *stage) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }

func (s *stage) TempDir() string {
	dir, err := os.MkdirTemp("", "hookloop-cluster-")
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (s *stage) Fatal(args ...any) {
	s.failed = true
	if s.ctx.Err() == nil { // else it was told to end
		fmt.Fprintln(s.stderr, "cluster: "+fmt.Sprint(args...))
	}
	runtime.Goexit()
}

func (s *stage) Fatalf(format string, args ...any) { s.Fatal(fmt.Sprintf(format, args...)) }

// Skipf is for what is not installed.
func (s *stage) Skipf(format string, args ...any) { s.Fatalf(format, args...) }
