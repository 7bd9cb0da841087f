package activities

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.temporal.io/sdk/activity"

	"hookloop/internal/webhook"
)

// probeAmong is how many of the oldest deliveries are tried: the list is a moment behind.
const probeAmong = 20

// errStale means that the list was behind what the deliveries know. A retry reads it again.
var errStale = errors.New("no delivery on the list is held any more")

// ProbeOrder asks for a probe.
type ProbeOrder struct {
	EndpointRef
	Key   string   `json:"key"`             // of this probe: asked for again, it is not made again
	After []string `json:"after,omitempty"` // events of earlier probes that were refused: it is another
}

// ProbeOldest sends the oldest delivery that is held, whatever the endpoint's state.
func (a *Approval) ProbeOldest(ctx context.Context, in ProbeOrder) (webhook.Probe, error) {
	ids, err := a.oldest(ctx, in.EndpointRef, probeAmong)
	ids = slices.DeleteFunc(ids, func(id string) bool { return slices.Contains(in.After, id) })
	if err != nil || len(ids) == 0 {
		return webhook.Probe{}, err
	}
	defer keepAlive(ctx)()
	for _, id := range ids {
		p, err := a.Backlog.Probe(ctx, in.Tenant, id, in.EndpointID, in.Key)
		if err != nil || p.Made {
			return p, err
		}
	}
	return webhook.Probe{}, errStale
}

// keepAlive sends heartbeats until stop is called: a probe waits for its answer meanwhile.
func keepAlive(ctx context.Context) (stop func()) {
	ctx, stop = context.WithCancel(ctx)
	go func() {
		for sleep(ctx, 5*time.Second) == nil {
			activity.RecordHeartbeat(ctx)
		}
	}()
	return stop
}

// oldest reads the list twice before it answers that there is none.
func (a *Approval) oldest(ctx context.Context, of EndpointRef, limit int) ([]string, error) {
	ids, err := a.Backlog.Oldest(ctx, of.Tenant, of.EndpointID, limit)
	if err != nil || len(ids) > 0 {
		return ids, err
	}
	if err := sleep(ctx, a.behind()); err != nil {
		return nil, err
	}
	return a.Backlog.Oldest(ctx, of.Tenant, of.EndpointID, limit)
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
