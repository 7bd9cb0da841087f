package workflows

import (
	"go.temporal.io/sdk/workflow"

	"hookloop/internal/webhook"
)

// orders are what operators said and the delivery has not acted on yet.
type orders struct {
	retryNow bool
	cancel   *webhook.Verb
}

func (o *orders) pending() bool { return o.retryNow || o.cancel != nil }

// handle answers queries, updates and signals, from before anything blocks until the end.
func (d *delivery) handle(ctx workflow.Context) error {
	if err := workflow.SetQueryHandler(ctx, QueryReport, d.answer); err != nil {
		return err
	}
	retryNow := func(webhook.Verb) { d.orders.retryNow = true }
	cancel := func(v webhook.Verb) { d.orders.cancel = &v }
	hear(ctx, SignalRetryNow, retryNow)
	hear(ctx, SignalCancel, cancel)
	if err := d.obey(ctx, UpdateRetryNow, retryNow); err != nil {
		return err
	}
	return d.obey(ctx, UpdateCancel, cancel)
}

func (d *delivery) answer() (webhook.DeliveryReport, error) { return d.report, nil }

// hear takes a signal as often as it comes. One whose payload is not a Verb is passed over by the
// SDK: it stands in the history and changes nothing.
func hear(ctx workflow.Context, signal string, do func(webhook.Verb)) {
	heard := workflow.GetSignalChannel(ctx, signal)
	workflow.Go(ctx, func(ctx workflow.Context) {
		for {
			var v webhook.Verb
			if more := heard.Receive(ctx, &v); !more {
				return
			}
			do(v)
		}
	})
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
