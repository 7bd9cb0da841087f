package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"hookloop/activities"
	"hookloop/internal/webhook"
)

// ask holds the endpoint and tells people. from is which states it may be in: one that somebody has
// paused meanwhile is not asked about.
func (a *approval) ask(ctx workflow.Context, why string, from ...webhook.EndpointState) error {
	a.asking = why
	changed, err := a.change(ctx, webhook.EndpointHeld, why, 0, append(from, webhook.EndpointHeld)...)
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
	a.said = a.said.withoutNews() // a decision may have come with the change
	a.reminded, a.counted, a.byHand = 0, 0, false
	a.show(ctx)
	if err := a.nudge(ctx, webhook.Verb{Reason: "the endpoint is held"}, false); err != nil {
		return err // else those deferred for up to half an hour would go without a probe, and at their pace
	}
	if err := a.count(ctx); err != nil {
		return err
	}
	return a.announce(ctx, EventHeld)
}

// from is which states the endpoint may be in, beside those given, when it was resumed by hand.
func (a *approval) from(states ...webhook.EndpointState) []webhook.EndpointState {
	if a.byHand {
		states = append(states, webhook.EndpointPaused, webhook.EndpointDisabled, webhook.EndpointActive)
	}
	return states
}

// await waits for a decision, reminds people once a day and keeps count of what waits.
func (a *approval) await(ctx workflow.Context) error {
	now := workflow.Now(ctx)
	remind := a.report.AskedAt.Add(time.Duration(a.reminded+1) * reminderEvery)
	recount := now.Add(a.recount(ctx))
	next := earliest(*a.report.DecideBy, remind, recount)
	what := "count again"
	switch {
	case next.Equal(*a.report.DecideBy):
		what = "reject, if nobody decides"
	case next.Equal(remind):
		what = "remind"
	}
	over, err := a.wait(ctx, next.Sub(now), what, func() bool {
		return a.said.decided() || a.said.Resume != nil || a.said.End != nil
	})
	switch {
	case err != nil:
		return err
	case a.said.End != nil:
		return nil
	case a.said.Reject != nil:
		return a.reject(ctx, *a.said.Reject)
	case a.said.Approve != nil:
		a.approved(ctx, webhook.DecidedApprove, *a.said.Approve)
	case a.said.Resume != nil:
		a.resumed(ctx)
	case over && next.Equal(*a.report.DecideBy):
		return a.reject(ctx, webhook.Decision{Reason: "nobody decided within " + a.facts.Timeout.String()})
	case over && next.Equal(remind):
		a.reminded++
		return a.announce(ctx, EventReminder)
	case over:
		return a.count(ctx)
	}
	return nil
}

func (a *approval) approved(ctx workflow.Context, as webhook.Decided, d webhook.Decision) {
	a.decision(ctx, as, d)
	a.report.Status, a.report.Reason = webhook.ApprovalProbing, string(as)+words(webhook.Verb{By: d.By, Reason: d.Reason})
	a.said, a.askAgain = said{End: a.said.End}, ""
}

// resumed is an approval that nobody was asked for. It undoes a pause.
func (a *approval) resumed(ctx workflow.Context) {
	a.said.End = nil
	a.approved(ctx, webhook.DecidedResume, *a.said.Resume)
	a.byHand = true
}

func (a *approval) decision(ctx workflow.Context, as webhook.Decided, d webhook.Decision) {
	a.report.Decided, a.report.Decision, a.report.DecidedAt = as, &d, at(ctx)
	a.ignored = ""
}

func (a *approval) rate() float64 {
	if a.report.Decision == nil {
		return webhook.DefaultReleaseRate
	}
	return a.report.Decision.Rate()
}

// release lets one batch go; the last one finds nothing left. An endpoint that fails again is held
// again, with what is left.
func (a *approval) release(ctx workflow.Context) error {
	if a.said.Failing > 0 {
		return a.ask(ctx, "it failed again during its release, with "+a.lastAnswer(), webhook.EndpointActive)
	}
	if since := a.said.RefusesSince; since != nil && workflow.Now(ctx).Sub(*since) >= a.facts.After {
		return a.ask(ctx, a.refusal(*since)+", during its release", webhook.EndpointActive)
	}
	r, err := a.releaseBatch(ctx)
	if err == nil || r != (activities.ReleaseResult{}) { // else nothing was counted
		a.report.Released, a.report.Waiting, a.report.CountedAt = a.report.Released+r.Released, &r.Waiting, at(ctx)
	}
	if temporal.IsCanceledError(err) && ctx.Err() == nil { // by what was said
		return nil
	}
	if r.Stopped != "" {
		return a.stopped(ctx, r.Stopped)
	}
	if err != nil || !r.Done {
		return err
	}
	changed, err := a.change(ctx, webhook.EndpointActive, "", 0, webhook.EndpointActive)
	if err != nil || !changed.Changed {
		return err // somebody paused it: his word is on its way
	}
	if err := a.announce(ctx, EventRecovered); err != nil {
		return err
	}
	a.report.Status, a.report.Reason = webhook.ApprovalReleased, fmt.Sprintf("%s; %d released", a.report.Reason, a.report.Released)
	return nil
}

// stopped ends a release whose endpoint somebody has stopped. His word is on its way, but may get lost.
func (a *approval) stopped(ctx workflow.Context, state webhook.EndpointState) error {
	_, err := a.wait(ctx, wordWait, "hear who did it", func() bool { return a.said.End != nil || a.said.Resume != nil })
	if err == nil && a.said.End == nil {
		a.report.Status, a.report.Reason = webhook.ApprovalCancelled, "the endpoint is "+string(state)
	}
	return err
}

// reject disables the endpoint and ends its deliveries.
func (a *approval) reject(ctx workflow.Context, d webhook.Decision) error {
	a.decision(ctx, webhook.DecidedReject, d)
	a.said = said{End: a.said.End}
	why := webhook.Verb{By: d.By, Reason: d.Reason}
	changed, err := a.change(ctx, webhook.EndpointDisabled, "rejected"+words(why), 0, webhook.EndpointHeld)
	if err != nil {
		return err
	}
	a.report.Reason = "rejected" + words(why)
	if !changed.Changed {
		a.report.Status, a.report.Reason = webhook.ApprovalCancelled, "the endpoint is "+string(changed.State)
		return nil
	}
	if err := a.nudge(ctx, why, true); err != nil {
		return err
	}
	a.report.Waiting, a.report.CountedAt = nil, nil
	a.report.Status = webhook.ApprovalRejected
	return a.announce(ctx, EventRejected)
}

// end is what happens when somebody paused or deleted the endpoint.
func (a *approval) end(ctx workflow.Context, e *webhook.End) error {
	why := "the endpoint was " + string(e.Kind) + words(e.Verb)
	if e.Kind == webhook.EndDeleted {
		if err := a.nudge(ctx, e.Verb, true); err != nil {
			return err
		}
	} else if _, err := a.change(ctx, webhook.EndpointPaused, string(e.Kind)+words(e.Verb), 0,
		webhook.EndpointHeld, webhook.EndpointActive); err != nil {
		return err
	}
	if a.said.End == e {
		a.said.End = nil
	}
	if !a.report.Status.Ended() {
		a.report.Status, a.report.Reason = webhook.ApprovalCancelled, why
	}
	return nil
}
