package workflows

import (
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"hookloop/activities"
	"hookloop/internal/webhook"
)

// Once it is decided, an approval probes its endpoint with one delivery and releases the others, in
// batches.

// mostProbes is how many different events are sent before an endpoint that refuses each of them has
// failed its probe. One event may be poisoned.
const mostProbes = 3

// probe sends the oldest delivery before all others. An endpoint that does not take it is asked
// about again.
func (a *approval) probe(ctx workflow.Context) error {
	answers, failed, err := a.sendProbes(ctx)
	switch {
	case err != nil || a.inbox.End != nil:
		return err
	case failed:
		a.asking = "the probe failed: " + list(answers)
		return nil
	}
	waiting := 0
	if a.report.Waiting != nil {
		waiting = *a.report.Waiting
	}
	changed, err := a.change(ctx, webhook.EndpointActive, "", activities.ReleaseTime(waiting, a.rate()), a.from(webhook.EndpointHeld)...)
	if err != nil {
		return err
	}
	if !changed.Changed {
		a.report.Status, a.report.Reason = webhook.ApprovalCancelled, "the endpoint is "+string(changed.State)
		return nil
	}
	a.report.Status, a.byHand = webhook.ApprovalReleasing, false
	a.inbox.Failing, a.inbox.RefusesSince = 0, nil
	if len(answers) > 0 {
		a.report.Released++
	}
	return a.announce(ctx, webhook.EventEndpointReleased)
}

// sendProbes sends deliveries, the oldest first, until one is not refused, and gives all answers.
// The probe has not failed if nothing waits. It has if everything that waits was refused.
func (a *approval) sendProbes(ctx workflow.Context) (answers []webhook.Answer, failed bool, err error) {
	for {
		p, err := a.probeOldest(ctx, answers)
		if err != nil || a.inbox.End != nil || !p.Made {
			return answers, len(answers) > 0, err
		}
		a.keepAnswer(p.Answer)
		answers = append(answers, p.Answer)
		if class := p.Answer.Class(); class != webhook.Refuses || len(answers) == mostProbes {
			return answers, class != webhook.Took, nil
		}
	}
}

// probeOldest sends the oldest delivery that is none of those that were refused.
func (a *approval) probeOldest(ctx workflow.Context, refused []webhook.Answer) (p webhook.Probe, err error) {
	a.probes++
	order := activities.ProbeOrder{EndpointRef: a.endpoint(), Key: fmt.Sprintf("%s/%d", workflow.GetInfo(ctx).FirstRunID, a.probes)}
	for _, r := range refused {
		order.After = append(order.After, r.EventID)
	}
	err = a.execute(ctx, probeOptions(a.in.Tenant, len(refused)+1), approvalActivities.ProbeOldest, order, &p)
	return p, err
}

// list names answers, in their order.
func list(answers []webhook.Answer) string {
	all := make([]string, len(answers))
	for i, a := range answers {
		all[i] = a.String()
	}
	return strings.Join(all, ", ")
}

// rate is the pace of the release, in deliveries a second.
func (a *approval) rate() float64 {
	if a.report.Decision == nil {
		return webhook.DefaultReleaseRate
	}
	return a.report.Decision.Rate()
}

// release releases one batch; the last one finds nothing left. An endpoint that fails again is held
// again, with what is left.
func (a *approval) release(ctx workflow.Context) error {
	if why := a.failsAgain(workflow.Now(ctx)); why != "" {
		a.asking = why
		return nil
	}
	r, err := a.releaseBatch(ctx)
	if err == nil || r != (activities.ReleaseResult{}) { // else nothing was counted
		now := workflow.Now(ctx).UTC()
		a.report.Released, a.report.Waiting, a.report.CountedAt = a.report.Released+r.Released, &r.Waiting, &now
	}
	switch {
	case temporal.IsCanceledError(err) && ctx.Err() == nil: // by what came in
		return nil
	case r.Stopped != "":
		return a.stopped(ctx, r.Stopped)
	case err != nil || !r.Done:
		return err
	}
	changed, err := a.change(ctx, webhook.EndpointActive, "", 0, webhook.EndpointActive)
	if err != nil || !changed.Changed {
		return err // it was paused, and the signal that says so is on its way
	}
	if err := a.announce(ctx, webhook.EventEndpointRecovered); err != nil {
		return err
	}
	a.report.Status, a.report.Reason = webhook.ApprovalReleased, fmt.Sprintf("%s; %d released", a.report.Reason, a.report.Released)
	return nil
}

// failsAgain says why the release must stop; empty: it need not.
func (a *approval) failsAgain(now time.Time) string {
	if a.inbox.Failing > 0 {
		return "it failed again during its release, with " + a.lastAnswer()
	}
	if since := a.inbox.RefusesSince; since != nil && now.Sub(*since) >= a.facts.After {
		return a.refusing(*since) + ", during its release"
	}
	return ""
}

// releaseBatch releases for half a minute or so, and ends earlier when the endpoint fails or is
// paused or deleted. Also then it answers what it did.
func (a *approval) releaseBatch(ctx workflow.Context) (r activities.ReleaseResult, err error) {
	batch := activities.Release{
		EndpointRef: a.endpoint(), RatePerSecond: a.rate(),
		Limit: min(max(int(a.rate()*releaseBatch.Seconds()), 1), maxBatch),
	}
	err = a.executeUntil(ctx, releaseOptions(a.in.Tenant, fmt.Sprintf("release %d at most", batch.Limit)),
		func() bool { return a.inbox.Failing > 0 || a.inbox.End != nil },
		approvalActivities.ReleaseHeld, batch, &r)
	if cancelled, ok := asCancelled(err); ok && cancelled.HasDetails() {
		_ = cancelled.Details(&r) // without them the figures stay as they were
	}
	return r, err
}

// stopped ends a release whose endpoint was paused, disabled or held. The signal that says by whom
// is on its way, but may get lost.
func (a *approval) stopped(ctx workflow.Context, state webhook.EndpointState) error {
	_, err := a.wait(ctx, stoppedWait, "learn who stopped it", func() bool { return a.inbox.End != nil || a.inbox.Resume != nil })
	if err == nil && a.inbox.End == nil {
		a.report.Status, a.report.Reason = webhook.ApprovalCancelled, "the endpoint is "+string(state)
	}
	return err
}
