package activities_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"

	"hookloop/activities"
	"hookloop/internal/webhook"
)

var errAway = errors.New("connection refused")

var endpoint1 = activities.EndpointRef{Tenant: "demo", EndpointID: "ep_1"}

// keeper keeps one endpoint, as a registry does.
type keeper struct {
	mu       sync.Mutex
	endpoint webhook.Endpoint
	deleted  bool
	away     error // why it cannot be read
	writes   int
}

func (k *keeper) Endpoint(context.Context, string, string) (webhook.Endpoint, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.deleted {
		return webhook.Endpoint{}, webhook.Errorf(webhook.NotFound, "endpoint ep_1 does not exist")
	}
	return k.endpoint, k.away
}

func (k *keeper) UpdateEndpoint(ctx context.Context, tenant, id string, change func(*webhook.Endpoint) error) (webhook.Endpoint, error) {
	e, err := k.Endpoint(ctx, tenant, id)
	if err != nil {
		return e, err
	}
	if err := change(&e); err != nil {
		return webhook.Endpoint{}, fmt.Errorf("endpoint %s: %w", id, err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.writes++
	k.endpoint = e
	return e, nil
}

// ofEndpoint1 refuses what is asked about another endpoint.
func ofEndpoint1(tenant, endpointID string) error {
	if (activities.EndpointRef{Tenant: tenant, EndpointID: endpointID}) != endpoint1 {
		return fmt.Errorf("nothing waits for %s/%s", tenant, endpointID)
	}
	return nil
}

// let is a delivery that was released or rechecked, and when.
type let struct {
	id string
	at time.Time
}

// queue is what waits for an endpoint. lists are what Oldest gives, one after the other; running
// the same of Running, page by page.
type queue struct {
	mu      sync.Mutex
	lists   [][]string
	asked   []int // limits
	running [][]string
	before  []time.Time
	notHeld map[string]bool
	fail    map[string]error
	away    error
	probed  []string // event id and key
	let     []let
	whys    []webhook.Instruction
	on      func(id string) // hears of a release before it is done
}

func (q *queue) Count(_ context.Context, tenant, endpointID string) (n int, err error) {
	if err := ofEndpoint1(tenant, endpointID); err != nil {
		return 0, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, l := range q.lists {
		n += len(l)
	}
	return n, q.away
}

func (q *queue) Oldest(_ context.Context, tenant, endpointID string, limit int) (ids []string, err error) {
	if err := ofEndpoint1(tenant, endpointID); err != nil {
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.asked = append(q.asked, limit)
	if len(q.lists) > 0 {
		ids, q.lists = q.lists[0], q.lists[1:]
	}
	return ids, q.away
}

// Running gives one page after the other; an empty one is the last of its list.
func (q *queue) Running(_ context.Context, tenant, endpointID string, before time.Time, _ bool, _ []byte) (ids []string, next []byte, err error) {
	if err := ofEndpoint1(tenant, endpointID); err != nil {
		return nil, nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.before = append(q.before, before)
	if len(q.running) > 0 {
		ids, q.running = q.running[0], q.running[1:]
	}
	if len(ids) > 0 {
		next = []byte("next")
	}
	return ids, next, q.away
}

func (q *queue) Waiting(_ context.Context, tenant, endpointID string) (ids []string, err error) {
	if err := ofEndpoint1(tenant, endpointID); err != nil {
		return nil, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.lists) > 0 {
		ids, q.lists = q.lists[0], q.lists[1:]
	}
	return ids, q.away
}

func (q *queue) RecheckDeferred(_ context.Context, tenant, eventID, endpointID string) (bool, error) {
	if err := ofEndpoint1(tenant, endpointID); err != nil {
		return false, err
	}
	if q.on != nil {
		q.on(eventID)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.let = append(q.let, let{eventID, time.Now()})
	return !q.notHeld[eventID], q.fail[eventID]
}

func (q *queue) Probe(_ context.Context, tenant, eventID, endpointID, key string) (webhook.Probe, error) {
	if err := ofEndpoint1(tenant, endpointID); err != nil {
		return webhook.Probe{}, err
	}
	if q.on != nil {
		q.on(eventID)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.probed = append(q.probed, eventID+" "+key)
	return webhook.Probe{Made: !q.notHeld[eventID], Answer: webhook.Answer{EventID: eventID}}, q.fail[eventID]
}

func (q *queue) Release(ctx context.Context, tenant, eventID, endpointID string) (bool, error) {
	if err := ofEndpoint1(tenant, endpointID); err != nil {
		return false, err
	}
	if q.on != nil {
		q.on(eventID)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := errors.Join(ctx.Err(), q.fail[eventID]); err != nil {
		return false, err
	}
	q.let = append(q.let, let{eventID, time.Now()})
	return !q.notHeld[eventID], nil
}

func (q *queue) Recheck(ctx context.Context, tenant, eventID, endpointID string, why webhook.Instruction) error {
	if err := ofEndpoint1(tenant, endpointID); err != nil {
		return err
	}
	if q.on != nil {
		q.on(eventID)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if ctx.Err() != nil {
		return errAway // gRPC's words, not the context's
	}
	q.let, q.whys = append(q.let, let{eventID, time.Now()}), append(q.whys, why)
	return q.fail[eventID]
}

func (q *queue) told() (ids []string) {
	for _, l := range q.let {
		ids = append(ids, l.id)
	}
	return ids
}

// events are n ids, the oldest first.
func events(n int) (ids []string) {
	for i := range n {
		ids = append(ids, fmt.Sprintf("evt_%04d", i))
	}
	return ids
}

func active() *keeper { return &keeper{endpoint: webhook.Endpoint{State: webhook.EndpointActive}} }

// act runs an activity by its name, as a worker would.
func act[Out any](t *testing.T, k activities.EndpointKeeper, q activities.Backlog, activity string, in any, prepare ...func(*testsuite.TestActivityEnvironment)) (out Out, err error) {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestActivityEnvironment()
	for _, p := range prepare {
		p(env)
	}
	env.RegisterActivity(&activities.Approval{Endpoints: k, Backlog: q})
	answer, err := env.ExecuteActivity(activity, in)
	if err != nil {
		return out, err
	}
	require.NoError(t, answer.Get(&out))
	return out, nil
}

// cancellable lets a test cancel an activity, as its workflow would, or stop its worker.
func cancellable(t *testing.T) (stop context.CancelCauseFunc, prepare func(*testsuite.TestActivityEnvironment)) {
	t.Helper()
	ctx, stop := context.WithCancelCause(t.Context())
	return stop, func(env *testsuite.TestActivityEnvironment) {
		env.SetWorkerOptions(worker.Options{BackgroundActivityContext: ctx})
	}
}
