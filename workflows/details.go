package workflows

import (
	"errors"
	"fmt"
	"strings"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"hookloop/activities"
	"hookloop/internal/webhook"
)

// What people read in the Temporal UI: summaries of one line, current details in Markdown. None
// of it enters a history but the summaries of timers and activities.

// maxLines bounds the current details; an event to a thousand endpoints is read in its report.
const maxLines = 2 * FastLane

func (e *event) details() string {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s** `%s`\n\n", e.report.Status, e.in.Event.Type)
	b.WriteString(originLines(e.in))
	for i, d := range e.report.Deliveries {
		if i == maxLines {
			fmt.Fprintf(&b, "- … and %d more\n", len(e.report.Deliveries)-i)
			break
		}
		fmt.Fprintf(&b, "- `%s` **%s**", d.EndpointID, d.Status)
		for _, a := range d.Attempts {
			b.WriteString(", " + attemptLine(a))
		}
		if d.WorkflowID != "" {
			fmt.Fprintf(&b, ", see `%s`", d.WorkflowID)
		}
		if d.NextAttemptAt != nil {
			b.WriteString(", next at " + stamp(*d.NextAttemptAt))
		}
		b.WriteString(because(prose(d.Reason)) + "\n")
	}
	return b.String()
}

// originLines say where an event came from that no app posted, and which endpoints it is kept from
// for that.
func originLines(in EventInput) string {
	var b strings.Builder
	if o := in.Event.Origin; o != nil {
		fmt.Fprintf(&b, "- from %s, source `%s`, their key `%s`\n", o.Provider, o.SourceID, code(o.Key))
		if o.IsEcho() {
			fmt.Fprintf(&b, "- an echo of `%s`, which had brought %s this value: it goes to no endpoint\n", o.EchoOf, o.Application)
		}
	}
	if o := in.Event.Origin; o != nil && o.Repeats != "" {
		fmt.Fprintf(&b, "- brings `%s` once more to an application that an older delivery has reached after it\n", o.Repeats)
	}
	for _, id := range in.Withheld {
		fmt.Fprintf(&b, "- `%s` does not get it: it belongs to %s, where this comes from\n", id, in.Event.Origin.Application)
	}
	return b.String()
}

// show brings the UI up to date: the details each time, the Outcome only when it changed, for that
// one is recorded.
func (d *delivery) show(ctx workflow.Context) {
	workflow.SetCurrentDetails(ctx, d.details())
	now := outcome(d.report.Status, d.in.Parked)
	if d.outcome == now {
		return
	}
	d.outcome = now
	err := workflow.UpsertTypedSearchAttributes(ctx, Outcome.ValueSet(d.outcome))
	if err != nil { // an empty update is the only cause
		workflow.GetLogger(ctx).Error("outcome not shown", "error", err)
	}
}

func (d *delivery) details() string {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s** `%s` → `%s`%s\n\n", d.report.Status, d.in.Event.Type, d.in.EndpointID, because(prose(d.report.Reason)))
	for _, a := range d.report.Attempts {
		fmt.Fprintf(&b, "- %s\n", attemptLine(a))
	}
	switch at := d.report.NextAttemptAt; {
	case d.in.Parked != "" && !d.report.Status.Ended():
		fmt.Fprintf(&b, "- you decide: *Send Signal* `%s` sends it, `%s` ends it; without a decision it ends at %s\n",
			SignalRetryNow, SignalCancel, stamp(d.parkedUntil))
	case at == nil:
	case d.report.Status == webhook.Held:
		fmt.Fprintf(&b, "- a person decides, see `%s`; it rechecks its endpoint at %s\n",
			ApprovalWorkflowID(d.in.Event.Tenant, d.in.EndpointID), stamp(*at))
	default:
		fmt.Fprintf(&b, "- next: %s at %s\n", d.turnSummary(), stamp(*at))
	}
	if d.ignored != "" {
		fmt.Fprintf(&b, "\n%s\n", d.ignored)
	}
	return b.String()
}

func attemptLine(a webhook.Attempt) string {
	answer := prose(a.Error)
	if a.StatusCode != 0 {
		answer = fmt.Sprintf("HTTP %d", a.StatusCode) + because(answer)
	}
	return fmt.Sprintf("attempt %d at %s: %s in %d ms", a.Number, stamp(a.At), answer, a.DurationMS)
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + reason + ")"
}

// turnSummary names a turn: "attempt 3 of 10".
func (d *delivery) turnSummary() string {
	n := d.nextNumber()
	if len(d.in.Schedule) == 0 { // not known before the first turn
		return fmt.Sprintf("attempt %d", n)
	}
	return fmt.Sprintf("attempt %d of %d", n, len(d.in.Schedule))
}

func (d *delivery) waitSummary() string {
	if d.in.Parked != "" {
		return "wait for a person" + because(d.report.Reason)
	}
	if d.report.Status == webhook.Held {
		return "recheck the endpoint" + because(d.report.Reason)
	}
	return "wait for " + d.turnSummary() + because(d.report.Reason)
}

// isGone says whether an activity found that there is nothing left to send, or to send to.
func isGone(err error) bool {
	gone, ok := errors.AsType[*temporal.ApplicationError](err)
	return ok && (gone.Type() == activities.TypeEndpointGone || gone.Type() == activities.TypeEventGone)
}

// reasonOf is the sentence of an error that a person should read, without Temporal's frame.
func reasonOf(err error) string {
	if temporal.IsCanceledError(err) {
		return "cancelled"
	}
	if _, ok := errors.AsType[*temporal.TerminatedError](err); ok {
		return "its workflow was terminated"
	}
	if app, ok := errors.AsType[*temporal.ApplicationError](err); ok {
		return app.Message()
	}
	return err.Error()
}
