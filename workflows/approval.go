package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"hookloop/activities"
	"hookloop/internal/webhook"
)

// keeper only lends its method names, as lane does.
var keeper *activities.Approval

// Approval is one episode of an endpoint that keeps failing: watch whether it recovers by itself,
// hold it and ask, and do what a person decides, or reject it when nobody does. It ends as
// webhook.ApprovalStatus says.
func Approval(ctx workflow.Context, in ApprovalInput) (webhook.ApprovalReport, error) {
	a := newApproval(in)
	if err := a.handle(ctx); err != nil {
		return a.report, err
	}
	for a.goesOn(ctx) {
		if a.goesOnAsNew(ctx) {
			return a.report, workflow.NewContinueAsNewError(ctx, Approval, a.carry())
		}
		if err := a.step(ctx); err != nil {
			if err := a.give(ctx, err); err != nil {
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
	reminded  int // times
	counted   int // times since it was asked
	probes    int // so far
	announced int
	byHand    bool                   // resumed by a person, not approved: the endpoint may be in any state
	asking    string                 // why the endpoint is about to be held: the registry may have it so already, and people may decide
	askAgain  string                 // why people are to be asked again; empty: they are not
	anew      bool                   // a new run goes on: this one was cancelled
	outcome   webhook.ApprovalStatus // as the search attribute has it
	ignored   string                 // the last that was said and made no sense, for a person
	said      said
}

func newApproval(in ApprovalInput) *approval {
	a := &approval{in: in, outcome: webhook.ApprovalWatching, report: webhook.ApprovalReport{
		EndpointID: in.EndpointID, Status: webhook.ApprovalWatching,
		WorkflowID: ApprovalWorkflowID(in.Tenant, in.EndpointID),
	}}
	if c := in.Carried; c != nil {
		a.report, a.facts, a.outcome = c.Report, c.Facts, c.Report.Status
		a.reminded, a.counted, a.probes, a.announced, a.byHand = c.Reminded, c.Counted, c.Probes, c.Announced, c.ByHand
		a.askAgain, a.ignored, a.said = c.AskAgain, c.Ignored, c.Said
	}
	return a
}

// carry is the input of the run that continues this one.
func (a *approval) carry() ApprovalInput {
	in := a.in
	in.Carried = &CarriedApproval{
		Report: a.report, Facts: a.facts,
		Reminded: a.reminded, Counted: a.counted, Probes: a.probes, Announced: a.announced, ByHand: a.byHand,
		AskAgain: a.askAgain, Ignored: a.ignored, Said: a.said,
	}
	return in
}

// goesOn says whether there is anything left to do. Words that came with the end of the last step are
// heard first: after the end nobody hears them.
func (a *approval) goesOn(ctx workflow.Context) bool {
	if !a.report.Status.Ended() {
		return true
	}
	catchUp(ctx)
	if a.said.Recovered != nil && a.report.Status == webhook.ApprovalRecovered {
		a.report.Status = webhook.ApprovalWatching // another worker has found it well, and deferred deliveries of its own
		return ctx.Err() == nil
	}
	if ctx.Err() != nil || !a.said.last() {
		return false
	}
	if a.said.Resume != nil && !a.said.deleted() {
		a.resumed(ctx)
	}
	return true
}

// goesOnAsNew says whether the next step is for a new run to do, with all that was said.
func (a *approval) goesOnAsNew(ctx workflow.Context) bool {
	if !a.anew && (!suggested(ctx) || !workflow.AllHandlersFinished(ctx)) {
		return false
	}
	catchUp(ctx) // what waits to be heard would not be in the new run
	return true
}

// catchUp returns when all that has come was taken in, also by one that was asked to cancel: what starts now runs
// after those who listen.
func catchUp(ctx workflow.Context) {
	ctx, stop := workflow.NewDisconnectedContext(ctx)
	defer stop()
	heard := false
	workflow.Go(ctx, func(workflow.Context) { heard = true })
	_ = workflow.Await(ctx, func() bool { return heard && workflow.AllHandlersFinished(ctx) })
}

// step does what is next, until the status changes or somebody says something.
func (a *approval) step(ctx workflow.Context) error {
	if a.said.unpaused() {
		a.resumed(ctx)
		return nil
	}
	if a.said.End != nil {
		return a.end(ctx, a.said.End)
	}
	if why := a.askAgain; why != "" {
		a.askAgain = ""
		return a.ask(ctx, why, a.from(webhook.EndpointActive)...)
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

// wait returns when something is said or the history has grown long, or says that the time is over.
func (a *approval) wait(ctx workflow.Context, d time.Duration, summary string, until func() bool) (over bool, err error) {
	if until() || d <= 0 {
		return !until(), ctx.Err()
	}
	timed, stop := workflow.WithCancel(ctx)
	defer stop()
	timer := workflow.NewTimerWithOptions(timed, d, workflow.TimerOptions{Summary: summary})
	err = workflow.Await(ctx, func() bool { return until() || timer.IsReady() || suggested(ctx) })
	return timer.IsReady() && !until(), err
}

// suggested says whether Temporal wants the workflow to go on as a new run. An endpoint that fails for
// months is said to every minute.
func suggested(ctx workflow.Context) bool { return workflow.GetInfo(ctx).GetContinueAsNewSuggested() }

// failure says for how long the endpoint has failed.
func (a *approval) failure() string {
	switch since := a.report.FailingSince; {
	case since == nil: // started by hand
		return "somebody asked"
	case a.said.RefusesSince != nil:
		return a.refusal(*since)
	default:
		return fmt.Sprintf("it has been failing since %s, last with %s", stamp(*since), a.lastAnswer())
	}
}

func (a *approval) refusal(since time.Time) string {
	return fmt.Sprintf("it has taken nothing since %s and refuses one event after the other, last with %s", stamp(since), a.lastAnswer())
}

// lastAnswer names the latest answer of the endpoint.
func (a *approval) lastAnswer() string {
	if n := len(a.report.LastAnswers); n > 0 {
		return a.report.LastAnswers[n-1].String()
	}
	return "no answer"
}
