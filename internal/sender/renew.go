package sender

import (
	"net/http"
	"sync"
	"time"
)

// renewAfter is for how long new attempts go over connections made before: when an endpoint's name
// has got another address, attempts follow within that time. It costs a busy endpoint a handshake a
// minute.
const renewAfter = time.Minute

// renewing is a transport that is replaced now and then. Traffic keeps a connection alive for as
// long as the server at its end wants, so the old address of a name would be used until that server
// goes.
type renewing struct {
	fresh func() *http.Transport

	mu      sync.Mutex
	current *http.Transport
	since   time.Time
}

func newRenewing(fresh func() *http.Transport) *renewing {
	return &renewing{fresh: fresh, current: fresh(), since: time.Now()}
}

// RoundTrip makes one request.
func (r *renewing) RoundTrip(req *http.Request) (*http.Response, error) {
	return r.transport().RoundTrip(req)
}

// transport is the present one. Requests under way end on the one before, whose connections close
// once idle.
func (r *renewing) transport() *http.Transport {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now := time.Now(); now.Sub(r.since) >= renewAfter {
		before := r.current
		r.current, r.since = r.fresh(), now
		go before.CloseIdleConnections()
	}
	return r.current
}

// CloseIdleConnections leaves those in use to their requests.
func (r *renewing) CloseIdleConnections() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.current.CloseIdleConnections()
}
