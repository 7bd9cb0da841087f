package embedded

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"hookloop/internal/bench"
)

// receiver takes everything at once and remembers when it came.
type receiver struct {
	url    string
	server *http.Server

	mu         sync.Mutex
	received   map[string]time.Time // by webhook-id
	duplicates int
	arrived    *sync.Cond
}

func startReceiver(ctx context.Context) (*receiver, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	e := &receiver{url: "http://" + l.Addr().String() + "/", received: map[string]time.Time{}}
	e.arrived = sync.NewCond(&e.mu)
	e.server = &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			e.record(r.Header.Get("webhook-id"))
			w.WriteHeader(http.StatusNoContent)
		})}
	go func() { _ = e.server.Serve(l) }()
	return e, nil
}

func (e *receiver) stop() {
	if e != nil {
		_ = e.server.Close()
	}
}

func (e *receiver) record(id string) {
	now := time.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, again := e.received[id]; again {
		e.duplicates++
	}
	e.received[id] = now
	e.arrived.Broadcast()
}

// forget begins a round.
func (e *receiver) forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.received, e.duplicates = map[string]time.Time{}, 0
}

// wait blocks until n different events have come, or patience or ctx ends.
func (e *receiver) wait(ctx context.Context, n int) {
	ctx, cancel := context.WithTimeout(ctx, bench.Patience)
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		e.mu.Lock() // or the broadcast could fall between the check and the Wait
		defer e.mu.Unlock()
		e.arrived.Broadcast()
	})()
	e.mu.Lock()
	defer e.mu.Unlock()
	for len(e.received) < n && ctx.Err() == nil {
		e.arrived.Wait()
	}
}

// roundFigures is one round's raw figures.
type roundFigures struct {
	latencies             []time.Duration
	accepting, delivering time.Duration
	cpu                   time.Duration
	missing, duplicates   int
}

func (r roundFigures) deliveredPerSecond() float64 {
	return float64(len(r.latencies)) / r.delivering.Seconds()
}

// round lets the clients call send n times in all, and waits for the receipts. send answers the id
// that the endpoint will see.
func (b *loop) round(ctx context.Context, n int, send func(context.Context) (string, error)) (roundFigures, error) {
	b.endpoint.forget()
	var r roundFigures
	begun, cpu := time.Now(), cpuTime()
	sent, err := b.load(ctx, n, send)
	if err != nil {
		return r, err
	}
	r.accepting = time.Since(begun)
	b.endpoint.wait(ctx, n)
	if err := ctx.Err(); err != nil {
		return r, errors.New("interrupted")
	}
	r.cpu = cpuTime() - cpu
	b.endpoint.mu.Lock()
	defer b.endpoint.mu.Unlock()
	for id, at := range sent {
		got, ok := b.endpoint.received[id]
		if !ok {
			r.missing++
			continue
		}
		r.latencies = append(r.latencies, got.Sub(at))
		r.delivering = max(r.delivering, got.Sub(begun))
	}
	r.duplicates = b.endpoint.duplicates
	return r, nil
}

// load answers when each event began its way, by id. The first error stops all clients.
func (b *loop) load(ctx context.Context, n int, send func(context.Context) (string, error)) (map[string]time.Time, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	work := make(chan struct{}, n)
	for range n {
		work <- struct{}{}
	}
	close(work)
	var mu sync.Mutex
	sent := make(map[string]time.Time, n)
	var clients sync.WaitGroup
	for range min(b.options.Clients, n) {
		clients.Go(func() {
			for range work {
				at := time.Now()
				id, err := persist(ctx, send)
				if err != nil {
					stop(err)
					return
				}
				mu.Lock()
				sent[id] = at
				mu.Unlock()
			}
		})
	}
	clients.Wait()
	return sent, context.Cause(ctx)
}

// cpuTime is what this process has used, user and system.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // fails for a bad pointer only
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
