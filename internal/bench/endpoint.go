package bench

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"
)

// EndpointConfig says how an endpoint behaves.
type EndpointConfig struct {
	Latency time.Duration // it answers after so long
	Failing float64       // the share of attempts it answers 500
	Seed    uint64        // of the draw
}

// arrival is one request that reached the endpoint.
type arrival struct {
	id     string // of the event
	at     time.Time
	status int // it was answered with
}

// endpoint remembers everything that came. It may have several addresses.
type endpoint struct {
	cfg     EndpointConfig
	servers []*http.Server
	urls    []string

	mu       sync.Mutex
	changed  *sync.Cond
	draw     *rand.Rand
	down     int // the status it answers with, 0: it is well
	arrivals []arrival
	taken    map[string]bool // ids answered 2xx
	missing  map[string]bool // ids that are waited for
	inFlight int
}

func startEndpoint(ctx context.Context, addresses int, cfg EndpointConfig) (*endpoint, error) {
	e := &endpoint{cfg: cfg, taken: map[string]bool{}, draw: rand.New(rand.NewPCG(cfg.Seed, cfg.Seed))}
	e.changed = sync.NewCond(&e.mu)
	for range addresses {
		if err := e.listen(ctx, "127.0.0.1:0"); err != nil {
			e.close()
			return nil, err
		}
	}
	return e, nil
}

func (e *endpoint) listen(ctx context.Context, address string) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return err
	}
	s := &http.Server{ReadHeaderTimeout: Patience, Handler: http.HandlerFunc(e.serve)}
	e.servers, e.urls = append(e.servers, s), append(e.urls, "http://"+l.Addr().String()+"/")
	go func() { _ = s.Serve(l) }()
	return nil
}

func (e *endpoint) close() {
	for _, s := range e.servers {
		_ = s.Close()
	}
	e.servers = nil
}

func (e *endpoint) serve(w http.ResponseWriter, r *http.Request) {
	status := e.receive(r.Header.Get("webhook-id"))
	defer e.answered()
	_, _ = io.Copy(io.Discard, r.Body)
	if wait(r.Context(), time.Now().Add(e.cfg.Latency)) {
		w.WriteHeader(status)
	}
}

// receive notes an attempt and decides its answer.
func (e *endpoint) receive(id string) (status int) {
	now := time.Now()
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.down != 0:
		status = e.down
	case e.cfg.Failing > 0 && e.draw.Float64() < e.cfg.Failing:
		status = http.StatusInternalServerError
	default:
		status, e.taken[id] = http.StatusNoContent, true
		delete(e.missing, id)
	}
	e.arrivals = append(e.arrivals, arrival{id, now, status})
	e.inFlight++
	e.changed.Broadcast()
	return status
}

func (e *endpoint) answered() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.inFlight--
	e.changed.Broadcast()
}

// fail answers everything with a status from now on; 0 makes it well again.
func (e *endpoint) fail(status int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.down = status
}

// forget begins a measurement.
func (e *endpoint) forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.arrivals, e.taken = nil, map[string]bool{}
}

// await blocks until every one of these events has been taken and each attempt is answered, or
// patience or ctx ends.
func (e *endpoint) await(ctx context.Context, ids []string, patience time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		e.mu.Lock() // or the broadcast could fall between the check and the Wait
		defer e.mu.Unlock()
		e.changed.Broadcast()
	})()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.missing = map[string]bool{}
	for _, id := range ids {
		if !e.taken[id] {
			e.missing[id] = true
		}
	}
	for (len(e.missing) > 0 || e.inFlight > 0) && ctx.Err() == nil {
		e.changed.Wait()
	}
}

// seen is a copy of what came.
func (e *endpoint) seen() []arrival {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]arrival(nil), e.arrivals...)
}

// eventType is the one that address i wants.
func eventType(i int) string { return fmt.Sprintf("bench.e%d", i) }
