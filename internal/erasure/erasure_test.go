package erasure_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"

	"hookloop/internal/erasure"
	"hookloop/internal/orchestrator/orchestratortest"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

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
	var x webhook.Erasure
	for _, done := range []bool{false, true} { // a look that found something is not the last
		w.now = w.now.Add(2 * time.Minute)
		require.NoError(t, w.eraser().RunOnce(t.Context()))
		require.Empty(t, w.temporal.Runs())
		x, err = w.Erasure(t.Context(), "acme", "evt_1")
		require.NoError(t, err)
		require.Equal(t, done, !x.DoneAt.IsZero())
	}
	require.Equal(t, []bool{true, true, true, true, true, false}, w.modes, "what is deleted is overwritten; afterwards deleting costs no more than before")
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
			if step == "overwrite" {
				require.Len(t, w.temporal.Runs(), 2, "nothing is deleted that would stay in free pages")
			}
			later := w.now
			w.now = w.now.Add(2 * time.Minute)
			require.ErrorIs(t, w.eraser().RunOnce(t.Context()), errBroken, "the log tells")
			w.now = later.Add(2 * time.Minute)

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

// TestAskedAgainItGoesOn with what was begun, and does not say that it is done.
func TestAskedAgainItGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.event("evt_1", webhook.Delivered)
	w.breaks = "delete"
	_, err := w.eraser().Erase(w.asJane(), "acme", "evt_1", order)
	require.NoError(t, err)
	w.breaks = ""
	x, err := w.eraser().Erase(t.Context(), "acme", "evt_1", order)
	require.NoError(t, err)
	require.False(t, x.ErasedAt.IsZero())
	require.Equal(t, "jane", x.By)
	require.Empty(t, w.temporal.Runs())
}

// TestATrailOfAForgottenEvent is erased too: Temporal keeps a history for so long, and a body that
// was left behind is there until it is swept.
func TestATrailOfAForgottenEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.NoError(t, w.PutBody(t.Context(), webhook.StoredBody{Tenant: "acme", EventID: "evt_1", Digest: "d", Sealed: []byte(data), CreatedAt: w.now}))
	w.breaks = "know"
	_, err := w.eraser().Erase(w.asJane(), "acme", "evt_1", order)
	require.ErrorIs(t, err, errBroken, "there may be something")
	w.breaks = ""
	x, err := w.eraser().Erase(w.asJane(), "acme", "evt_1", order)
	require.NoError(t, err)
	require.False(t, x.ErasedAt.IsZero())
	require.Empty(t, x.Data, "its data is not known any more")
	_, err = w.Body(t.Context(), "acme", "evt_1", "d")
	require.Equal(t, webhook.NotFound, webhook.CodeOf(err))
}

// TestNothingIsErasedUnlessItIsNoted: an event of which nothing is known now may be under way, and
// a subject of whom nothing is known now may be on hold. No answer says that it was erased.
func TestNothingIsErasedUnlessItIsNoted(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"state", "read", "begin", "read the hold", "list", "note"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			e := w.eraser()
			w.event("evt_1", webhook.Delivered)
			require.NoError(t, e.NoteSubject(t.Context(), "acme", "evt_1", "customer-1"))
			w.breaks = step
			var err error
			switch step {
			case "note": // an event of which this is not known must not be accepted
				err = e.NoteSubject(t.Context(), "acme", "evt_2", "customer-1")
			case "read the hold", "list":
			default:
				_, err = e.Erase(w.asJane(), "acme", "evt_1", order)
				require.ErrorIs(t, err, errBroken)
			}
			if step != "note" {
				_, err = e.EraseSubject(w.asJane(), "acme", "customer-1", "", order)
			}
			require.ErrorIs(t, err, errBroken)
			require.Len(t, w.temporal.Runs(), 1)
			require.Empty(t, w.kinds("evt_1"))
		})
	}
}

// TestASubjectDoesNotWaitForTemporal, which may take half a minute over each event: those that it
// has not deleted by then are erased all the same, by Run.
func TestASubjectDoesNotWaitForTemporal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	e := w.eraser()
	for _, id := range []string{"evt_1", "evt_2"} {
		w.event(id, webhook.Delivered)
		require.NoError(t, e.NoteSubject(t.Context(), "acme", id, "customer-1"))
	}
	w.deleting = func(ctx context.Context) { <-ctx.Done() }
	s, err := e.EraseSubject(w.asJane(), "acme", "customer-1", "", order)
	require.NoError(t, err)
	require.Len(t, s.Erased, 2)
	for _, x := range s.Erased {
		require.True(t, x.ErasedAt.IsZero(), "under way")
	}
	w.deleting = nil
	w.now = w.now.Add(2 * time.Minute)
	ctx, stop := context.WithCancel(t.Context())
	left := len(s.Erased)
	w.saved = func() {
		if left--; left == 0 {
			stop()
		}
	}
	e.Run(ctx)
	require.Zero(t, left)
	require.Empty(t, w.temporal.Runs())
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

// TestWhatIsDeliveredAgain is under way too, though its event has ended.
func TestWhatIsDeliveredAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.event("evt_1", webhook.Exhausted)
	w.temporal.Put(&orchestratortest.Run{
		ID: workflows.DeliveryWorkflowID("acme", "evt_1", "ep_1"), Type: workflows.TypeDelivery, Start: w.now,
		Status: enums.WORKFLOW_EXECUTION_STATUS_RUNNING, Report: webhook.DeliveryReport{EndpointID: "ep_1", Status: webhook.Retrying},
	})
	_, err := w.eraser().Erase(w.asJane(), "acme", "evt_1", order)
	require.Equal(t, webhook.Conflict, webhook.CodeOf(err))
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
