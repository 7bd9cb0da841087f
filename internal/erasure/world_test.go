package erasure_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"

	"hookloop/internal/erasure"
	"hookloop/internal/keyring"
	"hookloop/internal/orchestrator"
	"hookloop/internal/orchestrator/orchestratortest"
	"hookloop/internal/registry"
	"hookloop/internal/registry/sqlite"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// world is a Temporal in memory beside a real registry, and steps that may fail.
type world struct {
	*sqlite.Registry

	t        *testing.T
	temporal *orchestratortest.Temporal
	now      time.Time
	breaks   string // the step that fails
	forgot   []string
	modes    []bool                // as the store was told
	deleting func(context.Context) // while Temporal deletes; nil: that takes no time
	saved    func()                // after each step that was saved
}

func newWorld(t *testing.T) *world {
	t.Helper()
	key, err := keyring.New()
	require.NoError(t, err)
	sealer, err := registry.NewSealer(key)
	require.NoError(t, err)
	r, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "registry.db"), sealer)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	return &world{Registry: r, t: t, temporal: orchestratortest.New(), now: time.Now(), saved: func() {}}
}

var errBroken = errors.New("killed")

func (w *world) step(name string) error {
	if w.breaks == name {
		return errBroken
	}
	return nil
}

func (w *world) ForgetEvent(ctx context.Context, tenant, id string, endpoints []string) error {
	if err := w.step("forget"); err != nil {
		return err
	}
	return w.Registry.ForgetEvent(ctx, tenant, id, endpoints)
}

func (w *world) SaveErasure(ctx context.Context, e webhook.Erasure, due time.Time) error {
	if err := w.step("save"); err != nil {
		return err
	}
	defer w.saved()
	return w.Registry.SaveErasure(ctx, e, due)
}

func (w *world) Overwrite(_ context.Context, on bool) error {
	w.modes = append(w.modes, on)
	return w.step("overwrite")
}

func (w *world) DeleteEvent(ctx context.Context, tenant, id string, endpoints []string) (int, error) {
	if err := w.step("delete"); err != nil {
		return 0, err
	}
	if w.deleting != nil {
		w.deleting(ctx)
	}
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	o, err := orchestrator.New(orchestrator.Config{Client: w.temporal})
	require.NoError(w.t, err)
	return o.Erasures().DeleteEvent(ctx, tenant, id, endpoints)
}

func (w *world) SubjectHold(ctx context.Context, tenant, subject string) (webhook.Hold, error) {
	if err := w.step("read the hold"); err != nil {
		return webhook.Hold{}, err
	}
	return w.Registry.SubjectHold(ctx, tenant, subject)
}

func (w *world) SubjectEvents(ctx context.Context, tenant, subject, after string, limit int) ([]string, error) {
	if err := w.step("list"); err != nil {
		return nil, err
	}
	return w.Registry.SubjectEvents(ctx, tenant, subject, after, limit)
}

func (w *world) NoteSubject(ctx context.Context, tenant, eventID, subject string, now time.Time) error {
	if err := w.step("note"); err != nil {
		return err
	}
	return w.Registry.NoteSubject(ctx, tenant, eventID, subject, now)
}

func (w *world) BeginErasure(ctx context.Context, e webhook.Erasure, due time.Time) (webhook.Erasure, error) {
	if err := w.step("begin"); err != nil {
		return webhook.Erasure{}, err
	}
	return w.Registry.BeginErasure(ctx, e, due)
}

func (w *world) KnowsEvent(ctx context.Context, tenant, eventID string) (bool, error) {
	if err := w.step("know"); err != nil {
		return false, err
	}
	return w.Registry.KnowsEvent(ctx, tenant, eventID)
}

// events are Temporal's, and steps that may fail.
type events struct {
	erasure.Events

	*world
}

func (e events) State(ctx context.Context, tenant, id string) (orchestrator.EventState, error) {
	if err := e.step("state"); err != nil {
		return orchestrator.EventState{}, err
	}
	return e.Events.State(ctx, tenant, id)
}

func (e events) Accepted(ctx context.Context, tenant, id string) (workflows.EventInput, []byte, error) {
	if err := e.step("read"); err != nil {
		return workflows.EventInput{}, nil, err
	}
	return e.Events.Accepted(ctx, tenant, id)
}

// eraser is that of a process that has just started.
func (w *world) eraser() *erasure.Eraser {
	w.t.Helper()
	o, err := orchestrator.New(orchestrator.Config{Client: w.temporal})
	require.NoError(w.t, err)
	e, err := erasure.New(erasure.Config{
		Temporal: w, Registry: w, Stores: []erasure.Store{w}, Now: func() time.Time { return w.now },
		Events: events{o.Events(orchestrator.EventsConfig{Registry: w.Registry}), w},
		Caches: []func(tenant, id string){func(tenant, id string) { w.forgot = append(w.forgot, tenant+"/"+id) }},
	})
	require.NoError(w.t, err)
	return e
}

const data = `{"name":"Zoë"}`

// event was accepted for one endpoint, and stands as its delivery does.
func (w *world) event(id string, status webhook.DeliveryStatus) {
	w.t.Helper()
	input, err := orchestratortest.Payloads(workflows.EventInput{
		Event: webhook.Event{Tenant: "acme", ID: id, Type: "contact.updated"}, EndpointIDs: []string{"ep_1"},
	}, orchestratortest.RawJSON(data))
	require.NoError(w.t, err)
	r := &orchestratortest.Run{
		ID: workflows.EventWorkflowID("acme", id), Type: workflows.TypeEvent, Input: input, Start: w.now, End: w.now,
		Status: enums.WORKFLOW_EXECUTION_STATUS_COMPLETED,
		Report: workflows.EventReport{Status: webhook.EventDelivered, Deliveries: []webhook.DeliveryReport{{EndpointID: "ep_1", Status: status}}},
	}
	if !status.Ended() {
		r.Status, r.End = enums.WORKFLOW_EXECUTION_STATUS_RUNNING, time.Time{}
		r.Report = workflows.EventReport{Status: webhook.EventDelivering, Deliveries: []webhook.DeliveryReport{{EndpointID: "ep_1", Status: status}}}
	}
	w.temporal.Put(r)
}

// delivery is one run of a delivery.
func (w *world) delivery(eventID, runID string) {
	w.temporal.Put(&orchestratortest.Run{
		ID: workflows.DeliveryWorkflowID("acme", eventID, "ep_1"), RunID: runID, Type: workflows.TypeDelivery, Start: w.now, End: w.now,
		Status: enums.WORKFLOW_EXECUTION_STATUS_COMPLETED, Report: webhook.DeliveryReport{EndpointID: "ep_1", Status: webhook.Delivered},
	})
}

func (w *world) kinds(id string) (all []string) {
	w.t.Helper()
	lines, err := w.Changes(w.t.Context(), "acme", webhook.AuditQuery{EventID: id}, time.Time{}, 100)
	require.NoError(w.t, err)
	for _, l := range lines {
		all = append(all, string(l.Kind)+" by "+l.Actor)
	}
	return all
}

func (w *world) asJane() context.Context {
	return webhook.WithActor(w.t.Context(), webhook.Actor{Name: "jane", Via: webhook.ViaAPI})
}

var order = erasure.Order{Reason: "request 17"}
