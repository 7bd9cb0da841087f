package workflows

import (
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"hookloop/internal/webhook"
)

// orders are what operators said and the delivery has not acted on yet.
type orders struct {
	retryNow bool
	look     bool // at the endpoint, says an Approval
	cancel   *webhook.Verb
	release  bool // only while the delivery is held
	probe    bool // likewise
	probing  bool // the probe is under way
}

func (o *orders) pending() bool {
	return o.retryNow || o.look || o.cancel != nil || o.release || o.probe
}

// handle answers queries, updates and signals, from before anything blocks until the end.
func (d *delivery) handle(ctx workflow.Context) error {
	if err := workflow.SetQueryHandler(ctx, QueryReport, d.answer); err != nil {
		return err
	}
	retryNow := func(webhook.Verb) { d.orders.retryNow = true }
	cancel := func(v webhook.Verb) { d.orders.cancel = &v }
	d.hear(ctx, SignalRetryNow, aboutRetryNow, retryNow)
	d.hear(ctx, SignalCancel, aboutCancel, cancel)
	d.hear(ctx, SignalLook, internal, func(webhook.Verb) { d.orders.look = true })
	if err := d.obey(ctx, UpdateRetryNow, retryNow); err != nil {
		return err
	}
	if err := d.obey(ctx, UpdateCancel, cancel); err != nil {
		return err
	}
	held := workflow.UpdateHandlerOptions{Validator: d.onlyHeld}
	if err := workflow.SetUpdateHandlerWithOptions(ctx, UpdateRelease, d.release, held); err != nil {
		return err
	}
	return workflow.SetUpdateHandlerWithOptions(ctx, UpdateProbe, d.probe, held)
}

func (d *delivery) release(workflow.Context) error {
	d.orders.release = true
	return nil
}

func (d *delivery) onlyHeld() error {
	if d.report.Status != webhook.Held || d.in.Parked != "" || d.orders.pending() || d.orders.probing {
		return temporal.NewApplicationError("the delivery is not held", TypeNotHeld)
	}
	return nil
}

// probe lets the delivery make its next attempt for all that are held, and says what came of it.
func (d *delivery) probe(ctx workflow.Context) (p webhook.Probe, err error) {
	before := len(d.report.Attempts)
	d.orders.probe = true
	if err := workflow.Await(ctx, func() bool { return !d.orders.probe && !d.orders.probing }); err != nil {
		return p, err
	}
	if len(d.report.Attempts) > before {
		a := d.report.Attempts[before]
		p = webhook.Probe{Made: true, Answer: webhook.AnswerOf(a, d.in.Event.ID)}
	}
	return p, nil
}

func (d *delivery) answer() (webhook.DeliveryReport, error) { return d.report, nil }

// What the Temporal UI says beside the names of a delivery's signals.
const (
	aboutRetryNow = "make the next attempt now"
	aboutCancel   = "end the delivery"
)

// verbForms is what the input of such a signal may be, for a person.
const verbForms = `its input may be empty, or {"by": "…", "reason": "…"}`

// hear takes a signal as often as it comes. It changes the details alone when it ignores one: the search
// attribute is the delivery's own to bring up to date.
func (d *delivery) hear(ctx workflow.Context, signal, about string, do func(webhook.Verb)) {
	ignored := func(ctx workflow.Context, why string) {
		d.ignored = why
		workflow.SetCurrentDetails(ctx, d.details())
	}
	hear(ctx, signal, about, verbForms, ignored, func(v webhook.Verb) error { do(v); return nil })
}

// obey takes an update, and answers how things stood when it came.
func (d *delivery) obey(ctx workflow.Context, update string, do func(webhook.Verb)) error {
	return workflow.SetUpdateHandler(ctx, update, func(_ workflow.Context, v webhook.Verb) (webhook.DeliveryReport, error) {
		do(v)
		return d.report, nil
	})
}

// words are an operator's name and reason, for a person: " by alice: wrong customer".
func words(v webhook.Verb) string {
	s := ""
	if v.By != "" {
		s += " by " + v.By
	}
	if v.Reason != "" {
		s += ": " + v.Reason
	}
	return s
}
