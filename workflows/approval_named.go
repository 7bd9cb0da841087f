package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"hookloop/internal/webhook"
)

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
