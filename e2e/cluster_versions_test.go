package e2e

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/client"

	"hookloop/e2e/cluster"
	"hookloop/internal/endpointtest"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// TestClusterVersions runs two versions of the worker side by side. The current one gets what is
// new and what is long; an event that began with the other ends there.
func TestClusterVersions(t *testing.T) {
	t.Parallel()
	c := cluster.Start(t, cluster.Config{
		Dir: t.TempDir(), Hookloop: binary, Roles: []string{"gateway", "worker", "worker"}, Builds: []string{"0.1.0", "0.2.0"},
	})
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
