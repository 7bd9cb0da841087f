package workflows

import (
	"time"

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

// said is what an approval was told and has not acted on yet. A new run is given it.
type said struct {
	Failing      int               `json:"failing,omitempty"` // times
	Gone         bool              `json:"gone,omitempty"`
	RefusesSince *time.Time        `json:"refuses_since,omitempty"` // it takes nothing and refuses what it gets
	Recovered    *webhook.Answer   `json:"recovered,omitempty"`
	Approve      *webhook.Decision `json:"approve,omitempty"`
	Reject       *webhook.Decision `json:"reject,omitempty"`
	Resume       *webhook.Decision `json:"resume,omitempty"`
	End          *webhook.End      `json:"end,omitempty"`
}

func (s *said) anything() bool {
	return s.Failing > 0 || s.Gone || s.RefusesSince != nil || s.Recovered != nil || s.orders()
}

// orders says whether there is something that people said.
func (s *said) orders() bool { return s.decided() || s.Resume != nil || s.End != nil }

// withoutNews is what people said.
func (s *said) withoutNews() said {
	return said{Approve: s.Approve, Reject: s.Reject, Resume: s.Resume, End: s.End}
}

// last says whether there is something that even an ended approval must do.
func (s *said) last() bool { return s.Resume != nil || s.deleted() }

func (s *said) deleted() bool { return s.End != nil && s.End.Kind == webhook.EndDeleted }

// unpaused says whether somebody paused the endpoint and resumed it since: a pause drops an earlier resume.
func (s *said) unpaused() bool { return s.Resume != nil && s.End != nil && !s.deleted() }

func (s *said) decided() bool { return s.Approve != nil || s.Reject != nil }

// handle answers queries, updates and signals, from before anything blocks until the end.
func (a *approval) handle(ctx workflow.Context) error {
	if err := workflow.SetQueryHandler(ctx, QueryReport, a.answer); err != nil {
		return err
	}
	approve := func(d webhook.Decision) { a.said.Approve = &d }
	reject := func(d webhook.Decision) { a.said.Reject = &d }
	listen(ctx, a, SignalFailing, internal, func(f webhook.Failing) error { a.failing(f); return nil })
	listen(ctx, a, SignalRecovered, internal, func(by webhook.Answer) error { a.said.Recovered = &by; return nil })
	listen(ctx, a, SignalResume, internal, a.resume)
	listen(ctx, a, SignalEnd, internal, func(e webhook.End) error { a.said.End, a.said.Resume = &e, nil; return nil })
	listen(ctx, a, SignalApprove, aboutApprove, func(d webhook.Decision) error { return a.decide(d, approve) })
	listen(ctx, a, SignalReject, aboutReject, func(d webhook.Decision) error { return a.decide(d, reject) })
	if err := a.takes(ctx, UpdateApprove, aboutApprove, approve); err != nil {
		return err
	}
	return a.takes(ctx, UpdateReject, aboutReject, reject)
}

func (a *approval) answer() (webhook.ApprovalReport, error) {
	r := a.report
	r.AskAt = a.askAt()
	return r, nil
}

// failing takes in that the endpoint fails, still or again, or refuses what it gets and takes nothing.
func (a *approval) failing(f webhook.Failing) {
	since := f.Answer.At.UTC()
	a.said.RefusesSince = f.RefusesSince
	if f.RefusesSince != nil {
		since = f.RefusesSince.UTC()
	} else {
		a.said.Failing++
		a.said.Recovered = nil
		a.said.Gone = a.said.Gone || f.Gone
	}
	if a.report.FailingSince == nil {
		a.report.FailingSince = &since
	}
	a.answered(f.Answer)
}

func (a *approval) resume(d webhook.Decision) error {
	if err := d.Check(); err != nil {
		return err
	}
	a.said.Resume = &d
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

// takes is an update: refused, it leaves no trace in the history, and its sender is told why. While the endpoint is about
// to be held it waits for that.
func (a *approval) takes(ctx workflow.Context, update, about string, do func(webhook.Decision)) error {
	return workflow.SetUpdateHandlerWithOptions(ctx, update,
		func(ctx workflow.Context, raw converter.RawValue) (r webhook.ApprovalReport, err error) {
			var d webhook.Decision
			if err := decode(raw, decisionForms, &d); err != nil {
				return r, refusal(err.Error())
			}
			_ = workflow.Await(ctx, func() bool { return a.asking == "" || a.anew })
			if err := a.decide(d, do); err != nil {
				return r, err
			}
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
	case a.asking != "": // the registry may have it held already
		return nil
	case a.report.Status == webhook.ApprovalWatching:
		return refusal("the endpoint is not held: it may still recover by itself. To stop deliveries now, pause it")
	case a.report.Status != webhook.ApprovalAwaiting:
		return refusal("the approval is " + string(a.report.Status) + last)
	}
	return nil
}

func refusal(why string) error { return temporal.NewApplicationError(why, TypeRefused) }
