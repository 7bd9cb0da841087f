package gateway

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"hookloop/internal/quota"
	"hookloop/internal/source"
	"hookloop/internal/webhook"
)

// QuotaExceeded is the code of a request that a tenant may not make now: it has had its share.
const QuotaExceeded webhook.Code = "quota_exceeded"

// quotaUnits are what the quotas count, where it is not requests.
var quotaUnits = map[string]string{
	quota.Bytes: "content-bytes", quota.Reads: "concurrent-requests",
	quota.Endpoints: "endpoints", quota.Sources: "sources", quota.OpenDeliveries: "deliveries",
}

// exceeded is what a refused client reads. A read that is refused for others' sake is the machine's state and
// not the client's fault.
func exceeded(r *quota.Refusal) *Problem {
	p := newProblem(QuotaExceeded, "the tenant's quota of "+r.Quota+" is spent; try again later")
	switch {
	case r.Busy:
		p = newProblem(Overloaded, "more is asked than can be read right now; try again")
	case r.Quota == quota.Endpoints, r.Quota == quota.Sources:
		p = newProblem(QuotaExceeded, fmt.Sprintf("the tenant has as many %s as it may, %d; delete one, or have the quota raised", r.Quota, r.Limit))
	}
	p.more = spent{policy: r.Quota, unit: quotaUnits[r.Quota], quota: r.Limit, window: r.Window, retry: r.Retry}.header()
	return p
}

// cost is what an operation takes of a tenant's quotas, before anything of the request but its head is read.
type cost int

const (
	cheap  cost = iota
	posts       // it accepts, or starts deliveries again
	costly      // it reads much
	makes       // it makes an endpoint or a source: its handler counts them
)

// charges is the middleware of an operation with a cost.
func (g *Gateway) charges(c cost) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		tenant := ctx.Param("tenant")
		switch c {
		case posts:
			if err := g.quotas.Post(tenant, 1); err != nil {
				g.fail(ctx, err)
				return
			}
		case costly:
			done, err := g.quotas.Read(ctx.Context(), tenant)
			if err != nil {
				g.fail(ctx, err)
				return
			}
			defer done()
		case cheap, makes:
		}
		next(ctx)
	}
}

// chargeItems takes what a third party's request brings of its tenant's quotas.
func (g *Gateway) chargeItems(tenant string, items []source.Item) error {
	if err := g.quotas.Post(tenant, len(items)); err != nil {
		return err
	}
	bytes := 0
	for _, item := range items {
		bytes += len(item.Data)
	}
	return g.quotas.Bytes(tenant, bytes)
}

// roomForEndpoint and roomForSource refuse one more than a tenant may have.
func (g *Gateway) roomForEndpoint(ctx context.Context, tenant string) error {
	has, err := g.registry.CountEndpoints(ctx, tenant)
	if err != nil {
		return fmt.Errorf("endpoints: %w", registryErr(err))
	}
	return g.quotas.Room(tenant, quota.Endpoints, has)
}

func (g *Gateway) roomForSource(ctx context.Context, tenant string) error {
	has, err := g.sources.CountSources(ctx, tenant)
	if err != nil {
		return fmt.Errorf("sources: %w", registryErr(err))
	}
	return g.quotas.Room(tenant, quota.Sources, has)
}

// roomUnlessMade lets a repeat of what an Idempotency-Key has made through: it makes nothing.
func (g *Gateway) roomUnlessMade(
	ctx context.Context, tenant, key string, c webhook.Creation,
	room func(ctx context.Context, tenant string) error,
	created func(ctx context.Context, tenant string, c webhook.Creation) (bool, error),
) error {
	spent := room(ctx, tenant)
	if spent == nil || key == "" {
		return spent
	}
	made, err := created(ctx, tenant, c)
	switch {
	case err != nil:
		return registryErr(err)
	case made:
		return nil
	}
	return spent
}

// documentQuotas adds to an operation what charges may answer.
func documentQuotas(op *huma.Operation, content map[string]*huma.MediaType) {
	if op.Metadata[charged] == nil {
		return
	}
	op.Responses[strconv.Itoa(http.StatusTooManyRequests)] = &huma.Response{
		Description: "`quota_exceeded`: the tenant has had its share; nothing was done.", Content: content,
		Headers: limitHeaders("How many there may be, and in how many seconds.", `"posts";q=1000;w=1`, "None is left, and when one should be.", `"posts";r=0;t=1`),
	}
}

// charged marks, in an operation's metadata, one that has a cost.
const charged = "charged"
