package bench

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"hookloop/api"
	"hookloop/client"
)

// app posts for one tenant.
type app struct {
	hooks  []*client.Client // one for each gateway, posted to in turn
	tenant string
	data   json.RawMessage // of each event
	http   *http.Client
}

func newApp(t *Target, tenant string, size int) (*app, error) {
	a := &app{
		tenant: tenant, data: json.RawMessage(`"` + strings.Repeat("x", max(size-2, 0)) + `"`),
		http: &http.Client{Timeout: Patience, Transport: &http.Transport{MaxIdleConnsPerHost: maxInFlight}}, // keeps a connection for each client
	}
	for _, gateway := range t.Gateways {
		// A repeat would be another post than the one that is measured.
		hooks, err := client.New(client.Config{URL: gateway, Tenant: tenant, Token: t.Token, UserAgent: "hookloop-bench", Attempts: 1, HTTP: a.http})
		if err != nil {
			return nil, err
		}
		a.hooks = append(a.hooks, hooks)
	}
	return a, nil
}

func (a *app) close() { a.http.CloseIdleConnections() }

// post is one event on its way.
type post struct {
	due      time.Time // by the pace
	sent     time.Time // the POST began
	answered time.Time
	status   int    // 0: there was no answer
	id       string // if it was accepted
	err      error  // why there was no answer

	retryAfter bool // it came with the answer
}

func (p post) accepted() bool { return p.status == http.StatusAccepted }

// event posts the nth one.
func (a *app) event(ctx context.Context, n int, kind string, due time.Time) post {
	p := post{due: due, sent: time.Now()}
	accepted, err := a.hooks[n%len(a.hooks)].Events.Send(api.NewEvent{Type: kind, Data: a.data}).Do(ctx)
	p.answered = time.Now()
	switch refused, isRefusal := errors.AsType[*client.Error](err); {
	case err == nil:
		p.status, p.id = http.StatusAccepted, accepted.ID
	case isRefusal:
		p.status, p.retryAfter = refused.Status, refused.RetryAfter > 0
	default:
		p.err = err
	}
	return p
}

// register makes an endpoint that wants a type. retry is the wait between attempts; 0: the usual
// schedule.
func (a *app) register(ctx context.Context, url, kind string, retry time.Duration) error {
	n := api.NewEndpoint{URL: url, EventTypes: []string{kind}}
	if retry > 0 {
		n.Schedule = append(n.Schedule, 0)
		for range retries {
			n.Schedule = append(n.Schedule, api.Duration(retry))
		}
	}
	_, err := a.hooks[0].Endpoints.Create(n).Do(ctx)
	return err
}

// hang makes an endpoint of which it is known that it answers nothing within the timeout.
func (a *app) hang(ctx context.Context, url string, timeout time.Duration) error {
	_, err := a.hooks[0].Endpoints.Create(api.NewEndpoint{URL: url, Timeout: api.Duration(timeout)}).Do(ctx)
	return err
}

// retries is how many attempts may follow the first, which is made at once: a schedule has thirty
// at most.
const retries = 29
