package engine_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// BenchmarkEagerLocalActivity is the fast lane with nothing of Hookloop in it: what it reports is
// the ceiling for events per second, and the floor for CPU per event. Run it with -benchtime=5000x.
func BenchmarkEagerLocalActivity(b *testing.B) {
	const clients, warmUp = 32, 500
	e := start(b, config(b))
	c := dial(b, e)
	work(b, c)

	run := benchRun{client: c, payload: bytes.Repeat([]byte("x"), 512)}
	run.events(b, warmUp, clients)
	b.ResetTimer()
	before := cpuTime(b)
	run.events(b, b.N, clients)
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64((cpuTime(b)-before).Microseconds())/1000/float64(b.N), "cpu-ms/event")
}

type benchRun struct {
	client  client.Client
	payload []byte
	number  atomic.Int64
}

func (r *benchRun) events(b *testing.B, n, clients int) {
	b.Helper()
	var left atomic.Int64
	left.Store(int64(n))
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for left.Add(-1) >= 0 {
				if err := r.event(fmt.Sprintf("event/acme/%d", r.number.Add(1))); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}

func (r *benchRun) event(id string) error {
	run, err := r.client.ExecuteWorkflow(context.Background(), client.StartWorkflowOptions{
		ID:               id,
		TaskQueue:        taskQueue,
		EnableEagerStart: true,
		TypedSearchAttributes: temporal.NewSearchAttributes(
			tenant.ValueSet("acme"), eventType.ValueSet("contact.updated")),
	}, bareEvent, r.payload)
	if err != nil {
		return err
	}
	return run.Get(context.Background(), nil)
}

func bareEvent(ctx workflow.Context, payload []byte) error {
	ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: time.Minute})
	return workflow.ExecuteLocalActivity(ctx, noop, payload).Get(ctx, nil)
}

func noop(context.Context, []byte) error { return nil }

func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var usage syscall.Rusage
	require.NoError(tb, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
