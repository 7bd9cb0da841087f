package ingest

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/prometheus/client_golang/prometheus"

	"hookloop/internal/admission"
	"hookloop/internal/quota"
	"hookloop/internal/source"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// Sources know the sources and what came of theirs; the registry does. Its errors carry
// webhook.NotFound or none: then it is out of reach.
type Sources interface {
	SourceByID(ctx context.Context, id string) (webhook.Source, error)
	// Withheld gives the ids of an application's endpoints that do not want its own events back.
	Withheld(ctx context.Context, tenant, application string) ([]string, error)
	// BindOnce binds a name to the content it is first seen with, and answers the one it is bound
	// to.
	BindOnce(ctx context.Context, sourceID, name, content string, until, now time.Time) (string, error)

	// Arrivals says which items came before, and of those that are the same for a while only, that
	// they have come now.
	Arrivals(ctx context.Context, sourceID string, names []string, sameFor time.Duration, now time.Time) (map[string]webhook.Arrival, error)
	// TakeArrivals notes which items have become events, and adds what became of a source's
	// requests.
	TakeArrivals(ctx context.Context, sourceID string, all []webhook.Taken, a webhook.SourceActivity, now time.Time) error
	// PruneArrivals forgets all but the latest items of a source.
	PruneArrivals(ctx context.Context, sourceID string, keep int) error
}

// Providers know the third parties' protocols; source.Providers do.
type Providers interface {
	Provider(name string, config json.RawMessage) (source.Provider, error)
}

// Endpoints say which of them want an event.
type Endpoints interface {
	Match(ctx context.Context, tenant, eventType string) (webhook.Match, error)
}

// Config is what a Receiver is made of. All of it is required but for what says otherwise.
type Config struct {
	Sources   Sources
	Providers Providers
	Echoes    Echoes
	Endpoints Endpoints
	Gate      *admission.Gate
	Quotas    *quota.Quotas
	// Start accepts an event; orchestrator.ErrAccepted says that one of its id was accepted before.
	Start func(ctx context.Context, in workflows.EventInput, data []byte) error
	// Accepted gives what an event was accepted with, and its data.
	Accepted func(ctx context.Context, tenant, id string) (workflows.EventInput, []byte, error)

	LargeItems    bool                   // items above 1 MiB are accepted: there is a body store
	Memory        int64                  // what requests hold of the memory at once, in bytes; 0: 256 MiB
	BodyPatience  time.Duration          // how long a body may take besides a second for each 256 KiB; 0: 10 s
	AnswerTimeout time.Duration          // how long writing the answer may take
	Requests      *prometheus.CounterVec // by provider and outcome, never by tenant or id: their number is fixed
	Items         *prometheus.CounterVec // the same
	Events        prometheus.Counter     // accepted ones
	Logger        *slog.Logger
	Now           func() time.Time
}

// Receiver takes what third parties send.
type Receiver struct {
	cfg       Config                     // with its defaults
	known     *lru.Cache[string, string] // the provider of each source seen lately
	ingesting *shares                    // of the memory, for requests being read and accepted
	refusals  *refusals
	arrivals  *arrivals
}

// New makes a Receiver.
func New(c Config) (*Receiver, error) {
	known, err := lru.New[string, string](maxProviders)
	if err != nil {
		return nil, err
	}
	c.BodyPatience = cmp.Or(c.BodyPatience, bodyPatience)
	return &Receiver{
		cfg: c, known: known, ingesting: newShares(cmp.Or(c.Memory, maxIngesting)),
		refusals: newRefusals(c.Logger), arrivals: newArrivals(c.Sources, c.Logger, c.Now),
	}, nil
}

// Run writes down what comes of requests until ctx ends, and then what is left.
func (r *Receiver) Run(ctx context.Context) {
	var writers sync.WaitGroup
	writers.Go(func() { r.arrivals.run(ctx) })
	writers.Go(func() { r.refusals.run(ctx, r.cfg.Now) })
	writers.Wait()
}

// Flush tells the registry what came of a source's requests until now.
func (r *Receiver) Flush(ctx context.Context, sourceID string) error {
	return r.arrivals.write(ctx, sourceID)
}
