package workflows_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdkpb "go.temporal.io/api/sdk/v1"
	"go.temporal.io/sdk/testsuite"

	"hookloop/activities"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// world is an endpoint, the deliveries held for it, and the events about it.
type world struct {
	mu           sync.Mutex
	endpoint     webhook.Endpoint
	deleted      bool
	held         []string
	probes       []webhook.Probe // what each probe brings; the last repeats
	probed       map[string]webhook.Probe
	released     []string
	recheckedAll []string
	announced    []activities.Announcement
	away         int      // announcements that fail from now on
	tried        []string // their keys
	waiting      []string // deliveries that are not held
	rechecked    []string
	rechecking   func(context.Context) error // while one that is not held rechecks
}

func (w *world) Endpoint(context.Context, string, string) (webhook.Endpoint, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.deleted {
		return webhook.Endpoint{}, webhook.Errorf(webhook.NotFound, "no such endpoint")
	}
	return w.endpoint, nil
}

func (w *world) UpdateEndpoint(ctx context.Context, tenant, id string, change func(*webhook.Endpoint) error) (webhook.Endpoint, error) {
	e, err := w.Endpoint(ctx, tenant, id)
	if err == nil {
		err = change(&e)
	}
	if err != nil {
		return webhook.Endpoint{}, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.endpoint = e
	return e, nil
}

func (w *world) Count(context.Context, string, string) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.held), nil
}

func (w *world) Oldest(_ context.Context, _, _ string, limit int) ([]string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.held[:min(limit, len(w.held))]), nil
}

func (w *world) Running(_ context.Context, _, _ string, _ time.Time, held bool, _ []byte) ([]string, []byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !held {
		return slices.Clone(w.waiting), nil, nil
	}
	return slices.Clone(w.held), nil, nil
}

func (w *world) Waiting(context.Context, string, string) ([]string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.waiting), nil
}

func (w *world) RecheckDeferred(_ context.Context, _, eventID, _ string) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rechecked = append(w.rechecked, eventID)
	return true, nil
}

func (w *world) Probe(_ context.Context, _, eventID, _, key string) (webhook.Probe, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if p, again := w.probed[key]; again {
		return p, nil
	}
	if w.probed == nil {
		w.probed = map[string]webhook.Probe{}
	}
	p := webhook.Probe{Made: true, Answer: webhook.Answer{At: happened, EventID: eventID, StatusCode: 200}}
	if len(w.probes) > 0 {
		p = w.probes[0]
		w.probes = w.probes[min(1, len(w.probes)-1):]
	}
	if p.Answer.EventID = eventID; p.Answer.Class() != webhook.Fails {
		w.held = slices.DeleteFunc(w.held, func(id string) bool { return id == eventID })
	}
	w.probed[key] = p
	return p, nil
}

func (w *world) Release(_ context.Context, _, eventID, _ string) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.held, eventID)
	if i < 0 {
		return false, nil
	}
	w.held = slices.Delete(w.held, i, i+1)
	w.released = append(w.released, eventID)
	return true, nil
}

func (w *world) Recheck(ctx context.Context, _, eventID, _ string, _ webhook.Instruction) error {
	if w.rechecking != nil && slices.Contains(w.waiting, eventID) {
		if err := w.rechecking(ctx); err != nil {
			return err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held = slices.DeleteFunc(w.held, func(id string) bool { return id == eventID })
	w.recheckedAll = append(w.recheckedAll, eventID)
	return nil
}

func (w *world) Announce(_ context.Context, a activities.Announcement) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.tried = append(w.tried, a.Key); w.away > 0 {
		w.away--
		return errors.New("the registry is away")
	}
	w.announced = append(w.announced, a)
	return nil
}

func (w *world) announcedTypes() (types []string) {
	for _, a := range w.announced {
		types = append(types, a.Type)
	}
	return types
}

// answered is what a probe brings.
func answered(status int) webhook.Probe {
	return webhook.Probe{Made: true, Answer: webhook.Answer{At: happened, StatusCode: status}}
}

var bad = answered(503)

// failingEndpoint has n deliveries held.
func failingEndpoint(n int) *world {
	w := &world{endpoint: webhook.Endpoint{
		Tenant: "demo", ID: "ep_a", URL: "https://crm.example/hooks/secret", State: webhook.EndpointActive,
	}}
	for i := range n {
		w.held = append(w.held, fmt.Sprintf("evt_%03d", i))
	}
	return w
}

type approvalEnv struct {
	*testsuite.TestWorkflowEnvironment
	t *testing.T
}

// newApproval is an episode that begins with a failure.
func newApproval(t *testing.T, w *world) approvalEnv {
	t.Helper()
	e := approvalAt(t, w, happened)
	e.signal(0, workflows.SignalFailing, failure(false))
	return e
}

// approvalAt is an episode that begins then, with nothing said yet.
func approvalAt(t *testing.T, w *world, began time.Time) approvalEnv {
	t.Helper()
	env := newPatientEnv()
	env.SetStartTime(began)
	env.RegisterActivity(&activities.Approval{Endpoints: w, Backlog: w, Events: w, Behind: time.Millisecond})
	return approvalEnv{env, t}
}

// report is what a query tells now.
func (e approvalEnv) report() (r webhook.ApprovalReport) {
	e.t.Helper()
	v, err := e.QueryWorkflow(workflows.QueryReport)
	require.NoError(e.t, err)
	require.NoError(e.t, v.Get(&r))
	return r
}

// details are what the Temporal UI shows now.
func (e approvalEnv) details() string {
	e.t.Helper()
	v, err := e.QueryWorkflow("__temporal_workflow_metadata")
	require.NoError(e.t, err)
	var m sdkpb.WorkflowMetadata
	require.NoError(e.t, v.Get(&m))
	return m.GetCurrentDetails()
}

func failure(gone bool) webhook.Failing {
	status := 503
	if gone {
		status = 410
	}
	return webhook.Failing{Answer: webhook.Answer{At: happened, EventID: "evt_000", StatusCode: status}, Gone: gone}
}

func (e approvalEnv) signal(after time.Duration, name string, arg any) {
	e.RegisterDelayedCallback(func() { e.SignalWorkflow(name, arg) }, after)
}

// update tells what came of it: nil, or the refusal.
func (e approvalEnv) update(after time.Duration, name string, arg ...any) *error {
	answer := errors.New("not answered")
	e.RegisterDelayedCallback(func() {
		e.UpdateWorkflow(name, "", &testsuite.TestUpdateCallback{
			OnAccept: func() {}, OnReject: func(err error) { answer = err }, OnComplete: func(_ any, err error) { answer = err },
		}, arg...)
	}, after)
	return &answer
}

func (e approvalEnv) run() (r webhook.ApprovalReport, took time.Duration) {
	e.t.Helper()
	began := e.Now()
	e.ExecuteWorkflow(workflows.Approval, workflows.ApprovalInput{Tenant: "demo", EndpointID: "ep_a"})
	require.NoError(e.t, e.GetWorkflowError())
	require.NoError(e.t, e.GetWorkflowResult(&r))
	return r, e.Now().Sub(began)
}
