package workflows

import (
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"hookloop/internal/webhook"
)

// What the Temporal UI says beside the names of signals and updates.
const (
	aboutApprove = "probe the endpoint, then release what is held"
	aboutReject  = "disable the endpoint and end what is held"
	internal     = "Hookloop's own: not for people"
)

// decisionForms is what the input of a signal may be, for a person.
const decisionForms = `its input may be empty, or {"by": "…", "reason": "…", "rate_per_second": 10}`

// keptAnswers is how many of an endpoint's last answers people are shown.
const keptAnswers = 5

// said is what an approval was told and has not acted on yet.
type said struct {
	failing   int // times
	gone      bool
	recovered bool
	approve   *webhook.Decision
	reject    *webhook.Decision
	resume    *webhook.Decision
	end       *webhook.End
}

func (s *said) anything() bool {
	return s.failing > 0 || s.gone || s.recovered || s.decided() || s.resume != nil || s.end != nil
}

// orders says whether there is something that must not be lost. News comes again.
func (s *said) orders() bool { return s.decided() || s.resume != nil || s.end != nil }

// last says whether there is something that even an ended approval must do.
func (s *said) last() bool { return s.resume != nil || s.deleted() }

func (s *said) deleted() bool { return s.end != nil && s.end.Kind == webhook.EndDeleted }

// unpaused says whether somebody paused the endpoint and resumed it since: a pause drops an earlier resume.
func (s *said) unpaused() bool { return s.resume != nil && s.end != nil && !s.deleted() }

func (s *said) decided() bool { return s.approve != nil || s.reject != nil }

// handle answers queries, updates and signals, from before anything blocks until the end.
func (a *approval) handle(ctx workflow.Context) error {
	if err := workflow.SetQueryHandler(ctx, QueryReport, a.answer); err != nil {
		return err
	}
	approve := func(d webhook.Decision) { a.said.approve = &d }
	reject := func(d webhook.Decision) { a.said.reject = &d }
	listen(ctx, a, SignalFailing, internal, func(f webhook.Failing) error { a.failing(f); return nil })
	listen(ctx, a, SignalRecovered, internal, func(any) error { a.said.recovered = true; return nil })
	listen(ctx, a, SignalResume, internal, a.resume)
	listen(ctx, a, SignalEnd, internal, func(e webhook.End) error { a.said.end, a.said.resume = &e, nil; return nil })
	listen(ctx, a, SignalApprove, aboutApprove, func(d webhook.Decision) error { return a.decide(d, approve) })
	listen(ctx, a, SignalReject, aboutReject, func(d webhook.Decision) error { return a.decide(d, reject) })
	if err := a.takes(ctx, UpdateApprove, aboutApprove, approve); err != nil {
		return err
	}
	return a.takes(ctx, UpdateReject, aboutReject, reject)
}

func (a *approval) answer() (webhook.ApprovalReport, error) { return a.report, nil }

// failing takes in that the endpoint fails, still or again.
func (a *approval) failing(f webhook.Failing) {
	a.said.failing++
	a.said.recovered = false
	a.said.gone = a.said.gone || f.Gone
	if a.report.FailingSince == nil {
		at := f.Answer.At.UTC()
		a.report.FailingSince = &at
	}
	a.answered(f.Answer)
}

func (a *approval) resume(d webhook.Decision) error {
	if err := d.Check(); err != nil {
		return err
	}
	a.said.resume = &d
	return nil
}

func (a *approval) answered(by webhook.Answer) {
	a.report.LastAnswers = append(a.report.LastAnswers, by)
	if n := len(a.report.LastAnswers) - keptAnswers; n > 0 {
		a.report.LastAnswers = a.report.LastAnswers[n:]
	}
}

// listen takes a signal as often as it comes; see hear.
func listen[T any](ctx workflow.Context, a *approval, signal, about string, do func(T) error) {
	ignored := func(ctx workflow.Context, why string) {
		a.ignored = why
		a.show(ctx)
	}
	hear(ctx, signal, about, decisionForms, ignored, do)
}

// decide takes a decision when there is one to take.
func (a *approval) decide(d webhook.Decision, do func(webhook.Decision)) error {
	if err := a.mayDecide(d); err != nil {
		return err
	}
	do(d)
	return nil
}

// takes is an update: refused, it leaves no trace in the history, and its sender is told why.
func (a *approval) takes(ctx workflow.Context, update, about string, do func(webhook.Decision)) error {
	return workflow.SetUpdateHandlerWithOptions(ctx, update,
		func(_ workflow.Context, raw converter.RawValue) (r webhook.ApprovalReport, err error) {
			var d webhook.Decision
			if err := decode(raw, decisionForms, &d); err != nil {
				return r, refusal(err.Error())
			}
			do(d)
			return a.report, nil
		},
		workflow.UpdateHandlerOptions{Description: about, Validator: func(raw converter.RawValue) error {
			var d webhook.Decision
			if err := decode(raw, decisionForms, &d); err != nil {
				return refusal(err.Error())
			}
			return a.mayDecide(d)
		}})
}

// mayDecide says why there is nothing to decide, for the person who tried.
func (a *approval) mayDecide(d webhook.Decision) error {
	if err := d.Check(); err != nil {
		return refusal(err.Error())
	}
	last := ""
	if a.report.Decision != nil {
		last = "; it was " + string(a.report.Decided) + words(webhook.Verb{By: a.report.Decision.By, Reason: a.report.Decision.Reason})
	}
	switch {
	case a.report.Decided == webhook.DecidedReject && a.report.Status == webhook.ApprovalAwaiting:
		return refusal("it is being rejected" + last)
	case a.said.decided():
		return refusal("somebody has just decided" + last)
	case a.report.Status == webhook.ApprovalWatching:
		return refusal("the endpoint is not held: it may still recover by itself. To stop deliveries now, pause it")
	case a.report.Status != webhook.ApprovalAwaiting:
		return refusal("the approval is " + string(a.report.Status) + last)
	}
	return nil
}

func refusal(why string) error { return temporal.NewApplicationError(why, TypeRefused) }
