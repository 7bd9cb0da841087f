package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"
)

// interruptible runs an activity, with the options that ctx has. When stop says so it cancels the
// activity, whose answer to that is awaited like any other.
func interruptible(ctx workflow.Context, stop func() bool, activity, in any) workflow.Future {
	activityCtx, cancel := workflow.WithCancel(ctx)
	defer cancel()
	done := workflow.ExecuteActivity(activityCtx, activity, in)
	scheduledAt := workflow.GetInfo(ctx).GetCurrentHistoryLength()
	_ = workflow.Await(ctx, func() bool { return done.IsReady() || stop() })
	if !done.IsReady() {
		untilCancellable(ctx, scheduledAt)
	}
	return done
}

// untilCancellable waits until an activity that was scheduled at this length of the history may be
// cancelled. Cancelled in the same workflow task, it is never scheduled and never answers
// (https://github.com/temporalio/sdk-go/issues/1176). A workflow does not see its activity start,
// so it waits for a timer, which brings a workflow task of its own.
func untilCancellable(ctx workflow.Context, scheduledAt int) {
	if workflow.GetInfo(ctx).GetCurrentHistoryLength() == scheduledAt {
		_ = workflow.Sleep(ctx, time.Second)
	}
}
