package simulation_test

import (
	"context"
	"crypto/sha256"
	"strings"
	"sync"
	"testing"
	"time"

	"go.temporal.io/api/workflowservice/v1"

	"hookloop/activities"
	"hookloop/e2e/service"
	"hookloop/gateway"
	"hookloop/internal/sender"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// most is how many scenarios may pass until a fault on purpose is found.
const most = 200

// found runs scenarios with a fault in Hookloop until one of them notices it by what it breaks.
func found(t *testing.T, hooks service.Config, lose loses, broken string) {
	t.Helper()
	movable(t)
	for first := uint64(0); first < most; first += together {
		var by *scenario
		var how string
		noticed := func(all []*scenario) bool {
			for _, s := range all {
				for _, v := range s.violations {
					if strings.Contains(v, broken) {
						by, how = s, v
					}
				}
			}
			return by != nil
		}
		w, all := simulate(t, hooks, lose, worldOf(first), noticed)
		w.stop()
		noticed(all) // at the end, too
		if by != nil {
			t.Logf("found by seed %d after %s, %d steps: %s", by.seed, w.now().Round(time.Second), w.steps, how)
			return
		}
	}
	t.Errorf("%d scenarios did not notice", most)
}

// TestFindsALostSignal: what an operator resumed stays paused, for Temporal never hears of it.
func TestFindsALostSignal(t *testing.T) { //nolint:paralleltest // one clock for all
	found(t, service.Config{}, func(request, reply any) bool {
		r, is := request.(*workflowservice.SignalWithStartWorkflowExecutionRequest)
		if !is || r.GetSignalName() != workflows.SignalResume {
			return false
		}
		reply.(*workflowservice.SignalWithStartWorkflowExecutionResponse).RunId = "lost"
		return true
	}, "a resume is in the audit")
}

// TestFindsASenderWithoutItsGuard: each attempt goes out at once, whatever the endpoint's limits
// are.
func TestFindsASenderWithoutItsGuard(t *testing.T) { //nolint:paralleltest // one clock for all
	found(t, service.Config{Sender: func(_ activities.Sender, of sender.Config) activities.Sender { return unguarded{of} }}, nil, "more than its limit")
}

// unguarded asks a new guard each time, which knows of no attempt before.
type unguarded struct{ of sender.Config }

func (u unguarded) Send(ctx context.Context, d webhook.Delivery, number int) (webhook.Attempt, error) {
	s, err := sender.New(u.of)
	if err != nil {
		return webhook.Attempt{}, err
	}
	defer s.Close()
	return s.Send(ctx, d, number)
}

// TestFindsDedupeByContent: two events that say the same are taken for one.
func TestFindsDedupeByContent(t *testing.T) { //nolint:paralleltest // one clock for all
	found(t, service.Config{Events: func(inner gateway.Events) gateway.Events {
		return &byContent{Events: inner, known: map[[sha256.Size]byte]bool{}}
	}}, nil, "lost: ")
}

// byContent starts no event whose data it knows, as if it had.
type byContent struct {
	gateway.Events

	mu    sync.Mutex
	known map[[sha256.Size]byte]bool
}

func (b *byContent) Start(ctx context.Context, in workflows.EventInput, data []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	hash := sha256.Sum256(append([]byte(in.Event.Tenant), data...))
	if b.known[hash] {
		return nil
	}
	err := b.Events.Start(ctx, in, data)
	if err == nil {
		b.known[hash] = true
	}
	return err
}
