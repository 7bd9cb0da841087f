package workflows

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"hookloop/internal/webhook"
)

// While it asks, an approval holds its endpoint and waits for people to decide.

// reminderEvery is how often people are reminded of a question.
const reminderEvery = 24 * time.Hour

// ask holds the endpoint and tells people. An endpoint that was paused meanwhile is not asked
// about.
func (a *approval) ask(ctx workflow.Context) error {
	why := a.asking
	changed, err := a.change(ctx, webhook.EndpointHeld, why, 0, a.from(webhook.EndpointActive, webhook.EndpointHeld)...)
	if err != nil {
		return err
	}
	a.asking = ""
	if !changed.Changed {
		a.report.Status, a.report.Reason = webhook.ApprovalCancelled, "the endpoint is "+string(changed.State)
		return nil
	}
	now := workflow.Now(ctx).UTC()
	by := now.Add(a.facts.Timeout)
	a.report.Status, a.report.Reason = webhook.ApprovalAwaiting, why
	a.report.AskedAt, a.report.DecideBy = &now, &by
	a.inbox = a.inbox.instructions() // a decision may have come with the change
	a.reminded, a.counted, a.byHand = 0, 0, false
	if err := a.count(ctx); err != nil {
		return err
	}
	if err := a.announce(ctx, webhook.EventEndpointHeld); err != nil {
		return err
	}
	return a.holdAll(ctx)
}

// holdAll lets every delivery become held: one that is deferred for up to half an hour would not be
// there to be probed. So an approval waits for it, a minute for some ten thousand deliveries. What
// ends them all does not.
func (a *approval) holdAll(ctx workflow.Context) error {
	why := webhook.Instruction{Reason: "the endpoint is held"}
	err := a.recheckUnheldUntil(ctx, why, func() bool { return a.inbox.Reject != nil || a.inbox.End != nil })
	if temporal.IsCanceledError(err) && ctx.Err() == nil { // by what came in
		return nil
	}
	return err
}

// from adds the states that an endpoint may also be in when it was resumed by hand.
func (a *approval) from(states ...webhook.EndpointState) []webhook.EndpointState {
	if a.byHand {
		states = append(states, webhook.EndpointPaused, webhook.EndpointDisabled, webhook.EndpointActive)
	}
	slices.Sort(states)
	return slices.Compact(states)
}

// await waits for a decision, reminds people once a day and counts what waits.
func (a *approval) await(ctx workflow.Context) error {
	now := workflow.Now(ctx)
	decideBy, remindAt := *a.report.DecideBy, a.report.AskedAt.Add(time.Duration(a.reminded+1)*reminderEvery)
	next := slices.MinFunc([]time.Time{decideBy, remindAt, now.Add(a.recountIn(now))}, time.Time.Compare)
	what := "count again"
	switch {
	case next.Equal(decideBy):
		what = "reject, unless it is decided before"
	case next.Equal(remindAt):
		what = "remind"
	}
	over, err := a.wait(ctx, next.Sub(now), what, a.inbox.hasInstruction)
	switch {
	case err != nil:
		return err
	case a.inbox.End != nil: // for the next step
	case a.inbox.Reject != nil:
		return a.onceNamed(ctx, &a.inbox.Reject, func(d webhook.Decision) error { return a.reject(ctx, d) })
	case a.inbox.Approve != nil:
		return a.onceNamed(ctx, &a.inbox.Approve, func(d webhook.Decision) error {
			a.approve(ctx, webhook.DecidedApprove, d)
			return nil
		})
	case a.inbox.Resume != nil: // for the next step
	case over && next.Equal(decideBy):
		return a.reject(ctx, webhook.Decision{Reason: "no decision within " + a.facts.Timeout.String()})
	case over && next.Equal(remindAt):
		a.reminded++
		return a.announce(ctx, webhook.EventEndpointReminder)
	case over:
		return a.count(ctx)
	}
	return nil
}

// nameWanted is what a person reads whose decision does not say whose it is, where it must.
const nameWanted = "the endpoint's approval policy wants decisions with a name. Send {\"by\": \"your name\", \"reason\": \"…\"} with the signal, " +
	"or decide with 'hookloop approval' or the API: they know who asks"

// onceNamed acts on a decision from the inbox. Whether one without a name counts is read anew: the
// policy may have changed since people were asked.
func (a *approval) onceNamed(ctx workflow.Context, at **webhook.Decision, act func(webhook.Decision) error) error {
	d := *at
	if d.By != "" {
		return act(*d)
	}
	if err := a.readFacts(ctx); err != nil {
		return err
	}
	if !a.facts.Named {
		return act(*d)
	}
	if *at == d {
		*at = nil // another one may have come meanwhile
	}
	a.explain(ctx, fmt.Sprintf("A decision at %s was ignored: %s", stamp(workflow.Now(ctx)), nameWanted))
	if a.report.Status == webhook.ApprovalWatching && a.report.FailingSince == nil { // it began for this decision
		a.report.Status, a.report.Reason = webhook.ApprovalCancelled, "a resume did not say whose it was"
	}
	return nil
}

// approve lets the next step probe the endpoint.
func (a *approval) approve(ctx workflow.Context, decided webhook.Decided, d webhook.Decision) {
	a.decide(ctx, decided, d)
	a.report.Status, a.report.Reason = webhook.ApprovalProbing, string(decided)+byAndWhy(instruction(d))
	a.inbox, a.asking = approvalInbox{End: a.inbox.End}, ""
}

// resume is an approval without a question. It undoes a pause.
func (a *approval) resume(ctx workflow.Context) error {
	return a.onceNamed(ctx, &a.inbox.Resume, func(d webhook.Decision) error {
		a.inbox.End = nil
		a.approve(ctx, webhook.DecidedResume, d)
		a.byHand = true
		return nil
	})
}

func (a *approval) decide(ctx workflow.Context, decided webhook.Decided, d webhook.Decision) {
	now := workflow.Now(ctx).UTC()
	a.report.Decided, a.report.Decision, a.report.DecidedAt = decided, &d, &now
	a.ignored = ""
}

// reject disables the endpoint and ends its deliveries.
func (a *approval) reject(ctx workflow.Context, d webhook.Decision) error {
	a.decide(ctx, webhook.DecidedReject, d)
	a.inbox = approvalInbox{End: a.inbox.End}
	why := "rejected" + byAndWhy(instruction(d))
	changed, err := a.change(ctx, webhook.EndpointDisabled, why, 0, webhook.EndpointHeld)
	if err != nil {
		return err
	}
	a.report.Reason = why
	if !changed.Changed {
		a.report.Status, a.report.Reason = webhook.ApprovalCancelled, "the endpoint is "+string(changed.State)
		return nil
	}
	if err := a.recheckAll(ctx, instruction(d)); err != nil {
		return err
	}
	a.report.Waiting, a.report.CountedAt = nil, nil
	a.report.Status = webhook.ApprovalRejected
	return a.announce(ctx, webhook.EventEndpointRejected)
}

// end takes in that the endpoint was paused or deleted.
func (a *approval) end(ctx workflow.Context, e *webhook.End) error {
	a.asking = ""
	if e.Kind == webhook.EndDeleted {
		if err := a.recheckAll(ctx, e.Instruction); err != nil {
			return err
		}
	} else if _, err := a.change(ctx, webhook.EndpointPaused, string(e.Kind)+byAndWhy(e.Instruction), 0,
		webhook.EndpointHeld, webhook.EndpointActive); err != nil {
		return err
	}
	if a.inbox.End == e {
		a.inbox.End = nil
	}
	if !a.report.Status.Ended() {
		a.report.Status, a.report.Reason = webhook.ApprovalCancelled, "the endpoint was "+string(e.Kind)+byAndWhy(e.Instruction)
	}
	return nil
}
