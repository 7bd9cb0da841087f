package guard

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// register shows how many breakers are open and how many deliveries wait.
func (g *Guard) register(r prometheus.Registerer) error {
	for _, c := range []prometheus.Collector{
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "hookloop_breakers_open",
			Help: "Endpoints whose circuit breaker in this worker is open or waits for its probe.",
		}, g.openBreakers),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "hookloop_attempts_waiting",
			Help: "Deliveries that wait in this worker's memory until their endpoint can take another attempt.",
		}, g.attemptsWaiting),
	} {
		if err := r.Register(c); err != nil {
			return err
		}
	}
	return nil
}

// openBreakers counts the breakers that are not closed.
func (g *Guard) openBreakers() float64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forget(time.Now())
	open := 0
	for el := g.recent.Front(); el != nil; el = el.Next() {
		if !el.Value.(*endpoint).breaker.isClosed() {
			open++
		}
	}
	return float64(open)
}

func (g *Guard) attemptsWaiting() float64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return float64(g.waiting.used)
}
