package workflows

import (
	"errors"
	"fmt"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"hookloop/internal/webhook"
)

// Signals and updates come into an inbox, deliveryInbox or approvalInbox, from which the workflow
// acts on them. Both are read here, in one way: input that makes no sense changes nothing. The
// sender of such an update is told why; the sender of a signal cannot be, so the details say it.

// internal stands in the Temporal UI beside signals and updates that people have no use for.
const internal = "Hookloop's own: not for people"

// receiver is a workflow that has an inbox.
type receiver interface {
	// inputForms says what the input of a person's signal or update may be, for that person.
	inputForms() string
	// explain keeps why a signal was ignored, and shows it in the details. It changes no search
	// attribute: those are brought up to date by the workflow's own steps.
	explain(ctx workflow.Context, why string)
}

// onSignal takes a signal as often as it comes.
func onSignal[T any](ctx workflow.Context, r receiver, name, about string, take func(T) error) {
	signals := workflow.GetSignalChannelWithOptions(ctx, name, workflow.SignalChannelOptions{Description: about})
	workflow.Go(ctx, func(ctx workflow.Context) {
		for {
			var input converter.RawValue
			if more := signals.Receive(ctx, &input); !more {
				return
			}
			v, err := decode[T](input, r.inputForms())
			if err == nil {
				err = take(v)
			}
			if err != nil {
				r.explain(ctx, fmt.Sprintf("The signal `%s` at %s was ignored: %s", name, stamp(workflow.Now(ctx)), reasonOf(err)))
			}
		}
	})
}

// onUpdate takes an update as often as it comes. An update that may refuses leaves no trace in the
// history.
func onUpdate[T, R any](ctx workflow.Context, r receiver, name, about string, may func(T) error, take func(workflow.Context, T) (R, error)) error {
	return workflow.SetUpdateHandlerWithOptions(ctx, name,
		func(ctx workflow.Context, input converter.RawValue) (answer R, err error) {
			v, err := decode[T](input, r.inputForms())
			if err != nil {
				return answer, refusal(err.Error())
			}
			return take(ctx, v)
		},
		workflow.UpdateHandlerOptions{Description: about, Validator: func(input converter.RawValue) error {
			v, err := decode[T](input, r.inputForms())
			if err != nil {
				return refusal(err.Error())
			}
			return may(v)
		}})
}

// decode reads the input of a signal or an update; none is the zero value. An error quotes nothing
// of it, and says what forms it may have.
func decode[T any](input converter.RawValue, forms string) (v T, err error) {
	if input.Payload() == nil {
		return v, nil
	}
	if converter.GetDefaultDataConverter().FromPayload(input.Payload(), &v) != nil {
		return v, errors.New(forms)
	}
	return v, nil
}

func refusal(why string) error { return temporal.NewApplicationError(why, TypeRefused) }

// yield returns when all that has come is in the inbox, also for a workflow that was asked to
// cancel: a coroutine that starts now runs after those that receive.
func yield(ctx workflow.Context) {
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	ran := false
	workflow.Go(ctx, func(workflow.Context) { ran = true })
	_ = workflow.Await(ctx, func() bool { return ran })
}

// drainSignals returns when all that has come is in the inbox and every update is answered.
func drainSignals(ctx workflow.Context) {
	yield(ctx)
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	_ = workflow.Await(ctx, func() bool { return workflow.AllHandlersFinished(ctx) })
}

// byAndWhy names who instructed and why, for a person: " by alice: wrong customer".
func byAndWhy(i webhook.Instruction) string {
	s := ""
	if i.By != "" {
		s += " by " + i.By
	}
	if i.Reason != "" {
		s += ": " + i.Reason
	}
	return s
}
