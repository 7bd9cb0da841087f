package workflows_test

import (
	"encoding"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/workflow"

	"hookloop/activities"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

var update = flag.Bool("update", false, "rewrite testdata/wire.txt")

// TestWireNames pins what histories, saved queries and other workers refer to by string. A change
// here is a migration.
func TestWireNames(t *testing.T) {
	t.Parallel()
	require.Equal(t, "hookloop", workflows.TaskQueue)
	require.Equal(t, "report", workflows.QueryReport)
	require.Equal(t, "retry-now cancel", workflows.SignalRetryNow+" "+workflows.SignalCancel)
	require.Equal(t, "retry-now cancel", workflows.UpdateRetryNow+" "+workflows.UpdateCancel)
	require.Equal(t, "recheck", workflows.SignalRecheck)
	require.Equal(t, "Attempt", workflows.AttemptActivity)
	require.Equal(t, "probe release", workflows.UpdateProbe+" "+workflows.UpdateRelease)
	require.Equal(t, "approve reject", workflows.SignalApprove+" "+workflows.SignalReject)
	require.Equal(t, "approve reject", workflows.UpdateApprove+" "+workflows.UpdateReject)
	require.Equal(t, "failing recovered", workflows.SignalFailing+" "+workflows.SignalRecovered)
	require.Equal(t, "resume end", workflows.SignalResume+" "+workflows.SignalEnd)
	require.Equal(t, "approval/demo/ep_1", workflows.ApprovalWorkflowID("demo", "ep_1"))
	require.Equal(t, "recovery/demo/ep_1", workflows.RecoveryWorkflowID("demo", "ep_1"))
	require.Equal(t, "event/demo/evt_1", workflows.EventWorkflowID("demo", "evt_1"))
	require.Equal(t, "delivery/demo/evt_1/ep_1", workflows.DeliveryWorkflowID("demo", "evt_1", "ep_1"))
	require.Equal(t, []string{"Tenant", "EventType", "Endpoint", "Outcome", "Accepted"}, workflows.SearchAttributes())
	require.Equal(t, "disabled several operational", workflows.EndpointDisabled+" "+workflows.EndpointsSeveral+" "+workflows.EndpointOperational)
	require.Equal(t, "2006-01-02T15:04:05.000000Z", workflows.AcceptedFormat)
	require.Equal(t, "NotHeld Refused", workflows.TypeNotHeld+" "+workflows.TypeRefused)
	require.Equal(t, "EndpointGone EventGone BadWindow Deferred",
		strings.Join([]string{activities.TypeEndpointGone, activities.TypeEventGone, activities.TypeBadWindow, activities.TypeDeferred}, " "))
	require.Equal(t, "announce ", workflows.SummaryAnnounce)
	require.Equal(t, "delivery.exhausted endpoint.held endpoint.reminder endpoint.released endpoint.recovered endpoint.rejected",
		strings.Join([]string{
			webhook.EventDeliveryExhausted, webhook.EventEndpointHeld, webhook.EventEndpointReminder,
			webhook.EventEndpointReleased, webhook.EventEndpointRecovered, webhook.EventEndpointRejected,
		}, " "))

	r := &names{}
	workflows.Register(r)
	require.Equal(t, []string{"Event", "Delivery", "Recovery", "Approval"}, r.workflows)
	require.Equal(t, []string{workflows.TypeEvent, workflows.TypeDelivery, workflows.TypeRecovery, workflows.TypeApproval}, r.workflows)
	var methods []string
	for m := range reflect.TypeFor[*activities.Delivery]().Methods() {
		methods = append(methods, m.Name)
	}
	for m := range reflect.TypeFor[*activities.Recovery]().Methods() {
		methods = append(methods, m.Name)
	}
	for m := range reflect.TypeFor[*activities.Approval]().Methods() {
		methods = append(methods, m.Name)
	}
	require.Equal(t, []string{
		"Attempt", "FastAttempt", "RecoverPage",
		"Announce", "ChangeState", "CountWaiting", "ProbeOldest", "ReadEndpoint", "RecheckAll", "RecheckDeferred", "ReleaseHeld",
	}, methods)
}

// names is a registry that only takes note.
type names struct{ workflows []string }

func (n *names) RegisterWorkflow(any) {}

func (n *names) RegisterWorkflowWithOptions(w any, _ workflow.RegisterOptions) {
	full := runtime.FuncForPC(reflect.ValueOf(w).Pointer()).Name()
	n.workflows = append(n.workflows, full[strings.LastIndexByte(full, '.')+1:])
}

func (n *names) RegisterDynamicWorkflow(any, workflow.DynamicRegisterOptions) {}

// TestWireJSON pins the JSON of all that histories hold: what starts workflows and continues them,
// what signals and updates bring, what activities take, answer and remember. A field that is new
// may be added to the file; one that is gone or named otherwise is a migration.
func TestWireJSON(t *testing.T) {
	t.Parallel()
	s := shapes{seen: map[reflect.Type]bool{}}
	for _, root := range []any{
		workflows.EventInput{},
		workflows.EventReport{},
		workflows.DeliveryInput{},
		workflows.DeliveryResult{},
		webhook.DeliveryReport{},
		workflows.ApprovalInput{},
		webhook.ApprovalReport{},
		workflows.RecoveryInput{},
		workflows.RecoveryReport{},
		webhook.Instruction{},
		webhook.Decision{},
		webhook.Failing{},
		webhook.Answer{},
		webhook.End{},
		webhook.Probe{},
		activities.Turn{},
		activities.TurnResult{},
		activities.TurnTrouble{},
		activities.EndpointRef{},
		activities.EndpointFacts{},
		activities.StateChange{},
		activities.StateChanged{},
		activities.Announcement{},
		activities.Recheck{},
		activities.ProbeOrder{},
		activities.Release{},
		activities.ReleaseResult{},
		activities.RecoveryPage{},
		activities.RecoveryPageResult{},
		activities.RecoveryProgress{},
	} {
		s.add(reflect.TypeOf(root))
	}
	got, path := strings.Join(s.lines, "\n")+"\n", filepath.Join("testdata", "wire.txt")
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "`go test ./workflows -run TestWireJSON -update` writes it anew")
}

// shapes lists the JSON fields of types, each type once.
type shapes struct {
	seen  map[reflect.Type]bool
	lines []string
}

func (s *shapes) add(t reflect.Type) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if s.seen[t] || leaf(t) {
		return
	}
	s.seen[t] = true
	fields := jsonFields(t)
	for _, f := range fields {
		s.lines = append(s.lines, fmt.Sprintf("%s %s %s", t, f.Tag.Get("json"), f.Type))
	}
	for _, f := range fields {
		s.add(f.Type)
	}
}

// leaf says whether a type writes itself, or is no struct.
func leaf(t reflect.Type) bool {
	for _, own := range []reflect.Type{reflect.TypeFor[json.Marshaler](), reflect.TypeFor[encoding.TextMarshaler]()} {
		if t.Implements(own) || reflect.PointerTo(t).Implements(own) {
			return true
		}
	}
	return t.Kind() != reflect.Struct
}

func jsonFields(t reflect.Type) (fields []reflect.StructField) {
	for f := range t.Fields() {
		switch {
		case f.Anonymous && f.Tag.Get("json") == "":
			fields = append(fields, jsonFields(f.Type)...)
		case f.IsExported() && f.Tag.Get("json") != "-":
			fields = append(fields, f)
		}
	}
	return fields
}
