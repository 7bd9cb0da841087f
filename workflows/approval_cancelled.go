package workflows

import (
	"errors"
	"fmt"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"hookloop/activities"
	"hookloop/internal/webhook"
)

// give takes in that a step could not be done: there is no endpoint any more, or an operator
// cancelled the approval. Everything else was retried without end.
func (a *approval) give(ctx workflow.Context, err error) error {
	if app, ok := errors.AsType[*temporal.ApplicationError](err); ok && app.Type() == activities.TypeEndpointGone {
		if !a.said.deleted() {
			a.said.End = &webhook.End{Kind: webhook.EndDeleted}
		}
		a.asking = ""
		return nil
	}
	if !temporal.IsCanceledError(err) {
		return err
	}
	a.cancelled(ctx)
	return nil
}

// cancelled takes in that an operator asked Temporal to cancel. While nobody has been asked that ends the episode, and
// the next failure begins another. Else it would leave deliveries held and nobody asked: the next run, which is not
// cancelled, asks again, or goes on with what was said.
func (a *approval) cancelled(ctx workflow.Context) {
	a.anew = true
	catchUp(ctx)
	watching := a.report.Status == webhook.ApprovalWatching && a.asking == ""
	switch {
	case a.report.Status.Ended():
		a.anew = false
		return
	case watching && !a.said.orders():
		a.anew = false
		a.report.Status, a.report.Reason = webhook.ApprovalCancelled, "the approval was cancelled"
		return
	case watching:
	case a.asking != "":
		a.askAgain = a.asking
	case a.report.Status == webhook.ApprovalAwaiting && a.report.Decided == webhook.DecidedReject:
		a.said.Reject = a.report.Decision // it was under way
	case a.report.Status == webhook.ApprovalAwaiting:
		a.askAgain = a.report.Reason
	default:
		a.askAgain = "it was cancelled while it was " + string(a.report.Status)
	}
	a.ignored = fmt.Sprintf("*Request Cancellation* at %s ended nothing: it would leave deliveries waiting and nobody asked. "+
		"Signals are the way: `%s`, or `%s` to give the deliveries up.", stamp(workflow.Now(ctx)), SignalApprove, SignalReject)
}
