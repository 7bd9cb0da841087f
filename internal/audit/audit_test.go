package audit_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"

	"hookloop/internal/audit"
	"hookloop/internal/orchestrator"
	"hookloop/internal/orchestrator/orchestratortest"
	"hookloop/internal/webhook"
)

// temporal has recorded histories of an event and of its delivery.
type temporal struct{ *orchestratortest.Temporal }

// audits reads them.
func (c temporal) audits(t *testing.T) *audit.Audits {
	t.Helper()
	o, err := orchestrator.New(orchestrator.Config{Client: c})
	require.NoError(t, err)
	return audit.New(o.Histories(), nil, nil)
}

func (c temporal) asked() *workflowservice.ListWorkflowExecutionsRequest {
	return c.Lists[len(c.Lists)-1]
}

func newTemporal(t *testing.T, name string) (c temporal, event, delivery string) {
	t.Helper()
	c = temporal{orchestratortest.New()}
	var ids []string
	for _, workflow := range []string{"Event", "Delivery"} {
		h := recorded(t, workflow+"/"+name+".json")
		start, last := h.GetEvents()[0], h.GetEvents()[len(h.GetEvents())-1]
		of := start.GetWorkflowExecutionStartedEventAttributes()
		c.Put(&orchestratortest.Run{
			ID: of.GetWorkflowId(), RunID: of.GetOriginalExecutionRunId(), Type: workflow, History: h, Attributes: map[string]string{"Tenant": "retried"},
			Status: enums.WORKFLOW_EXECUTION_STATUS_COMPLETED, Start: start.GetEventTime().AsTime(), End: last.GetEventTime().AsTime(),
		})
		ids = append(ids, of.GetWorkflowId())
	}
	return c, ids[0], ids[1]
}

// gone adds a run that lists have, and whose history is deleted.
func (c temporal) gone(id string) {
	c.Put(&orchestratortest.Run{
		ID: id, RunID: "gone", Attributes: map[string]string{"Tenant": "retried"}, Start: time.Now(), Breaks: serviceerror.NewNotFound("no rows"),
	})
}

func eventID(workflowID string) string { return strings.TrimPrefix(workflowID, "event/retried/") }

func kinds(p audit.Page) (all []string) {
	for _, l := range p.Lines {
		all = append(all, string(l.Kind))
	}
	return all
}

// TestEvent puts an event and its delivery in one order, whether visibility has heard of the
// delivery or not.
func TestEvent(t *testing.T) {
	t.Parallel()
	for name, listed := range map[string]bool{"listed": true, "not listed yet": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, event, delivery := newTemporal(t, "v0.1.0-retried")
			id := eventID(event)
			c.Run(delivery).Hidden = !listed
			c.gone("delivery/retried/" + id + "/ep_gone")
			p, err := c.audits(t).Event(t.Context(), "retried", id, nil)
			require.NoError(t, err)
			require.Equal(t, "WorkflowId STARTS_WITH 'delivery/retried/"+id+"/'", c.Lists[0].Query)
			require.Equal(t, event, c.Reads[0])
			require.Empty(t, p.Next)
			require.Equal(t, []string{
				"accepted", "attempt", "attempt", "wait", "attempt", "delivery-started", "delivery-started", "wait", "attempt",
				"status", "delivery-ended", "delivery-ended", "status", "event-ended",
			}, kinds(p))
			require.NotEqual(t, p.Lines[1].EndpointID, p.Lines[2].EndpointID)
			require.Contains(t, []string{p.Lines[1].EndpointID, p.Lines[2].EndpointID}, delivery[strings.LastIndexByte(delivery, '/')+1:])
		})
	}
}

func TestTheNextPageHasNoEvent(t *testing.T) {
	t.Parallel()
	c, event, delivery := newTemporal(t, "v0.1.0-retried")
	c.gone("delivery/retried/" + eventID(event) + "/ep_gone") // the latest is listed first
	c.MostListed = 1
	p, err := c.audits(t).Event(t.Context(), "retried", eventID(event), nil)
	require.NoError(t, err)
	require.NotEmpty(t, p.Next)
	require.Equal(t, event, c.Reads[0])
	c.Reads = nil
	last, err := c.audits(t).Event(t.Context(), "retried", eventID(event), p.Next)
	require.NoError(t, err)
	require.Empty(t, last.Next)
	require.Equal(t, []string{delivery}, c.Reads)
}

// TestTenant tells what each workflow did in a period, and where it stands.
func TestTenant(t *testing.T) {
	t.Parallel()
	c, eventWorkflow, delivery := newTemporal(t, "v0.1.0-retried")
	event := eventID(eventWorkflow)
	c.gone("approval/retried/ep_gone")
	a := c.audits(t)

	all, err := a.Tenant(t.Context(), "retried", webhook.AuditQuery{}, nil)
	require.NoError(t, err)
	require.Equal(t, "Tenant = 'retried'", c.asked().Query)
	require.Equal(t, int32(100), c.asked().PageSize)
	require.Empty(t, all.Next)
	require.Equal(t, []string{
		"accepted", "attempt", "attempt", "wait", "attempt", "delivery-started", "delivery-started", "wait", "attempt",
		"status", "delivery-ended", "delivery-ended", "status", "event-ended",
	}, kinds(all))
	for _, l := range all.Lines {
		require.Equal(t, event, l.EventID)
		require.Contains(t, []string{eventWorkflow, delivery}, l.WorkflowID)
	}

	second, last := all.Lines[1].At, all.Lines[len(all.Lines)-1].At
	within, err := a.Tenant(t.Context(), "retried", webhook.AuditQuery{After: second, Before: last}, nil)
	require.NoError(t, err)
	require.Equal(t, "Tenant = 'retried' AND StartTime < '"+last.Add(time.Minute).Format(time.RFC3339Nano)+"' AND (CloseTime > '"+
		second.Add(-time.Minute).Format(time.RFC3339Nano)+"' OR ExecutionStatus = 'Running')", c.asked().Query)
	require.Equal(t, kinds(all)[1:len(all.Lines)-1], kinds(within), "from its beginning, to before its end")
}

// TestTheEndsOfTime: Temporal knows no year 10000.
func TestTheEndsOfTime(t *testing.T) {
	t.Parallel()
	c, _, _ := newTemporal(t, "v0.1.0-retried")
	p := webhook.AuditQuery{After: time.Time{}.Add(time.Second), Before: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)}
	_, err := c.audits(t).Tenant(t.Context(), "retried", p, nil)
	require.NoError(t, err)
	require.Equal(t, "Tenant = 'retried'", c.asked().Query)
}

func TestAnEventNobodyKnows(t *testing.T) {
	t.Parallel()
	_, err := temporal{orchestratortest.New()}.audits(t).Event(t.Context(), "acme", "evt_x", nil)
	require.Equal(t, webhook.NotFound, webhook.CodeOf(err))
}
