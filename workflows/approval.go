package workflows

import (
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
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
	outcome   webhook.ApprovalStatus // as the search attribute has it
	ignored   string                 // the last signal that made no sense, for a person
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
	}
	return a
}

// carry is the input of the run that continues this one.
func (a *approval) carry() ApprovalInput {
	in := a.in
	in.Carried = &CarriedApproval{
		Report: a.report, Facts: a.facts,
		Reminded: a.reminded, Counted: a.counted, Probes: a.probes, Announced: a.announced, ByHand: a.byHand,
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
	if a.said.recovered && a.report.Status == webhook.ApprovalRecovered {
		a.report.Status = webhook.ApprovalWatching // another worker has found it well, and deferred deliveries of its own
		return ctx.Err() == nil
	}
	if ctx.Err() != nil || !a.said.last() {
		return false
	}
	if a.said.resume != nil && !a.said.deleted() {
		a.resumed(ctx)
	}
	return true
}

// goesOnAsNew says whether the next step is for a new run to do.
func (a *approval) goesOnAsNew(ctx workflow.Context) bool {
	if !suggested(ctx) || !workflow.AllHandlersFinished(ctx) {
		return false
	}
	catchUp(ctx)                                 // what waits to be heard would not be in the new run
	return !a.said.orders() && !a.said.recovered // a new run without it would know no failure, and ask people at once
}

// catchUp returns when all that has come was taken in: what starts now runs after those who listen.
func catchUp(ctx workflow.Context) {
	heard := false
	workflow.Go(ctx, func(workflow.Context) { heard = true })
	_ = workflow.Await(ctx, func() bool { return heard })
}

// step does what is next, until the status changes or somebody says something.
func (a *approval) step(ctx workflow.Context) error {
	if a.said.unpaused() {
		a.resumed(ctx)
		return nil
	}
	if a.said.end != nil {
		return a.end(ctx, a.said.end)
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

// watch gives the endpoint its time to recover unasked.
func (a *approval) watch(ctx workflow.Context) error {
	if a.facts.State == "" {
		if err := a.begin(ctx); err != nil || a.said.end != nil {
			return err
		}
	}
	a.show(ctx)
	a.said.failing = 0
	left := time.Duration(0)
	if a.report.FailingSince != nil {
		left = a.report.FailingSince.Add(a.facts.After).Sub(workflow.Now(ctx))
	}
	over, err := a.wait(ctx, left, "ask, unless it recovers", func() bool {
		return a.said.recovered || a.said.gone || a.said.resume != nil || a.said.end != nil
	})
	switch {
	case err != nil:
		return err
	case a.said.end != nil:
		return nil
	case a.said.resume != nil:
		a.resumed(ctx)
	case a.said.gone:
		return a.ask(ctx, "it answered "+a.lastAnswer()+" and wants no more", webhook.EndpointActive)
	case a.said.recovered:
		return a.recovered(ctx)
	case over:
		return a.ask(ctx, a.failure(), webhook.EndpointActive)
	}
	return nil
}

// recovered ends the episode once what was deferred is on its way. If the endpoint fails again meanwhile, that is
// a new failure.
func (a *approval) recovered(ctx workflow.Context) error {
	a.said.recovered, a.report.FailingSince = false, nil
	if err := a.recheck(ctx); err != nil || a.said.anything() {
		return err
	}
	a.report.Status, a.report.Reason = webhook.ApprovalRecovered, "it took a delivery"
	return nil
}

// begin hears what the episode was started with, and looks at the endpoint.
func (a *approval) begin(ctx workflow.Context) error {
	if err := workflow.Await(ctx, a.said.anything); err != nil || a.said.end != nil {
		return err
	}
	facts, err := a.look(ctx)
	a.facts = facts
	return err
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

// give takes in that a step could not be done: there is no endpoint any more, or an operator
// cancelled the approval. Everything else was retried without end.
func (a *approval) give(ctx workflow.Context, err error) error {
	if app, ok := errors.AsType[*temporal.ApplicationError](err); ok && app.Type() == activities.TypeEndpointGone {
		if !a.said.deleted() {
			a.said.end = &webhook.End{Kind: webhook.EndDeleted}
		}
		return nil
	}
	if !temporal.IsCanceledError(err) {
		return err
	}
	a.report.Status, a.report.Reason = webhook.ApprovalCancelled, "the approval was cancelled"
	if a.report.AskedAt == nil {
		return nil
	}
	a.report.Reason += "; the endpoint is paused until somebody resumes it"
	last, stop := workflow.NewDisconnectedContext(ctx)
	defer stop()
	_, err = a.change(last, webhook.EndpointPaused, "its approval was cancelled", 0,
		webhook.EndpointHeld, webhook.EndpointActive)
	return err
}

// failure says for how long the endpoint has failed.
func (a *approval) failure() string {
	if a.report.FailingSince == nil { // started by hand
		return "somebody asked"
	}
	return fmt.Sprintf("it has been failing since %s, last with %s", stamp(*a.report.FailingSince), a.lastAnswer())
}

// lastAnswer names the latest answer of the endpoint.
func (a *approval) lastAnswer() string {
	if n := len(a.report.LastAnswers); n > 0 {
		return a.report.LastAnswers[n-1].String()
	}
	return "no answer"
}
