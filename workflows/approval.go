package workflows

import (
	"errors"
	"fmt"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"hookloop/activities"
	"hookloop/internal/webhook"
)

// Approval is one episode of an endpoint that keeps failing: watch whether it recovers by itself,
// hold it and ask people, and do what they decide, or reject it when they do not. It ends as
// webhook.ApprovalStatus says. Each file approval_….go holds one state: watch, ask, release.
func Approval(ctx workflow.Context, in ApprovalInput) (webhook.ApprovalReport, error) {
	a := newApproval(in)
	if err := a.handle(ctx); err != nil {
		return a.report, err
	}
	for a.hasWork(ctx) {
		if a.shouldContinueAsNew(ctx) {
			return a.report, workflow.NewContinueAsNewError(ctx, Approval, a.carry())
		}
		if err := a.step(ctx); err != nil {
			if err := a.handleStepError(ctx, err); err != nil {
				return a.report, err
			}
		}
		a.show(ctx)
	}
	_ = workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
	return a.report, ctx.Err()
}

type approval struct {
	in        ApprovalInput
	report    webhook.ApprovalReport
	facts     activities.EndpointFacts
	reminded  int                    // times since people were asked
	counted   int                    // times since people were asked
	probes    int                    // so far
	announced int                    // so far
	byHand    bool                   // resumed and not approved: the endpoint may be in any state
	asking    string                 // why people are about to be asked; empty: they are not
	renew     bool                   // a new run must go on, for this one was cancelled
	outcome   webhook.ApprovalStatus // as the search attribute has it
	ignored   string                 // why the last signal was that made no sense, for a person
	inbox     approvalInbox
}

func newApproval(in ApprovalInput) *approval {
	a := &approval{in: in, outcome: webhook.ApprovalWatching, report: webhook.ApprovalReport{
		EndpointID: in.EndpointID, Status: webhook.ApprovalWatching,
		WorkflowID: ApprovalWorkflowID(in.Tenant, in.EndpointID),
	}}
	if c := in.Carried; c != nil {
		a.report, a.facts, a.outcome = c.Report, c.Facts, c.Report.Status
		a.reminded, a.counted, a.probes, a.announced = c.Reminded, c.Counted, c.Probes, c.Announced
		a.byHand, a.asking, a.ignored, a.inbox = c.ByHand, c.Asking, c.Ignored, c.Inbox
	}
	a.in.Carried = nil
	return a
}

// carry is the input of the run that continues this one.
func (a *approval) carry() ApprovalInput {
	in := a.in
	in.Carried = &CarriedApproval{
		Report: a.report, Facts: a.facts,
		Reminded: a.reminded, Counted: a.counted, Probes: a.probes, Announced: a.announced,
		ByHand: a.byHand, Asking: a.asking, Ignored: a.ignored, Inbox: a.inbox,
	}
	return in
}

// hasWork says whether there is anything left to do. What comes with the end of the last step is
// received first, for nothing is received after the end.
func (a *approval) hasWork(ctx workflow.Context) bool {
	if !a.report.Status.Ended() {
		return true
	}
	drainSignals(ctx)
	if ctx.Err() != nil {
		return false
	}
	if a.inbox.Recovered != nil && a.report.Status == webhook.ApprovalRecovered {
		a.report.Status = webhook.ApprovalWatching // another worker found it well, and has deferred deliveries too
		return true
	}
	return a.inbox.mustOutliveEnd()
}

// shouldContinueAsNew says whether the next step is for a new run to do, with all that was
// received.
func (a *approval) shouldContinueAsNew(ctx workflow.Context) bool {
	if !a.renew && (!suggested(ctx) || !workflow.AllHandlersFinished(ctx)) {
		return false
	}
	drainSignals(ctx)
	return true
}

// suggested says whether Temporal wants the workflow to go on as a new run. An endpoint that fails
// for months is reported every minute.
func suggested(ctx workflow.Context) bool { return workflow.GetInfo(ctx).GetContinueAsNewSuggested() }

// step does what is next, until the status changes or the inbox has something that comes first.
func (a *approval) step(ctx workflow.Context) error {
	switch {
	case a.facts.State == "" && a.inbox.End == nil:
		return a.begin(ctx)
	case a.mayResume():
		return a.resume(ctx)
	case a.inbox.End != nil:
		return a.end(ctx, a.inbox.End)
	case a.asking != "":
		return a.ask(ctx)
	}
	switch a.report.Status {
	case webhook.ApprovalWatching:
		return a.watch(ctx)
	case webhook.ApprovalAwaiting:
		return a.await(ctx)
	case webhook.ApprovalProbing:
		return a.probe(ctx)
	case webhook.ApprovalReleasing:
		return a.release(ctx)
	case webhook.ApprovalReleased, webhook.ApprovalRecovered, webhook.ApprovalRejected, webhook.ApprovalCancelled:
	}
	return nil
}

// mayResume says whether there is a resume to act on. One that comes during a release asks for what
// is under way, unless the endpoint was paused before it.
func (a *approval) mayResume() bool {
	switch {
	case a.inbox.Resume == nil || a.inbox.deleted():
		return false
	case a.report.Status == webhook.ApprovalProbing, a.report.Status == webhook.ApprovalReleasing:
		return a.inbox.End != nil
	}
	return true
}

// handleStepError takes in that a step could not be done: the endpoint was deleted, or an operator
// cancelled the approval. Everything else was retried without end.
func (a *approval) handleStepError(ctx workflow.Context, err error) error {
	if app, ok := errors.AsType[*temporal.ApplicationError](err); ok && app.Type() == activities.TypeEndpointGone {
		if !a.inbox.deleted() {
			a.inbox.End = &webhook.End{Kind: webhook.EndDeleted}
		}
		return nil
	}
	if !temporal.IsCanceledError(err) {
		return err
	}
	a.cancelled(ctx)
	return nil
}

// cancelled takes in that an operator asked Temporal to cancel. Before people have been asked that
// ends the episode, and the next failure begins another. Later it would leave deliveries held and
// no one asked: a new run, which is not cancelled, asks again or acts on what was received.
func (a *approval) cancelled(ctx workflow.Context) {
	a.renew = true // updates that wait are answered before the signals are drained
	drainSignals(ctx)
	watching := a.report.Status == webhook.ApprovalWatching && a.asking == ""
	switch {
	case a.report.Status.Ended():
		a.renew = false
		return
	case watching && !a.inbox.hasInstruction():
		a.renew = false
		a.report.Status, a.report.Reason = webhook.ApprovalCancelled, "the approval was cancelled"
		return
	case watching, a.asking != "":
	case a.report.Status == webhook.ApprovalAwaiting && a.report.Decided == webhook.DecidedReject:
		a.inbox.Reject = a.report.Decision // it was under way
	case a.report.Status == webhook.ApprovalAwaiting:
		a.asking = a.report.Reason
	default:
		a.asking = "it was cancelled while it was " + string(a.report.Status)
	}
	a.ignored = fmt.Sprintf("*Request Cancellation* at %s ended nothing: it would leave deliveries waiting and no one asked. "+
		"Signals are the way: `%s`, or `%s` to give the deliveries up.", stamp(workflow.Now(ctx)), SignalApprove, SignalReject)
}
