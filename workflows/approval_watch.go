package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"hookloop/internal/webhook"
)

// While it watches, an approval gives its endpoint time to recover, and people are not asked yet.

// begin receives what the episode was started with, reads the endpoint and counts what waits for
// it.
func (a *approval) begin(ctx workflow.Context) error {
	if err := workflow.Await(ctx, func() bool { return !a.inbox.empty() }); err != nil || a.inbox.End != nil {
		return err
	}
	if err := a.readFacts(ctx); err != nil {
		return err
	}
	if a.inbox.Resume != nil || a.inbox.Recovered != nil {
		return nil
	}
	return a.count(ctx)
}

// watch waits until the endpoint recovers or people must be asked, and counts what waits meanwhile.
func (a *approval) watch(ctx workflow.Context) error {
	a.inbox.Failing = 0
	left, what := time.Duration(0), "ask, unless it recovers"
	if at := a.askAt(); at != nil {
		left = at.Sub(workflow.Now(ctx))
	}
	recountIn := a.recountIn(workflow.Now(ctx))
	recount := recountIn < left
	if recount {
		left, what = recountIn, "count again"
	}
	over, err := a.wait(ctx, left, what, func() bool {
		return a.inbox.Recovered != nil || a.inbox.Gone || a.inbox.Resume != nil || a.inbox.End != nil
	})
	switch {
	case err != nil:
		return err
	case a.inbox.End != nil || a.inbox.Resume != nil: // for the next step
	case a.inbox.Gone:
		a.asking = "it answered " + a.lastAnswer() + " and wants no more"
	case a.inbox.Recovered != nil:
		return a.recovered(ctx, *a.inbox.Recovered)
	case over && recount:
		return a.count(ctx)
	case over:
		a.asking = a.failure()
	}
	return nil
}

// askAt is when people are asked, unless the endpoint takes a delivery before; nil while it is not
// watched for that.
func (a *approval) askAt() *time.Time {
	if a.report.Status != webhook.ApprovalWatching || a.report.FailingSince == nil || a.facts.After == 0 {
		return nil
	}
	at := a.report.FailingSince.Add(a.facts.After)
	return &at
}

// recovered ends the episode once what was deferred is on its way. An endpoint that fails again
// meanwhile begins a new failure; reports of the old one, which came before, are past.
func (a *approval) recovered(ctx workflow.Context, by webhook.Answer) error {
	a.inbox.Failing, a.inbox.Recovered, a.inbox.RefusesSince, a.report.FailingSince = 0, nil, nil, nil
	why := "it took a delivery"
	if by.StatusCode != 0 {
		a.keepAnswer(by)
		why += ": " + by.String()
	}
	if err := a.recheckDeferred(ctx); err != nil || !a.inbox.empty() {
		return err
	}
	a.report.Status, a.report.Reason = webhook.ApprovalRecovered, why
	return nil
}

// recheckDeferred brings what was deferred on its way, as long as nothing else comes in meanwhile.
func (a *approval) recheckDeferred(ctx workflow.Context) error {
	err := a.executeUntil(ctx, releaseOptions(a.in.Tenant, "bring what was deferred on its way"),
		func() bool { return a.inbox.Failing > 0 || a.inbox.Gone || a.inbox.hasInstruction() },
		approvalActivities.RecheckDeferred, a.endpoint(), nil)
	if temporal.IsCanceledError(err) && ctx.Err() == nil { // by what came in
		return nil
	}
	return err
}

// failure says for how long the endpoint has failed.
func (a *approval) failure() string {
	switch since := a.report.FailingSince; {
	case since == nil: // started by hand
		return "it was asked for by hand"
	case a.inbox.RefusesSince != nil:
		return a.refusing(*since)
	default:
		return fmt.Sprintf("it has been failing since %s, last with %s", stamp(*since), a.lastAnswer())
	}
}

func (a *approval) refusing(since time.Time) string {
	return fmt.Sprintf("it has taken nothing since %s and refuses one event after the other, last with %s", stamp(since), a.lastAnswer())
}

// lastAnswer names the latest answer of the endpoint.
func (a *approval) lastAnswer() string {
	if n := len(a.report.LastAnswers); n > 0 {
		return a.report.LastAnswers[n-1].String()
	}
	return "no answer"
}
