package workflows

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"hookloop/internal/webhook"
)

// What the Temporal UI says beside the names of a delivery's signals and updates.
const (
	aboutRetryNow = "make the next attempt now"
	aboutCancel   = "end the delivery"
)

// deliveryInbox is what a delivery received and has not acted on yet. A new run is given it.
type deliveryInbox struct {
	RetryNow bool                 `json:"retry_now,omitempty"`
	Cancel   *webhook.Instruction `json:"cancel,omitempty"`
	Recheck  bool                 `json:"recheck,omitempty"` // its approval says so
	Release  bool                 `json:"release,omitempty"` // likewise, and only while the delivery is held
	Probe    bool                 `json:"probe,omitempty"`   // likewise
}

func (i deliveryInbox) empty() bool { return i == deliveryInbox{} }

// handle answers queries, updates and signals, from before anything blocks until the end.
func (d *delivery) handle(ctx workflow.Context) error {
	if err := workflow.SetQueryHandler(ctx, QueryReport, d.answer); err != nil {
		return err
	}
	onSignal(ctx, d, SignalRetryNow, aboutRetryNow, d.retryNow)
	onSignal(ctx, d, SignalCancel, aboutCancel, d.cancel)
	onSignal(ctx, d, SignalRecheck, internal, func(webhook.Instruction) error { d.inbox.Recheck = true; return nil })
	if err := onUpdate(ctx, d, UpdateRetryNow, aboutRetryNow, anyTime, thenReport(d, d.retryNow)); err != nil {
		return err
	}
	if err := onUpdate(ctx, d, UpdateCancel, aboutCancel, anyTime, thenReport(d, d.cancel)); err != nil {
		return err
	}
	if err := onUpdate(ctx, d, UpdateRelease, internal, d.onlyHeld, d.release); err != nil {
		return err
	}
	return onUpdate(ctx, d, UpdateProbe, internal, d.onlyHeld, d.probe)
}

func (d *delivery) inputForms() string {
	return `its input may be empty, or {"by": "…", "reason": "…"}`
}

func (d *delivery) explain(ctx workflow.Context, why string) {
	d.ignored = why
	workflow.SetCurrentDetails(ctx, d.details())
}

// answer is the report with the schedule: histories have it already.
func (d *delivery) answer() (webhook.DeliveryReport, error) {
	r := d.report
	if !r.Status.Ended() {
		r.Schedule = d.in.Schedule
	}
	return r, nil
}

func (d *delivery) retryNow(webhook.Instruction) error {
	d.inbox.RetryNow = true
	return nil
}

func (d *delivery) cancel(i webhook.Instruction) error {
	d.inbox.Cancel = &i
	return nil
}

func anyTime(webhook.Instruction) error { return nil }

// thenReport answers an update with how things stood when it came.
func thenReport(d *delivery, take func(webhook.Instruction) error) func(workflow.Context, webhook.Instruction) (webhook.DeliveryReport, error) {
	return func(_ workflow.Context, i webhook.Instruction) (webhook.DeliveryReport, error) {
		err := take(i)
		return d.report, err
	}
}

// onlyHeld refuses an approval's update to a delivery that is not held, or has another before it.
func (d *delivery) onlyHeld(struct{}) error {
	if d.report.Status != webhook.Held || d.in.Parked != "" || !d.inbox.empty() || d.probing {
		return temporal.NewApplicationError("the delivery is not held", TypeNotHeld)
	}
	return nil
}

func (d *delivery) release(workflow.Context, struct{}) (struct{}, error) {
	d.inbox.Release = true
	return struct{}{}, nil
}

// probe lets the delivery make its next attempt for all that are held, and answers what came of it.
func (d *delivery) probe(ctx workflow.Context, _ struct{}) (p webhook.Probe, err error) {
	number := d.nextNumber()
	d.inbox.Probe = true
	if err := workflow.Await(ctx, func() bool { return !d.inbox.Probe && !d.probing }); err != nil {
		return p, err
	}
	for _, a := range d.report.Attempts {
		if a.Number == number {
			p = webhook.Probe{Made: true, Answer: webhook.AnswerOf(a, d.in.Event.ID)}
		}
	}
	return p, nil
}
