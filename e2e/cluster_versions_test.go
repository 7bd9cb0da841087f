package e2e

import (
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/client"

	"hookloop/e2e/cluster"
	"hookloop/internal/check"
	"hookloop/internal/endpointtest"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// TestClusterVersions runs two versions of the worker side by side. The current one gets what is
// new and what is long; an event that began with the other ends there.
func TestClusterVersions(t *testing.T) {
	t.Parallel()
	c := startCluster(t, cluster.Config{Roles: []string{"gateway", "worker", "worker"}, Builds: []string{"0.1.0", "0.2.0"}})
	a := app{&process{place: place{
		Gateway: c.Gateways[0].URL(), Temporal: c.Temporal.Address, Namespace: c.Namespace, Tenant: "acme", Token: c.Token,
	}}}
	v := versions{t, a.p.dial(t)}
	v.setCurrent("0.1.0")
	s, e := a.listen(t, endpointtest.Config{Script: "503 200"}, `,"schedule":["0s","24h"]`)
	old := a.post(t, `{"type":"contact.updated","data":{"id":1}}`)
	receipts(t, s, 1)
	delivery := workflows.DeliveryWorkflowID(a.p.Tenant, old.ID, e.ID)
	eventually(t, "the delivery waits", func() bool { return a.event(t, old.ID).Deliveries[0].NextAttemptAt != nil })
	v.requireOn(old.WorkflowID, "0.1.0", enumspb.VERSIONING_BEHAVIOR_PINNED)
	v.requireOn(delivery, "0.1.0", enumspb.VERSIONING_BEHAVIOR_AUTO_UPGRADE)

	v.setCurrent("0.2.0")
	c.Workers[0].Kill(t)
	fresh := a.post(t, `{"type":"contact.updated","data":{"id":2}}`)
	require.Equal(t, webhook.Delivered, a.settled(t, fresh.ID).Status)
	v.requireOn(fresh.WorkflowID, "0.2.0", enumspb.VERSIONING_BEHAVIOR_PINNED)

	a.call(t, http.StatusAccepted, http.MethodPost, "/events/"+old.ID+"/deliveries/"+e.ID+"/retry-now", "", nil)
	receipts(t, s, 3)
	eventually(t, "the delivery ends on the current version", func() bool {
		x, err := v.c.DescribeWorkflowExecution(t.Context(), delivery, "")
		return err == nil && x.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED
	})
	v.requireOn(delivery, "0.2.0", enumspb.VERSIONING_BEHAVIOR_AUTO_UPGRADE)
	require.Equal(t, enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, v.info(old.WorkflowID).GetStatus(), "its version has no worker")

	c.Workers[0].Start(t)
	require.Equal(t, "delivered", a.ended(t, old.ID).Status)
	v.requireOn(old.WorkflowID, "0.1.0", enumspb.VERSIONING_BEHAVIOR_PINNED)
}

// versions asks Temporal about the versions of workers.
type versions struct {
	t *testing.T
	c client.Client
}

// setCurrent waits until Temporal knows the version, and sends work there.
func (v versions) setCurrent(build string) {
	v.t.Helper()
	deployment := v.c.WorkerDeploymentClient().GetHandle(cluster.Deployment)
	eventually(v.t, "version "+build+" is current", func() bool {
		_, err := deployment.SetCurrentVersion(v.t.Context(), client.WorkerDeploymentSetCurrentVersionOptions{BuildID: build})
		return err == nil
	})
}

func (v versions) info(workflowID string) *workflowpb.WorkflowExecutionInfo {
	v.t.Helper()
	x, err := v.c.DescribeWorkflowExecution(v.t.Context(), workflowID, "")
	require.NoError(v.t, err)
	return x.GetWorkflowExecutionInfo()
}

// requireOn holds which version a workflow made its last step with.
func (v versions) requireOn(workflowID, build string, behavior enumspb.VersioningBehavior) {
	v.t.Helper()
	on := v.info(workflowID).GetVersioningInfo()
	require.Equal(v.t, build, on.GetDeploymentVersion().GetBuildId(), workflowID)
	require.Equal(v.t, behavior, on.GetBehavior(), workflowID)
}

// TestClusterOldAndNew lets the previous build's worker work beside this build's under load: both
// at once, then the new one alone, then the old one alone again, as in an upgrade that is taken
// back. With versions, the one made current gets what is new, to and fro. PREVIOUS is the path of
// the older program; without one it is this build under another version.
func TestClusterOldAndNew(t *testing.T) {
	onlyInProof(t)
	t.Parallel()
	previous := os.Getenv("PREVIOUS")
	if previous == "" {
		previous = filepath.Join(t.TempDir(), "previous")
		out, err := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s -w -X main.version=previous", "-o", previous, "hookloop/cmd/hookloop").CombinedOutput()
		require.NoError(t, err, string(out))
	}
	for name, builds := range map[string][]string{"without versions": nil, "with versions": {"0.1.0", "0.2.0"}} {
		t.Run(name, func(t *testing.T) { //nolint:paralleltest // one cluster after the other
			oldAndNew(t, cluster.Config{Programs: []string{previous}, Builds: builds, Roles: []string{"gateway", "worker", "worker"}})
		})
	}
}

func oldAndNew(t *testing.T, cfg cluster.Config) {
	t.Helper()
	c := startCluster(t, cfg)
	a := app{&process{place: place{
		Gateway: c.Gateways[0].URL(), Temporal: c.Temporal.Address, Namespace: c.Namespace, Tenant: "acme", Token: c.Token,
	}}}
	current := func(string) {}
	if cfg.Builds != nil {
		current = versions{t, a.p.dial(t)}.setCurrent
	}
	current("0.1.0")
	w := newWitness()
	for script, more := range map[string]string{"": "", strings.Repeat("503 503 200 ", 1000): `,"schedule":["0s","200ms","1s","2s","5s","10s","10s"]`} {
		s, e := a.listen(t, endpointtest.Config{Script: script}, more)
		w.watch(e.ID, s)
	}
	l := &clusterLoad{t: t, gateways: []app{a}, prefix: "mixed", pace: 200 * time.Millisecond, witness: w, ids: map[string]string{}}
	l.last.Store(math.MaxInt32)
	l.start(4)
	old, young := c.Workers[0], c.Workers[1]
	goOn := func() {
		enough := l.answered() + clusterRound
		eventually(t, "events are accepted", func() bool { return l.answered() >= enough })
	}
	goOn()
	current("0.2.0")
	goOn()
	swap := func(name string, ends, begins *cluster.Process) {
		mended := w.fault(name)
		ends.Kill(t)
		goOn()
		if begins != nil {
			begins.Start(t)
			begins.AwaitReady(t)
			goOn()
		}
		mended()
	}
	swap("the old worker is killed", old, old)
	current("0.1.0")
	swap("the new worker is killed", young, nil)
	young.Start(t)
	current("0.2.0")
	goOn()
	l.last.Store(0)
	l.clients.Wait()
	require.Empty(t, l.strays)
	r := w.judge(t, a, check.Faults, check.Retried, check.OwnWorkflow)
	t.Logf("%d events, %d sent twice", len(l.ids), r.Duplicates)
}
