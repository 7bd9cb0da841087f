package expression

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
)

// childArgument makes this binary a child. No command has a flag of this name.
const childArgument = "--hookloop-expressions"

// How a child ends by itself.
const (
	exitOrphan = 0 // the parent has gone, or the child is worn: then another is asked
	exitFatal  = 2 // Go's own: there was no more memory
	exitTime   = 3
	exitMemory = 4
	exitRace   = 66 // of a test's child: the race detector got no more memory
)

// init turns the process into a child, if it was started as one, before more of the binary is set
// up. It is an init, and not a call in main, because every binary that links this package must be
// able to be one: those of tests, too.
func init() {
	if len(os.Args) == 2 && os.Args[1] == childArgument {
		serve(os.Stdin, os.Stdout)
	}
}

// serve answers the parent until it has gone. It never returns.
func serve(in io.Reader, out io.Writer) {
	signal.Ignore(os.Interrupt, syscall.SIGTERM) // a terminal sends them to all: the parent drains, and needs us
	requests := make(chan [2][]byte)
	go listen(bufio.NewReader(in), requests)
	e, w := newEvaluator(), newWatchdog()
	e.rehearse(w) // threads and what is set up at first use are there before the memory is bounded
	w = newWatchdog()
	debug.SetMemoryLimit(w.start + softMemory)
	confine(MaxMemory)
	if writeFrame(out, []byte{byte(verdictReady)}) != nil {
		os.Exit(exitOrphan)
	}
	for r := range requests {
		if e.answer(out, r[0], r[1], w) != nil || w.worn() {
			os.Exit(exitOrphan)
		}
	}
}

// rehearse runs an expression as the parent's will be run.
func (e *evaluator) rehearse(w *watchdog) {
	head, _ := json.Marshal(request{Asks: []Ask{{Text: ".a | tostring", Form: Hash}}})
	if e.answer(io.Discard, head, []byte(`{"a":1}`), w) != nil {
		os.Exit(exitOrphan)
	}
	runtime.GC()
}

// listen reads what the parent asks, and ends the child when the parent goes: also in the middle of
// its work.
func listen(in io.Reader, requests chan<- [2][]byte) {
	for {
		head, err := readFrame(in)
		if err != nil {
			os.Exit(exitOrphan)
		}
		body, err := readFrame(in)
		if err != nil {
			os.Exit(exitOrphan)
		}
		requests <- [2][]byte{head, body}
	}
}

// answer writes a verdict for each ask, up to the first that fails.
func (e *evaluator) answer(out io.Writer, head, raw []byte, w *watchdog) error {
	var r request
	if err := json.Unmarshal(head, &r); err != nil {
		return err
	}
	if r.Check != "" {
		v, text := w.bounded(func(context.Context) (verdict, []byte) { return e.check(r.Check) })
		return writeFrame(out, []byte{byte(v)}, text)
	}
	var body any
	v, _ := w.bounded(func(context.Context) (v verdict, _ []byte) {
		body, v = readBody(raw)
		return v, nil
	})
	if v != verdictValue {
		return writeFrame(out, []byte{byte(v)})
	}
	for _, a := range r.Asks {
		v, value := w.bounded(func(ctx context.Context) (verdict, []byte) { return e.value(ctx, a, body) })
		if err := writeFrame(out, []byte{byte(v)}, value); err != nil || v != verdictValue {
			return err
		}
	}
	return nil
}
