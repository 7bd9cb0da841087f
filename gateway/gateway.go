// Package gateway is HTTP in: apps post events, manage their endpoints and ask what became of an
// event; people decide about endpoints that keep failing. It decides who may do what and what is
// well formed; what happens to an accepted event is the workflows' business, where an endpoint is
// kept the registry's. cmd builds one and runs it.
package gateway

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"hookloop/gateway/auth"
	"hookloop/gateway/confined"
	"hookloop/gateway/console"
	"hookloop/gateway/ingest"
	"hookloop/gateway/observe"
	"hookloop/gateway/schema"
	"hookloop/gateway/stats"
	"hookloop/gateway/wellformed"
	"hookloop/internal/admission"
	"hookloop/internal/expression"
	"hookloop/internal/quota"
)

// Breakers tells how an endpoint's breaker stands: "closed", "open" or "half-open".
type Breakers interface {
	Breaker(tenant, endpointID string) string
}

// Config is what a gateway is made of.
type Config struct {
	Registry     Registry
	Sources      Sources
	Providers    Providers
	Echoes       ingest.Echoes
	Events       Events
	Recoveries   Recoveries
	Redeliveries Redeliveries
	Approvals    Approvals
	Audits       Audits
	Attempts     AttemptLog
	Erasures     Erasures
	Waiting      Waiting
	Portals      Portals
	Auth         auth.Verifying

	Codec         http.Handler         // Temporal's codec server, at /codec; nil: there is none
	Breakers      Breakers             // of the worker in this process; nil: there is none, and no breaker is shown
	LargeItems    bool                 // items of third parties above 1 MiB are accepted: Events has a body store
	Expressions   wellformed.Compiler  // check those of endpoints and sources; nil: in processes of its own
	IngestMemory  int64                // what third parties' requests hold of the memory at once, in bytes; 0: 256 MiB
	BodyPatience  time.Duration        // how long a third party's body may take besides a second for each 256 KiB; 0: 10 s
	LoopbackHosts bool                 // requests that name another machine in Host get 403, but for /in/ under PublicURL; for development
	OpsApart      bool                 // /metrics is served by Ops alone, and not where third parties come
	CursorKey     []byte               // authenticates cursors and portal links, the same for all gateways; nil: one that ends with this gateway
	NoConsole     bool                 // /console is not served
	OIDC          *console.OIDC        // where people sign in to the console besides with a token; nil: nowhere
	UIOrigins     []string             // of Temporal UIs that may show the console's panel in a frame; empty: none may
	TemporalUI    string               // the namespace's page in the Temporal UI, to which the console links; empty: it does not
	Proxies       []netip.Prefix       // whose X-Forwarded-For tells the client's address; empty: none is believed
	AllowLoopback bool                 // endpoints on this machine are accepted; for development
	AllowNetworks []netip.Prefix       // networks inside that endpoints may lie in; empty: none
	PublicURL     string               // where third parties reach the gateway, without a slash at its end; empty: the address at which a request arrived
	Version       string               // shown in the OpenAPI document; empty: "dev"
	Metrics       *prometheus.Registry // served at /metrics; nil: one of the gateway's own
	Tracer        trace.Tracer         // makes spans of requests and acceptances; nil: none, and no event is traced
	Logger        *slog.Logger         // nil: says nothing
	Now           func() time.Time     // nil: time.Now
	ResumeWait    time.Duration        // how long a resume waits until the endpoint is active; 0: 3 s
	Quotas        *quota.Quotas        // what each tenant may ask for; nil: quota.Defaults, of this gateway alone
}

// Gateway answers HTTP requests.
type Gateway struct {
	cfg Config // complete

	auth         auth.Verifying // cfg's, and portal links
	links        *auth.Links
	stats        *stats.Reader
	confined     confined.Room
	urls         wellformed.Hosts
	observer     *observe.Observer
	gate         *admission.Gate
	ingest       *ingest.Receiver
	schemas      huma.Registry // of the API
	handler, ops http.Handler
}

// New builds a gateway and names what is missing.
func New(c Config) (*Gateway, error) {
	if err := c.complete(); err != nil {
		return nil, err
	}
	seen, err := observe.New(observe.Config{Metrics: c.Metrics, Tracer: c.Tracer, Logger: c.Logger})
	if err != nil {
		return nil, err
	}
	gate, err := admission.New(admission.Config{Metrics: c.Metrics, Logger: c.Logger})
	if err != nil {
		return nil, err
	}
	g := &Gateway{
		cfg: c, observer: seen, gate: gate, schemas: schema.New(),
		stats: stats.New(c.Attempts, c.Waiting, c.Now, c.Logger), urls: wellformed.Hosts{Loopback: c.AllowLoopback, Inside: c.AllowNetworks},
	}
	g.confined = confined.Room{Endpoint: g.endpoint, List: c.Registry.Endpoints, Quotas: c.Quotas}
	if g.links, err = auth.NewLinks(c.Portals, c.CursorKey, c.Now, c.Auth); err != nil {
		return nil, err
	}
	g.auth = g.links
	g.ingest, err = ingest.New(ingest.Config{
		Sources: c.Sources, Providers: c.Providers, Echoes: c.Echoes, Endpoints: c.Registry, Gate: gate, Quotas: c.Quotas,
		Start: g.start, Accepted: c.Events.Accepted, LargeItems: c.LargeItems, Memory: c.IngestMemory, BodyPatience: c.BodyPatience,
		AnswerTimeout: writeTimeout, Requests: seen.Ingested, Items: seen.Items, Events: seen.Accepted, Logger: c.Logger, Now: c.Now,
	})
	if err != nil {
		return nil, err
	}
	g.handler, err = g.routes()
	if err != nil {
		return nil, err
	}
	g.ops = g.opsRoutes()
	return g, nil
}

// Ops serves what the operator's own machines ask: /healthz, /readyz and /metrics.
func (g *Gateway) Ops() http.Handler { return g.ops }

// Handler serves every route of the gateway, for programs with a server of their own; with
// OpsApart all but /metrics.
func (g *Gateway) Handler() http.Handler { return g.handler }

// complete fills in the zero values that have a meaning and refuses those that have none.
func (c *Config) complete() error {
	for _, need := range []struct {
		name  string
		given any
	}{
		{"Registry", c.Registry},
		{"Events", c.Events},
		{"Recoveries", c.Recoveries},
		{"Redeliveries", c.Redeliveries},
		{"Approvals", c.Approvals},
		{"Audits", c.Audits},
		{"Attempts", c.Attempts},
		{"Erasures", c.Erasures},
		{"Waiting", c.Waiting},
		{"Portals", c.Portals},
		{"Auth", c.Auth},
		{"Sources", c.Sources},
		{"Providers", c.Providers},
		{"Echoes", c.Echoes},
	} {
		if need.given == nil {
			return fmt.Errorf("gateway: %s is missing", need.name)
		}
	}
	if c.Expressions == nil {
		c.Expressions, _ = expression.New(expression.Config{}) // without metrics it cannot fail
	}
	if c.Quotas == nil {
		c.Quotas, _ = quota.New(quota.Config{}) // without metrics it cannot fail
	}
	if c.CursorKey == nil {
		c.CursorKey = []byte(rand.Text())
	}
	c.Version, c.ResumeWait = cmp.Or(c.Version, "dev"), cmp.Or(c.ResumeWait, resumeWait)
	c.Metrics = cmp.Or(c.Metrics, prometheus.NewRegistry())
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	if c.Now == nil {
		c.Now = time.Now
	}
	return nil
}
