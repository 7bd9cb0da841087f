package workflows

import (
	"strings"

	"go.temporal.io/sdk/workflow"

	"hookloop/activities"
	"hookloop/internal/webhook"
)

// mostProbes is how many different events are sent before an endpoint that refuses each of them has failed its probe. One
// event may be poisoned.
const mostProbes = 3

// probe sends the oldest delivery before all others, and asks again if the endpoint does not take it.
func (a *approval) probe(ctx workflow.Context) error {
	a.show(ctx)
	made, failed, err := a.probed(ctx)
	switch {
	case err != nil || a.said.End != nil:
		return err
	case failed:
		return a.ask(ctx, "the probe failed: "+list(made), a.from(webhook.EndpointHeld)...)
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
	a.report.Status = webhook.ApprovalReleasing
	a.said.Failing, a.said.RefusesSince = 0, nil
	if len(made) > 0 {
		a.report.Released++
	}
	a.show(ctx)
	return a.announce(ctx, EventReleased)
}

// probed sends deliveries, the oldest first, until one is not refused, and gives all answers. Nothing that waits is no
// failure, but nothing that waits any more and only refusals are.
func (a *approval) probed(ctx workflow.Context) (made []webhook.Answer, failed bool, err error) {
	for {
		p, err := a.probeOldest(ctx, made)
		if err != nil || a.said.End != nil || !p.Made {
			return made, len(made) > 0, err
		}
		a.answered(p.Answer)
		made = append(made, p.Answer)
		if class := p.Answer.Class(); class != webhook.Refuses || len(made) == mostProbes {
			return made, class != webhook.Took, nil
		}
		a.show(ctx)
	}
}

// list names answers, in their order.
func list(answers []webhook.Answer) string {
	all := make([]string, len(answers))
	for i, a := range answers {
		all[i] = a.String()
	}
	return strings.Join(all, ", ")
}
