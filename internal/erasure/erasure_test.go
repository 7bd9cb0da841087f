package erasure_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"

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
	modes    []bool // as the store was told
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
	return &world{Registry: r, t: t, temporal: orchestratortest.New(), now: time.Now()}
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
	o, err := orchestrator.New(orchestrator.Config{Client: w.temporal})
	require.NoError(w.t, err)
	return o.Erasures().DeleteEvent(ctx, tenant, id, endpoints)
}

// eraser is that of a process that has just started.
func (w *world) eraser() *erasure.Eraser {
	w.t.Helper()
	o, err := orchestrator.New(orchestrator.Config{Client: w.temporal})
	require.NoError(w.t, err)
	e, err := erasure.New(erasure.Config{
		Temporal: w, Registry: w, Stores: []erasure.Store{w}, Now: func() time.Time { return w.now },
		Events: o.Events(orchestrator.EventsConfig{Registry: w.Registry}),
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

// TestErase takes every run away, tells who wanted it, and is done once.
func TestErase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.event("evt_1", webhook.Delivered)
	w.event("evt_2", webhook.Delivered)
	w.delivery("evt_1", "first")
	w.delivery("evt_1", "redelivered")
	require.NoError(t, w.PutBody(t.Context(), webhook.StoredBody{Tenant: "acme", EventID: "evt_1", Digest: "d", Sealed: []byte(data), CreatedAt: w.now}))
	e := w.eraser()
	x, err := e.Erase(w.asJane(), "acme", "evt_1", order)
	require.NoError(t, err)
	sum := sha256.Sum256([]byte(data))
	require.Equal(t, hex.EncodeToString(sum[:]), x.Data)
	require.Equal(t, []any{"jane", webhook.ViaAPI, "request 17", int64(len(data)), []string{"ep_1"}}, []any{x.By, x.Via, x.Reason, x.DataBytes, x.Endpoints})
	require.False(t, x.ErasedAt.IsZero())
	require.Len(t, w.temporal.Runs(), 1, "the other event stays")
	_, err = w.Body(t.Context(), "acme", "evt_1", "d")
	require.Equal(t, webhook.NotFound, webhook.CodeOf(err))
	require.Equal(t, []string{"acme/evt_1"}, w.forgot)
	require.Equal(t, []string{"erasure-asked by jane", "payload-erased by hookloop"}, w.kinds("evt_1"))

	again, err := e.Erase(t.Context(), "acme", "evt_1", erasure.Order{Reason: "another"})
	require.NoError(t, err)
	require.Equal(t, x, again)
	found, err := e.Find(t.Context(), "acme", "evt_1")
	require.NoError(t, err)
	require.Equal(t, x, found)
	require.EqualError(t, found.Gone(), "the data of event evt_1 was erased: jane asked for it on "+x.AskedAt.Format(time.RFC3339)+" (request 17)")
	_, err = e.Find(t.Context(), "other", "evt_1")
	require.Equal(t, webhook.NotFound, webhook.CodeOf(err))
	_, err = e.Erase(t.Context(), "acme", "evt_3", order)
	require.Equal(t, webhook.NotFound, webhook.CodeOf(err), "a slip in an id erases nothing, and says so")
}

// TestASecondLook finds what lists did not know of, and what a worker made meanwhile.
func TestASecondLook(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.event("evt_1", webhook.Delivered)
	_, err := w.eraser().Erase(w.asJane(), "acme", "evt_1", order)
	require.NoError(t, err)
	w.delivery("evt_1", "late")
	require.NoError(t, w.eraser().RunOnce(t.Context()))
	require.Len(t, w.temporal.Runs(), 1, "not before its time")
	for _, left := range []int{0, 0} {
		w.now = w.now.Add(2 * time.Minute)
		require.NoError(t, w.eraser().RunOnce(t.Context()))
		require.Len(t, w.temporal.Runs(), left)
	}
	x, err := w.Erasure(t.Context(), "acme", "evt_1")
	require.NoError(t, err)
	require.False(t, x.DoneAt.IsZero())
	require.False(t, w.modes[len(w.modes)-1], "deleting costs no more than before")
	all, err := w.ErasedSince(t.Context(), time.Time{})
	require.NoError(t, err)
	require.Equal(t, []webhook.Erasure{x}, all)
	all, err = w.ErasedSince(t.Context(), x.DoneAt)
	require.NoError(t, err)
	require.Empty(t, all)
	w.now = w.now.Add(time.Hour)
	w.temporal.Down = serviceerror.NewUnavailable("nothing is asked any more")
	require.NoError(t, w.eraser().RunOnce(t.Context()))
}

// TestACrashBetweenTwoSteps: another process ends what one began, whichever step it died before.
func TestACrashBetweenTwoSteps(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"overwrite", "delete", "forget", "save"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.event("evt_1", webhook.Delivered)
			w.delivery("evt_1", "first")
			w.breaks = step
			x, err := w.eraser().Erase(w.asJane(), "acme", "evt_1", order)
			require.NoError(t, err, "it was noted, and so it happens")
			require.True(t, x.ErasedAt.IsZero())
			require.ErrorContains(t, x.Gone(), "is being erased")
			require.Equal(t, []string{"erasure-asked by jane"}, w.kinds("evt_1"))

			w.breaks = ""
			require.NoError(t, w.eraser().RunOnce(t.Context()))
			x, err = w.Erasure(t.Context(), "acme", "evt_1")
			require.NoError(t, err)
			require.True(t, x.ErasedAt.IsZero(), "the other may still be at it")
			w.now = w.now.Add(2 * time.Minute)
			require.NoError(t, w.eraser().RunOnce(t.Context()))
			x, err = w.Erasure(t.Context(), "acme", "evt_1")
			require.NoError(t, err)
			require.False(t, x.ErasedAt.IsZero())
			require.Empty(t, w.temporal.Runs())
			require.Equal(t, []string{"erasure-asked by jane", "payload-erased by hookloop"}, w.kinds("evt_1"))
		})
	}
}

// TestWhatIsBeingDelivered is refused, unless it is to end.
func TestWhatIsBeingDelivered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.event("evt_1", webhook.Retrying)
	w.temporal.Put(&orchestratortest.Run{
		ID: workflows.DeliveryWorkflowID("acme", "evt_1", "ep_1"), Type: workflows.TypeDelivery, Start: w.now,
		Status: enums.WORKFLOW_EXECUTION_STATUS_RUNNING, Report: webhook.DeliveryReport{EndpointID: "ep_1", Status: webhook.Retrying},
	})
	_, err := w.eraser().Erase(w.asJane(), "acme", "evt_1", order)
	require.Equal(t, webhook.Conflict, webhook.CodeOf(err))
	require.ErrorContains(t, err, "it is being delivered (1 under way): wait until that has ended, or erase it with cancel")
	require.Empty(t, w.kinds("evt_1"))
	x, err := w.eraser().Erase(w.asJane(), "acme", "evt_1", erasure.Order{Reason: "request 17", Cancel: true})
	require.NoError(t, err)
	require.False(t, x.ErasedAt.IsZero())
	require.Empty(t, w.temporal.Runs())
}

// TestALegalHold refuses, with who and why, until it is lifted.
func TestALegalHold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := w.eraser()
	w.event("evt_1", webhook.Delivered)
	w.event("evt_2", webhook.Delivered)
	require.NoError(t, e.NoteSubject(t.Context(), "acme", "evt_2", "customer-1"))
	for id, h := range map[string]webhook.Hold{
		"evt_1": {EventID: "evt_1", Reason: "case 12"}, "evt_2": {Subject: "customer-1", Reason: "case 12"},
	} {
		for range 2 { // a repeat changes nothing
			held, err := e.Hold(w.asJane(), "acme", h)
			require.NoError(t, err)
			require.Equal(t, []string{"jane", "case 12"}, []string{held.By, held.Reason})
		}
		_, err := e.Erase(t.Context(), "acme", id, erasure.Order{Reason: "request 17", Cancel: true})
		require.Equal(t, webhook.OnLegalHold, webhook.CodeOf(err))
		require.ErrorContains(t, err, "jane asked for it on")
		require.ErrorContains(t, err, "(case 12)")
	}
	_, err := e.EraseSubject(t.Context(), "acme", "customer-1", "", order)
	require.Equal(t, webhook.OnLegalHold, webhook.CodeOf(err))
	require.NotContains(t, err.Error(), "customer-1")

	require.NoError(t, e.Unhold(w.asJane(), "acme", webhook.Hold{EventID: "evt_1", Reason: "closed"}))
	require.NoError(t, e.Unhold(w.asJane(), "acme", webhook.Hold{Subject: "customer-1", Reason: "closed"}))
	require.Equal(t, webhook.NotFound, webhook.CodeOf(e.Unhold(w.asJane(), "acme", webhook.Hold{Subject: "customer-1"})))
	_, err = e.Erase(w.asJane(), "acme", "evt_1", order)
	require.NoError(t, err)
	require.Equal(t, []string{"legal-hold by jane", "legal-hold-lifted by jane", "erasure-asked by jane", "payload-erased by hookloop"}, w.kinds("evt_1"))
}

// TestASubject erases all of a person's events, in pages, past those that are refused; a second
// time finds those alone.
func TestASubject(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := w.eraser()
	for i := range 45 {
		id := fmt.Sprintf("evt_%02d", i)
		status := webhook.Delivered
		if i == 7 {
			status = webhook.Held
		}
		w.event(id, status)
		require.NoError(t, e.NoteSubject(t.Context(), "acme", id, "customer-1"))
	}
	w.event("evt_99", webhook.Delivered)
	require.NoError(t, e.NoteSubject(t.Context(), "acme", "evt_99", "customer-2"))
	require.NoError(t, e.NoteSubject(t.Context(), "other", "evt_98", "customer-1"))
	erased, refused, pages := 0, []erasure.Refusal{}, 0
	for after := ""; ; {
		s, err := e.EraseSubject(w.asJane(), "acme", "customer-1", after, order)
		require.NoError(t, err)
		erased, refused, pages = erased+len(s.Erased), append(refused, s.Refused...), pages+1
		if after = s.Next; after == "" {
			break
		}
	}
	require.Equal(t, []int{44, 3}, []int{erased, pages})
	require.Len(t, refused, 1)
	require.Equal(t, "evt_07", refused[0].EventID)
	require.Contains(t, refused[0].Why, "being delivered")
	require.Len(t, w.temporal.Runs(), 2)
	s, err := e.EraseSubject(w.asJane(), "acme", "customer-1", "", erasure.Order{Reason: "request 17", Cancel: true})
	require.NoError(t, err)
	require.Len(t, s.Erased, 1)
	ids, err := w.SubjectEvents(t.Context(), "other", "customer-1", "", 10)
	require.NoError(t, err)
	require.Equal(t, []string{"evt_98"}, ids, "another tenant's is another's")
}
