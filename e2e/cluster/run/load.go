package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"hookloop/e2e/cluster"
)

// loadPatience bounds the wait for the last event of a round.
const loadPatience = time.Minute

// load measures a cluster: events from clients here to an endpoint here, in rounds, and in
// alternation as many bare workflows on the same Temporal, in as many processes as accept events:
// eager start, one local activity that does nothing but say it ran.
type load struct {
	s       *stage
	c       *cluster.Cluster
	events  int
	clients int
	http    *http.Client

	mu       sync.Mutex
	arrived  *sync.Cond
	received map[string]time.Time
}

// measured is one round.
type measured struct {
	perSecond float64
	times     []time.Duration
	cpu       map[string]time.Duration // by process
	written   int64                    // bytes, by PostgreSQL ahead
}

const loadRounds = 5

func runLoad(s *stage, c *cluster.Cluster, events, clients int) {
	l := &load{
		s: s, c: c, events: events, clients: clients, received: map[string]time.Time{},
		http: &http.Client{Timeout: loadPatience, Transport: &http.Transport{MaxIdleConnsPerHost: 1000}},
	}
	l.arrived = sync.NewCond(&l.mu)
	l.listen()
	var ours, bares []measured
	for round := range loadRounds + 1 {
		our, bare := l.round(), l.bareRound()
		if round == 0 { // warms up
			continue
		}
		ours, bares = append(ours, our), append(bares, bare)
		fmt.Printf("round %d: %.0f events/s, %.0f bare workflows/s, ratio %.2f\n", round, our.perSecond, bare.perSecond, our.perSecond/bare.perSecond)
	}
	l.show(ours, bares)
}

// listen is the endpoint.
func (l *load) listen() {
	listener, err := (&net.ListenConfig{}).Listen(l.s.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		l.s.Fatal(err)
	}
	srv := &http.Server{ReadHeaderTimeout: loadPatience, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		l.record(r.Header.Get("webhook-id"))
		w.WriteHeader(http.StatusNoContent)
	})}
	go func() { _ = srv.Serve(listener) }()
	l.s.Cleanup(func() { _ = srv.Close() })
	if _, err := l.post(api(l.c.Gateways[0], "/endpoints"), fmt.Sprintf(`{"url":"http://%s/"}`, listener.Addr())); err != nil {
		l.s.Fatal(err)
	}
}

var loadData = strings.Repeat("x", 510)

func (l *load) event(n int) (string, error) {
	to, event := api(l.c.Gateways[n%len(l.c.Gateways)], "/events"), `{"type":"load.event","data":"`+loadData+`"}`
	body, err := l.post(to, event)
	for errors.Is(err, errOverloaded) {
		<-time.NewTimer(loadRetry).C // the gateway asked for it
		body, err = l.post(to, event)
	}
	var e struct{ ID string }
	if err == nil {
		err = json.Unmarshal(body, &e)
	}
	return e.ID, err
}

func api(gateway *cluster.Process, path string) string {
	return gateway.URL() + "/v1/tenants/demo" + path
}

func (l *load) post(to, body string) ([]byte, error) {
	req, err := http.NewRequestWithContext(l.s.Context(), http.MethodPost, to, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+l.c.Token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := l.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
	case resp.StatusCode == http.StatusServiceUnavailable:
		err = errOverloaded
	case resp.StatusCode/100 != 2:
		err = fmt.Errorf("%s: %d: %s", req.URL.Path, resp.StatusCode, answer)
	}
	return answer, err
}

// errOverloaded says that the gateway accepts no more at the moment. As fast as the clients are is
// what is measured, so they try again soon, and not only when Retry-After says.
var errOverloaded = errors.New("the gateway is overloaded")

const loadRetry = 50 * time.Millisecond

func (l *load) record(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.received[id] = time.Now()
	l.arrived.Broadcast()
}

// round sends all events and waits until all have arrived.
func (l *load) round() measured {
	l.mu.Lock()
	l.received = map[string]time.Time{}
	l.mu.Unlock()
	var sent map[string]time.Time
	m := l.measure(func() {
		sent = l.send()
		l.wait()
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, at := range sent {
		m.times = append(m.times, l.received[id].Sub(at))
	}
	return m
}

// bareRound lets each process start its share.
func (l *load) bareRound() measured {
	return l.measure(func() {
		var all errgroup.Group
		n := len(l.c.Bares)
		for i, p := range l.c.Bares {
			all.Go(func() error {
				share := url.Values{"workflows": {fmt.Sprint((l.events + i) / n)}, "clients": {fmt.Sprint(max(1, l.clients/n))}}
				_, err := l.post(p.URL()+"/?"+share.Encode(), "")
				return err
			})
		}
		if err := all.Wait(); err != nil {
			l.s.Fatal(err)
		}
	})
}

func (l *load) measure(round func()) (m measured) {
	written := l.c.Postgres.Written(l.s)
	before, begun := l.c.CPU(), time.Now()
	round()
	m.perSecond = float64(l.events) / time.Since(begun).Seconds()
	m.cpu = l.c.CPU()
	for name := range m.cpu {
		m.cpu[name] -= before[name]
	}
	m.written = l.c.Postgres.Written(l.s) - written
	return m
}

func (l *load) send() map[string]time.Time {
	var mu sync.Mutex
	var firstErr error
	sent := map[string]time.Time{}
	work := make(chan int, l.events)
	for n := range l.events {
		work <- n
	}
	close(work)
	var clients sync.WaitGroup
	for range l.clients {
		clients.Go(func() {
			for n := range work {
				at := time.Now()
				id, err := l.event(n)
				mu.Lock()
				if err != nil {
					firstErr = err
				}
				sent[id] = at
				mu.Unlock()
			}
		})
	}
	clients.Wait()
	if firstErr != nil {
		l.s.Fatal(firstErr)
	}
	return sent
}

func (l *load) wait() {
	ctx, cancel := context.WithTimeout(l.s.Context(), loadPatience)
	defer cancel()
	defer context.AfterFunc(ctx, l.arrived.Broadcast)()
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.received) < l.events && ctx.Err() == nil {
		l.arrived.Wait()
	}
	if n := len(l.received); n < l.events {
		l.s.Fatalf("%d of %d events arrived", n, l.events)
	}
}

func (l *load) show(ours, bares []measured) {
	var times []time.Duration
	var rates, bareRates, ratios []float64
	cpu, bareCPU := map[string]time.Duration{}, map[string]time.Duration{}
	var written, bareWritten int64
	for i := range ours {
		times = append(times, ours[i].times...)
		rates, bareRates = append(rates, ours[i].perSecond), append(bareRates, bares[i].perSecond)
		ratios = append(ratios, ours[i].perSecond/bares[i].perSecond)
		written, bareWritten = written+ours[i].written, bareWritten+bares[i].written
		for name := range ours[i].cpu {
			cpu[name] += ours[i].cpu[name]
			bareCPU[name] += bares[i].cpu[name]
		}
	}
	slices.Sort(times)
	fmt.Printf("\n%d events, %d clients, medians of %d rounds\n", l.events, l.clients, len(ours))
	fmt.Printf("delivered %.0f/s, bare %.0f/s, ratio %.2f; p50 %s, p99 %s\n", median(rates), median(bareRates), median(ratios),
		times[len(times)/2].Round(time.Millisecond/10), times[len(times)*99/100].Round(time.Millisecond/10))
	fmt.Printf("%-12s %16s %16s\n", "CPU", "ms per event", "ms per bare one")
	all := len(ours) * l.events
	fmt.Printf("%-12s %16.1f %16.1f\n", "WAL, KiB", float64(written)/float64(all<<10), float64(bareWritten)/float64(all<<10))
	for _, name := range l.c.Names() {
		n := float64(all) * float64(time.Millisecond)
		fmt.Printf("%-12s %16.2f %16.2f\n", name, float64(cpu[name])/n, float64(bareCPU[name])/n)
	}
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}
