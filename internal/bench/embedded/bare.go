package embedded

import (
	"context"
	"crypto/rand"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"hookloop/internal/bench"
)

const bareQueue = "hookloop-bench-bare"

// bareWorker runs workflows that do nothing, the yardstick: what Temporal itself costs.
type bareWorker struct {
	client client.Client
	worker sdkworker.Worker
}

// startBare lets the no-op activity tell the endpoint, so that both are measured alike: until the
// event has reached it.
func startBare(c client.Client, e *receiver) (*bareWorker, error) {
	b := &bareWorker{client: c, worker: sdkworker.New(c, bareQueue, sdkworker.Options{WorkerStopTimeout: bench.Patience})}
	noop := func(_ context.Context, id string) error {
		e.record(id)
		return nil
	}
	b.worker.RegisterWorkflowWithOptions(func(ctx workflow.Context, _ converter.RawValue) error {
		ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: time.Minute})
		id := workflow.GetInfo(ctx).WorkflowExecution.ID
		return workflow.ExecuteLocalActivity(ctx, noop, id).Get(ctx, nil)
	}, workflow.RegisterOptions{Name: "Bare"})
	return b, b.worker.Start()
}

func (b *bareWorker) stop() {
	if b != nil {
		b.worker.Stop()
	}
}

func (b *loop) startBare(ctx context.Context) (string, error) {
	data := converter.NewRawValue(&commonpb.Payload{
		Metadata: map[string][]byte{converter.MetadataEncoding: []byte(converter.MetadataEncodingJSON)},
		Data:     payload(b.options.Size),
	})
	id := "bare/" + rand.Text()
	_, err := b.bare.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID: id, TaskQueue: bareQueue, EnableEagerStart: true,
	}, "Bare", data)
	return id, err
}
