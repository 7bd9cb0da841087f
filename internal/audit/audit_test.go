package audit_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"hookloop/internal/audit"
)

// temporal has recorded histories by the ids of their workflows.
type temporal struct {
	histories map[string]*historypb.History
	listed    []string // ids that visibility knows
	asked     *workflowservice.ListWorkflowExecutionsRequest
	next      []byte
	reads     []string
}

func (c *temporal) GetWorkflowHistory(_ context.Context, id, _ string, _ bool, _ enums.HistoryEventFilterType) client.HistoryEventIterator {
	c.reads = append(c.reads, id)
	return &iterator{events: c.histories[id].GetEvents(), gone: c.histories[id] == nil}
}

func (c *temporal) ListWorkflow(_ context.Context, r *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	c.asked = r
	answer := &workflowservice.ListWorkflowExecutionsResponse{NextPageToken: c.next}
	for _, id := range c.listed {
		answer.Executions = append(answer.Executions, &workflowpb.WorkflowExecutionInfo{
			Execution: &commonpb.WorkflowExecution{WorkflowId: id, RunId: runOf(c.histories[id])},
		})
	}
	return answer, nil
}

func runOf(h *historypb.History) string {
	if len(h.GetEvents()) == 0 {
		return "gone"
	}
	return h.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetOriginalExecutionRunId()
}

type iterator struct {
	events []*historypb.HistoryEvent
	gone   bool
}

func (i *iterator) HasNext() bool { return i.gone || len(i.events) > 0 }

func (i *iterator) Next() (*historypb.HistoryEvent, error) {
	if i.gone {
		return nil, serviceerror.NewNotFound("no rows")
	}
	e := i.events[0]
	i.events = i.events[1:]
	return e, nil
}

func newTemporal(t *testing.T, name string) (c *temporal, event, delivery string) {
	t.Helper()
	c = &temporal{histories: map[string]*historypb.History{}}
	var ids []string
	for _, workflow := range []string{"Event", "Delivery"} {
		h := recorded(t, workflow+"/"+name+".json")
		id := h.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetWorkflowId()
		c.histories[id] = h
		ids = append(ids, id)
	}
	return c, ids[0], ids[1]
}

func eventID(workflowID string) string { return strings.TrimPrefix(workflowID, "event/retried/") }

func kinds(p audit.Page) (all []string) {
	for _, l := range p.Lines {
		all = append(all, l.Kind)
	}
	return all
}

// TestEvent puts an event and its delivery in one order, whether visibility has heard of the delivery or not.
func TestEvent(t *testing.T) {
	t.Parallel()
	for name, listed := range map[string]bool{"listed": true, "not listed yet": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, event, delivery := newTemporal(t, "v0.1-retried")
			id := eventID(event)
			if listed {
				c.listed = []string{delivery, "delivery/retried/" + id + "/ep_gone"}
			}
			p, err := audit.New(c, nil).Event(t.Context(), "retried", id, nil)
			require.NoError(t, err)
			require.Equal(t, "WorkflowId STARTS_WITH 'delivery/retried/"+id+"/'", c.asked.Query)
			require.Equal(t, event, c.reads[0])
			require.Empty(t, p.Next)
			require.Equal(t, []string{
				"accepted", "attempt", "attempt", "waits", "attempt", "goes on", "delivery", "waits", "attempt",
				"outcome", "ended", "ended", "outcome", "ended",
			}, kinds(p))
			require.NotEqual(t, p.Lines[1].EndpointID, p.Lines[2].EndpointID)
			require.Contains(t, []string{p.Lines[1].EndpointID, p.Lines[2].EndpointID}, delivery[strings.LastIndexByte(delivery, '/')+1:])
		})
	}
}

func TestTheNextPageHasNoEvent(t *testing.T) {
	t.Parallel()
	c, event, delivery := newTemporal(t, "v0.1-retried")
	c.listed, c.next = []string{delivery}, []byte("three")
	p, err := audit.New(c, nil).Event(t.Context(), "retried", eventID(event), []byte("two"))
	require.NoError(t, err)
	require.Equal(t, "two", string(c.asked.NextPageToken))
	require.Equal(t, "three", string(p.Next))
	require.Equal(t, []string{delivery}, c.reads)
}

// TestTenant tells what each workflow did in a period, and where it stands.
func TestTenant(t *testing.T) {
	t.Parallel()
	c, eventWorkflow, delivery := newTemporal(t, "v0.1-retried")
	event := eventID(eventWorkflow)
	c.listed, c.next = []string{delivery, "approval/retried/ep_gone", eventWorkflow}, []byte("two")
	a := audit.New(c, nil)

	all, err := a.Tenant(t.Context(), "retried", audit.Period{}, []byte("one"))
	require.NoError(t, err)
	require.Equal(t, "Tenant = 'retried'", c.asked.Query)
	require.Equal(t, "one", string(c.asked.NextPageToken))
	require.Equal(t, "two", string(all.Next))
	require.Equal(t, []string{
		"accepted", "attempt", "attempt", "waits", "attempt", "goes on", "delivery", "waits", "attempt",
		"outcome", "ended", "ended", "outcome", "ended",
	}, kinds(all))
	for _, l := range all.Lines {
		require.Equal(t, event, l.EventID)
		require.Contains(t, []string{eventWorkflow, delivery}, l.WorkflowID)
	}

	second, last := all.Lines[1].At, all.Lines[len(all.Lines)-1].At
	within, err := a.Tenant(t.Context(), "retried", audit.Period{After: second, Before: last}, nil)
	require.NoError(t, err)
	require.Equal(t, "Tenant = 'retried' AND StartTime < '"+last.Add(time.Minute).Format(time.RFC3339Nano)+"' AND (CloseTime > '"+
		second.Add(-time.Minute).Format(time.RFC3339Nano)+"' OR ExecutionStatus = 'Running')", c.asked.Query)
	require.Equal(t, kinds(all)[1:len(all.Lines)-1], kinds(within), "from its beginning, to before its end")
}

// TestTheEndsOfTime: Temporal knows no year 10000.
func TestTheEndsOfTime(t *testing.T) {
	t.Parallel()
	c, _, _ := newTemporal(t, "v0.1-retried")
	p := audit.Period{After: time.Time{}.Add(time.Second), Before: time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)}
	_, err := audit.New(c, nil).Tenant(t.Context(), "retried", p, nil)
	require.NoError(t, err)
	require.Equal(t, "Tenant = 'retried'", c.asked.Query)
}

func TestAnEventNobodyKnows(t *testing.T) {
	t.Parallel()
	_, err := audit.New(&temporal{}, nil).Event(t.Context(), "acme", "evt_x", nil)
	_, unknown := errors.AsType[*serviceerror.NotFound](err)
	require.True(t, unknown, err)
}
