package audit_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"

	"hookloop/internal/audit"
	"hookloop/internal/orchestrator"
	"hookloop/internal/orchestrator/orchestratortest"
	"hookloop/internal/webhook"
)

// changeLog has the same lines of every endpoint of every tenant, and none about all tenants.
type changeLog []webhook.AuditLine

func (l changeLog) Changes(_ context.Context, tenant string, q webhook.AuditQuery, after time.Time, limit int) (all []webhook.AuditLine, _ error) {
	for _, c := range l {
		if tenant != webhook.EveryTenant && c.At.After(after) && q.Holds(c) && len(all) < limit {
			all = append(all, c)
		}
	}
	return all, nil
}

// TestAroundAnEvent: with its own lines come the episode it met, the endpoint as it was then and
// what became of it meanwhile.
func TestAroundAnEvent(t *testing.T) {
	t.Parallel()
	c := temporal{orchestratortest.New()}
	var at time.Time
	var endpointID, eventWorkflow string
	for _, kind := range []string{"Event", "Delivery", "Approval"} {
		h := recorded(t, kind+"/v0.1.0-approved.json")
		first, last := h.GetEvents()[0], h.GetEvents()[len(h.GetEvents())-1]
		of := first.GetWorkflowExecutionStartedEventAttributes()
		attributes := map[string]string{"Tenant": "approved"}
		switch kind {
		case "Event":
			at, eventWorkflow = first.GetEventTime().AsTime(), of.GetWorkflowId()
		case "Approval":
			endpointID = of.GetWorkflowId()[len("approval/approved/"):]
			attributes["Endpoint"] = endpointID
		}
		c.Put(&orchestratortest.Run{
			ID: of.GetWorkflowId(), RunID: of.GetOriginalExecutionRunId(), Type: kind, History: h, Attributes: attributes,
			Status: enums.WORKFLOW_EXECUTION_STATUS_COMPLETED, Start: first.GetEventTime().AsTime(), End: last.GetEventTime().AsTime(),
		})
	}
	line := func(after time.Duration, kind webhook.AuditKind, version int, host string) webhook.AuditLine {
		return webhook.AuditLine{At: at.Add(after), Kind: kind, EndpointID: endpointID, EndpointVersion: version, EndpointURLHost: host}
	}
	log := changeLog{
		line(-2*time.Hour, webhook.AuditEndpointCreated, 1, "old.example"),
		line(-time.Hour, webhook.AuditSecretRead, 0, ""),
		line(50*time.Millisecond, webhook.AuditEndpointState, 2, "old.example"),
		line(24*time.Hour, webhook.AuditEndpointChanged, 9, "new.example"),
		{At: at.Add(48 * time.Hour), Kind: webhook.AuditPayloadRead, EventID: eventWorkflow[len("event/approved/"):], Actor: "zoe"},
	}
	o, err := orchestrator.New(orchestrator.Config{Client: c})
	require.NoError(t, err)
	p, err := audit.New(o.Histories(), log, nil).Event(t.Context(), "approved", eventWorkflow[len("event/approved/"):], nil)
	require.NoError(t, err)
	count := map[webhook.AuditKind]int{} //nolint:exhaustive // of fifty kinds, those that matter here
	for _, l := range p.Lines {
		count[l.Kind]++
		if l.Kind == webhook.AuditAttempt {
			require.Equal(t, "old.example", l.EndpointURLHost)
		}
	}
	require.Equal(t, webhook.AuditEndpointCreated, p.Lines[0].Kind, "what the endpoint looked like")
	require.Equal(t, webhook.AuditPayloadRead, p.Lines[len(p.Lines)-1].Kind)
	for kind, want := range map[webhook.AuditKind]int{ //nolint:exhaustive // of fifty kinds, those that matter here
		webhook.AuditApprove: 1, webhook.AuditEpisodeStarted: 1, webhook.AuditSecretRead: 0, webhook.AuditEndpointChanged: 0, webhook.AuditAccepted: 1,
	} {
		require.Equal(t, want, count[kind], kind)
	}
}

// TestTenantBeginsWithTheChangeLog, page by page.
func TestTenantBeginsWithTheChangeLog(t *testing.T) {
	t.Parallel()
	c, _, _ := newTemporal(t, "v0.1.0-retried")
	var log changeLog
	for n := range 501 {
		log = append(log, webhook.AuditLine{At: time.UnixMicro(int64(n + 1)), Kind: webhook.AuditSecretRead, Actor: "jane"})
	}
	o, err := orchestrator.New(orchestrator.Config{Client: c})
	require.NoError(t, err)
	a := audit.New(o.Histories(), log, nil)
	first, err := a.Tenant(t.Context(), "retried", webhook.AuditQuery{}, nil)
	require.NoError(t, err)
	require.Len(t, first.Lines, 500)
	second, err := a.Tenant(t.Context(), "retried", webhook.AuditQuery{}, first.Next)
	require.NoError(t, err)
	require.Len(t, second.Lines, 1+14)
	require.Empty(t, second.Next)
	few, err := a.Tenant(t.Context(), "retried", webhook.AuditQuery{Runs: 2}, nil)
	require.NoError(t, err)
	require.Len(t, few.Lines, 10)
	jane, err := a.Tenant(t.Context(), "retried", webhook.AuditQuery{Actor: "jane", After: time.UnixMicro(500)}, nil)
	require.NoError(t, err)
	require.Len(t, jane.Lines, 2)
}

// logs are the change logs of some tenants.
type logs map[string]changeLog

func (l logs) Changes(ctx context.Context, tenant string, q webhook.AuditQuery, after time.Time, limit int) ([]webhook.AuditLine, error) {
	return l[tenant].Changes(ctx, "one", q, after, limit)
}

// TestWhatIsAboutEveryTenant stands in each tenant's audit, in its order, and on no two pages.
func TestWhatIsAboutEveryTenant(t *testing.T) {
	t.Parallel()
	own, every := changeLog{}, changeLog{}
	for n := range 800 {
		own = append(own, webhook.AuditLine{At: time.UnixMicro(int64(2*n + 1)), Kind: webhook.AuditSecretRead})
		every = append(every, webhook.AuditLine{At: time.UnixMicro(int64(n + 1)), Kind: webhook.AuditPayloadRead})
	}
	o, err := orchestrator.New(orchestrator.Config{Client: orchestratortest.New()})
	require.NoError(t, err)
	a := audit.New(o.Histories(), logs{"acme": own, "*": every}, nil)
	var got []audit.Line
	for after := []byte(nil); ; {
		p, err := a.Tenant(t.Context(), "acme", webhook.AuditQuery{}, after)
		require.NoError(t, err)
		got = append(got, p.Lines...)
		if after = p.Next; after == nil {
			break
		}
	}
	require.Len(t, got, 1600)
	require.True(t, slices.IsSortedFunc(got, func(x, y audit.Line) int { return x.At.Compare(y.At) }))
	p, err := a.Tenant(t.Context(), "acme", webhook.AuditQuery{EndpointID: "ep_1"}, nil)
	require.NoError(t, err)
	require.Empty(t, p.Lines)
}

// TestAnErasedEventIsStillToldOf by the change log, which is all there is.
func TestAnErasedEventIsStillToldOf(t *testing.T) {
	t.Parallel()
	o, err := orchestrator.New(orchestrator.Config{Client: orchestratortest.New()})
	require.NoError(t, err)
	a := audit.New(o.Histories(), logs{"acme": {{At: time.UnixMicro(1), Kind: webhook.AuditErasureAsked, EventID: "evt_1", Reason: "request 17"}}}, nil)
	p, err := a.Event(t.Context(), "acme", "evt_1", nil)
	require.NoError(t, err)
	require.Equal(t, []string{"erasure-asked"}, kinds(p))
	_, err = a.Event(t.Context(), "acme", "evt_2", nil)
	require.Equal(t, webhook.NotFound, webhook.CodeOf(err))
}
