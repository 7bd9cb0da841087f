package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"hookloop/internal/webhook"
)

// watch gives the endpoint its time to recover unasked, and keeps count of what waits.
func (a *approval) watch(ctx workflow.Context) error {
	if a.facts.State == "" {
		if err := a.begin(ctx); err != nil || a.said.End != nil {
			return err
		}
	}
	a.show(ctx)
	a.said.Failing = 0
	left, what := time.Duration(0), "ask, unless it recovers"
	if at := a.askAt(); at != nil {
		left = at.Sub(workflow.Now(ctx))
	}
	recount := a.recount(ctx) < left
	if recount {
		left, what = a.recount(ctx), "count again"
	}
	over, err := a.wait(ctx, left, what, func() bool {
		return a.said.Recovered != nil || a.said.Gone || a.said.Resume != nil || a.said.End != nil
	})
	switch {
	case err != nil:
		return err
	case a.said.End != nil:
		return nil
	case a.said.Resume != nil:
		a.resumed(ctx)
	case a.said.Gone:
		return a.ask(ctx, "it answered "+a.lastAnswer()+" and wants no more", webhook.EndpointActive)
	case a.said.Recovered != nil:
		return a.recovered(ctx, *a.said.Recovered)
	case over && recount:
		return a.count(ctx)
	case over:
		return a.ask(ctx, a.failure(), webhook.EndpointActive)
	}
	return nil
}

// askAt is when people are asked, if the endpoint takes nothing before; nil when it is not watched for that.
func (a *approval) askAt() *time.Time {
	if a.report.Status != webhook.ApprovalWatching || a.report.FailingSince == nil || a.facts.After == 0 {
		return nil
	}
	at := a.report.FailingSince.Add(a.facts.After)
	return &at
}

// recovered ends the episode once what was deferred is on its way. If the endpoint fails again meanwhile, that is
// a new failure; the reports of the old one, which came while it was watched, are past.
func (a *approval) recovered(ctx workflow.Context, by webhook.Answer) error {
	a.said.Failing, a.said.Recovered, a.said.RefusesSince, a.report.FailingSince = 0, nil, nil, nil
	why := "it took a delivery"
	if by.StatusCode != 0 {
		a.answered(by)
		why += ": " + by.String()
	}
	if err := a.recheck(ctx); err != nil || a.said.anything() {
		return err
	}
	a.report.Status, a.report.Reason = webhook.ApprovalRecovered, why
	return nil
}

// begin hears what the episode was started with, looks at the endpoint and counts what waits for it.
func (a *approval) begin(ctx workflow.Context) error {
	if err := workflow.Await(ctx, a.said.anything); err != nil || a.said.End != nil {
		return err
	}
	facts, err := a.look(ctx)
	if err != nil {
		return err
	}
	a.facts = facts
	if a.said.Resume != nil || a.said.Recovered != nil {
		return nil
	}
	return a.count(ctx)
}
