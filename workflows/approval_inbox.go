package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"hookloop/internal/webhook"
)

// What the Temporal UI says beside the names of an approval's signals and updates.
const (
	aboutApprove = "probe the endpoint, then release what is held"
	aboutReject  = "disable the endpoint and end what is held"
)

// keptAnswers is how many of an endpoint's last answers people are shown.
const keptAnswers = 5

// approvalInbox is what an approval received and has not acted on yet. A new run is given it.
type approvalInbox struct {
	Failing      int               `json:"failing,omitempty"` // times
	Gone         bool              `json:"gone,omitempty"`
	RefusesSince *time.Time        `json:"refuses_since,omitempty"` // it takes nothing and refuses what it gets
	Recovered    *webhook.Answer   `json:"recovered,omitempty"`
	Approve      *webhook.Decision `json:"approve,omitempty"`
	Reject       *webhook.Decision `json:"reject,omitempty"`
	Resume       *webhook.Decision `json:"resume,omitempty"`
	End          *webhook.End      `json:"end,omitempty"`
}

func (i *approvalInbox) empty() bool { return *i == approvalInbox{} }

func (i *approvalInbox) hasDecision() bool { return i.Approve != nil || i.Reject != nil }

// hasInstruction says whether there is anything from people, and not only from workers.
func (i *approvalInbox) hasInstruction() bool {
	return i.hasDecision() || i.Resume != nil || i.End != nil
}

// instructions are what came from people.
func (i *approvalInbox) instructions() approvalInbox {
	return approvalInbox{Approve: i.Approve, Reject: i.Reject, Resume: i.Resume, End: i.End}
}

// mustOutliveEnd says whether there is anything that even an ended approval must do.
func (i *approvalInbox) mustOutliveEnd() bool { return i.Resume != nil || i.deleted() }

func (i *approvalInbox) deleted() bool { return i.End != nil && i.End.Kind == webhook.EndDeleted }

// handle answers queries, updates and signals, from before anything blocks until the end.
func (a *approval) handle(ctx workflow.Context) error {
	if err := workflow.SetQueryHandler(ctx, QueryReport, a.answer); err != nil {
		return err
	}
	approve := func(d webhook.Decision) { a.inbox.Approve = &d }
	reject := func(d webhook.Decision) { a.inbox.Reject = &d }
	onSignal(ctx, a, SignalFailing, internal, a.onFailing)
	onSignal(ctx, a, SignalRecovered, internal, func(by webhook.Answer) error { a.inbox.Recovered = &by; return nil })
	onSignal(ctx, a, SignalResume, internal, a.onResume)
	onSignal(ctx, a, SignalEnd, internal, a.onEnd)
	onSignal(ctx, a, SignalApprove, aboutApprove, func(d webhook.Decision) error { return a.takeDecision(d, approve) })
	onSignal(ctx, a, SignalReject, aboutReject, func(d webhook.Decision) error { return a.takeDecision(d, reject) })
	if err := onUpdate(ctx, a, UpdateApprove, aboutApprove, a.mayDecide, a.onceAsked(approve)); err != nil {
		return err
	}
	return onUpdate(ctx, a, UpdateReject, aboutReject, a.mayDecide, a.onceAsked(reject))
}

func (a *approval) inputForms() string {
	return `its input may be empty, or {"by": "…", "reason": "…", "rate_per_second": 10}`
}

func (a *approval) explain(ctx workflow.Context, why string) {
	a.ignored = why
	workflow.SetCurrentDetails(ctx, a.details())
}

func (a *approval) answer() (webhook.ApprovalReport, error) {
	r := a.report
	r.AskAt = a.askAt()
	return r, nil
}

// onFailing takes in that the endpoint fails, still or again, or takes nothing and refuses what it
// gets.
func (a *approval) onFailing(f webhook.Failing) error {
	since := f.Answer.At.UTC()
	a.inbox.RefusesSince = f.RefusesSince
	if f.RefusesSince != nil {
		since = f.RefusesSince.UTC()
	} else {
		a.inbox.Failing++
		a.inbox.Recovered = nil
		a.inbox.Gone = a.inbox.Gone || f.Gone
	}
	if a.report.FailingSince == nil {
		a.report.FailingSince = &since
	}
	a.keepAnswer(f.Answer)
	return nil
}

func (a *approval) keepAnswer(by webhook.Answer) {
	a.report.LastAnswers = append(a.report.LastAnswers, by)
	if n := len(a.report.LastAnswers) - keptAnswers; n > 0 {
		a.report.LastAnswers = a.report.LastAnswers[n:]
	}
}

func (a *approval) onResume(d webhook.Decision) error {
	if err := d.Check(); err != nil {
		return err
	}
	a.inbox.Resume = &d
	return nil
}

// onEnd drops an earlier resume: the last instruction counts.
func (a *approval) onEnd(e webhook.End) error {
	a.inbox.End, a.inbox.Resume = &e, nil
	return nil
}

// onceAsked takes a decision that comes as an update. While the endpoint is about to be held, the
// decision waits for that.
func (a *approval) onceAsked(take func(webhook.Decision)) func(workflow.Context, webhook.Decision) (webhook.ApprovalReport, error) {
	return func(ctx workflow.Context, d webhook.Decision) (webhook.ApprovalReport, error) {
		_ = workflow.Await(ctx, func() bool { return a.asking == "" || a.renew })
		if err := a.takeDecision(d, take); err != nil {
			return webhook.ApprovalReport{}, err
		}
		return a.report, nil
	}
}

func (a *approval) takeDecision(d webhook.Decision, take func(webhook.Decision)) error {
	if err := a.mayDecide(d); err != nil {
		return err
	}
	take(d)
	return nil
}

// mayDecide says why there is nothing to decide, for the person who tried.
func (a *approval) mayDecide(d webhook.Decision) error {
	if err := d.Check(); err != nil {
		return refusal(err.Error())
	}
	if a.facts.Named && d.By == "" {
		return refusal(nameWanted)
	}
	last := ""
	if a.report.Decision != nil {
		last = "; it was " + string(a.report.Decided) + byAndWhy(instruction(*a.report.Decision))
	}
	switch {
	case a.report.Decided == webhook.DecidedReject && a.report.Status == webhook.ApprovalAwaiting:
		return refusal("it is being rejected" + last)
	case a.inbox.hasDecision():
		return refusal("another decision has just been taken" + last)
	case a.asking != "": // the registry may have it held already
		return nil
	case a.report.Status == webhook.ApprovalWatching:
		return refusal("the endpoint is not held: it may still recover by itself. To stop deliveries now, pause it")
	case a.report.Status != webhook.ApprovalAwaiting:
		return refusal("the approval is " + string(a.report.Status) + last)
	}
	return nil
}

// instruction is who decided, and why.
func instruction(d webhook.Decision) webhook.Instruction {
	return webhook.Instruction{By: d.By, Reason: d.Reason}
}
