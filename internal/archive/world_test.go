package archive_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/proxy"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"hookloop/internal/codec"
)

const histories = "../../workflows/testdata/histories"

func recorded(t *testing.T, name string) *historypb.History {
	t.Helper()
	f, err := os.Open(filepath.Join(histories, name))
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	h, err := client.HistoryFromJSON(f, client.HistoryJSONOptions{})
	require.NoError(t, err)
	return h
}

// encrypted is a history as c would have had it written.
func encrypted(t *testing.T, h *historypb.History, c *codec.Codec) *historypb.History {
	t.Helper()
	h = proto.Clone(h).(*historypb.History)
	require.NoError(t, proxy.VisitFailures(t.Context(), h, proxy.VisitFailuresOptions{
		Visitor: func(_ *proxy.VisitFailuresContext, f *failurepb.Failure) error {
			return converter.EncodeCommonFailureAttributes(converter.GetDefaultDataConverter(), f)
		},
	}))
	require.NoError(t, proxy.VisitPayloads(t.Context(), h, proxy.VisitPayloadsOptions{
		SkipSearchAttributes: true,
		Visitor: func(_ *proxy.VisitPayloadsContext, all []*commonpb.Payload) ([]*commonpb.Payload, error) {
			return c.Encode(all)
		},
	}))
	return h
}

func newCodec(t *testing.T) *codec.Codec {
	t.Helper()
	key, err := codec.NewKey()
	require.NoError(t, err)
	c, err := codec.New(key)
	require.NoError(t, err)
	return c
}

// noon is when everything here happens, more or less.
var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// world is a Temporal of recorded histories.
type world struct {
	mu     sync.Mutex
	closed []*workflowpb.WorkflowExecutionInfo
	bodies map[string]*historypb.History // by run id; what is not here is gone
	hidden map[string]bool               // run ids that visibility does not know yet
	asked  int                           // how often for a list
	broken string                        // a run id that cannot be read
}

func newWorld() *world {
	return &world{bodies: map[string]*historypb.History{}, hidden: map[string]bool{}}
}

// ends adds an execution that ended then.
func (w *world) ends(tenant, kind, id string, at time.Time, h *historypb.History) string {
	run := fmt.Sprintf("run-%03d", len(w.closed))
	attribute := func(v string) *commonpb.Payload {
		p, _ := converter.GetDefaultDataConverter().ToPayload(v)
		return p
	}
	w.closed = append(w.closed, &workflowpb.WorkflowExecutionInfo{
		Execution: &commonpb.WorkflowExecution{WorkflowId: id, RunId: run}, Type: &commonpb.WorkflowType{Name: kind},
		Status: enums.WORKFLOW_EXECUTION_STATUS_COMPLETED, StartTime: timestamppb.New(at.Add(-time.Minute)), CloseTime: timestamppb.New(at),
		SearchAttributes: &commonpb.SearchAttributes{IndexedFields: map[string]*commonpb.Payload{
			"Tenant": attribute(tenant), "EventType": attribute("contact.updated"), "Outcome": attribute("delivered"),
		}},
	})
	w.bodies[run] = h
	return run
}

// ListWorkflow takes the window and the tenant from the query, and answers in pages of three.
func (w *world) ListWorkflow(ctx context.Context, r *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	w.asked++
	var from, to, tenant string
	const q = "WorkflowType IN ('Event', 'Delivery', 'Approval', 'Recovery') AND CloseTime >= '%s AND CloseTime < '%s AND Tenant = '%s"
	_, _ = fmt.Sscanf(r.GetQuery(), q, &from, &to, &tenant)
	inside := func(x *workflowpb.WorkflowExecutionInfo) bool {
		at, of := x.GetCloseTime().AsTime(), ""
		_ = converter.GetDefaultDataConverter().FromPayload(x.GetSearchAttributes().GetIndexedFields()["Tenant"], &of)
		return !at.Before(parse(from)) && at.Before(parse(to)) && (tenant == "" || tenant == of+"'")
	}
	var found []*workflowpb.WorkflowExecutionInfo
	for _, x := range w.closed {
		if inside(x) && !w.hidden[x.GetExecution().GetRunId()] {
			found = append(found, x)
		}
	}
	begin := 0
	_, _ = fmt.Sscan(string(r.GetNextPageToken()), &begin)
	end := min(begin+3, len(found))
	out := &workflowservice.ListWorkflowExecutionsResponse{Executions: found[begin:end]}
	if end < len(found) {
		out.NextPageToken = fmt.Append(nil, end)
	}
	return out, nil
}

func parse(quoted string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, quoted[:len(quoted)-1])
	if err != nil {
		panic(err)
	}
	return t
}

func (w *world) GetWorkflowHistory(_ context.Context, _, runID string, _ bool, _ enums.HistoryEventFilterType) client.HistoryEventIterator {
	w.mu.Lock()
	defer w.mu.Unlock()
	h, there := w.bodies[runID]
	i := &events{left: proto.Clone(h).(*historypb.History).GetEvents()}
	switch {
	case runID == w.broken:
		i.broken = len(i.left) / 2
		i.err = serviceerror.NewUnavailable("Temporal is away")
	case !there:
		i.left, i.err = []*historypb.HistoryEvent{nil}, serviceerror.NewNotFound("workflow not found")
	}
	return i
}

// events fails once no more than broken are left.
type events struct {
	left   []*historypb.HistoryEvent
	broken int
	err    error
}

func (e *events) HasNext() bool { return len(e.left) > 0 }

func (e *events) Next() (*historypb.HistoryEvent, error) {
	if e.err != nil && (len(e.left) <= e.broken || e.broken == 0) {
		return nil, e.err
	}
	next := e.left[0]
	e.left = e.left[1:]
	return next, nil
}
