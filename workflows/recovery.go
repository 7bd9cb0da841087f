package workflows

import (
	"errors"
	"fmt"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"hookloop/activities"
)

// recoveryActivities is nil and lends its method names, as approvalActivities does.
var recoveryActivities *activities.Recovery

// Recovery redelivers, page by page and at a pace, what did not reach one endpoint in a window, and
// stops when nothing goes to that any more. Cancelling it stops it after the delivery at hand; what
// it started goes on.
func Recovery(ctx workflow.Context, in RecoveryInput) (RecoveryReport, error) {
	report := in.Report
	if err := workflow.SetQueryHandler(ctx, QueryReport, func() (RecoveryReport, error) { return report, nil }); err != nil {
		return report, err
	}
	for page := in.Page; !report.Done; {
		workflow.SetCurrentDetails(ctx, report.details())
		if suggested(ctx) {
			in.Page, in.Report = page, report
			return report, workflow.NewContinueAsNewError(ctx, Recovery, in)
		}
		r, err := recoverPage(ctx, in, page)
		report.Found, report.Redelivered, report.Skipped = report.Found+r.Found, report.Redelivered+r.Redelivered, report.Skipped+r.Skipped
		if err != nil {
			workflow.SetCurrentDetails(ctx, report.details())
			return report, err
		}
		if report.Stopped = r.Stopped; report.Stopped != "" {
			break
		}
		page, report.Done = r.Next, len(r.Next) == 0
	}
	workflow.SetCurrentDetails(ctx, report.details())
	return report, nil
}

// recoverPage answers also what a page that was cancelled had done.
func recoverPage(ctx workflow.Context, in RecoveryInput, page []byte) (r activities.RecoveryPageResult, err error) {
	ctx = workflow.WithActivityOptions(ctx, recoveryOptions(in.Window.Tenant))
	err = workflow.ExecuteActivity(ctx, recoveryActivities.RecoverPage, activities.RecoveryPage{
		Window: in.Window, Page: page, RatePerSecond: in.RatePerSecond, Instruction: in.Instruction,
	}).Get(ctx, &r)
	if cancelled, ok := asCancelled(err); ok && cancelled.HasDetails() {
		_ = cancelled.Details(&r) // without them the figures stay as they were
	}
	return r, err
}

func asCancelled(err error) (*temporal.CanceledError, bool) {
	return errors.AsType[*temporal.CanceledError](err)
}

func (r RecoveryReport) details() string {
	state := "recovering"
	switch {
	case r.Stopped != "":
		state = "stopped"
	case r.Done:
		state = "done"
	}
	return fmt.Sprintf("**%s**: %d found, %d redelivered, %d skipped%s\n", state, r.Found, r.Redelivered, r.Skipped, because(r.Stopped))
}
