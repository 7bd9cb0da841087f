package workflows

import (
	"errors"
	"fmt"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"
)

// hear takes a signal as often as it comes. One that makes no sense changes nothing: it stands in the
// history, and ignored is told why, for the details that a person reads.
func hear[T any](ctx workflow.Context, signal, about, forms string, ignored func(workflow.Context, string), do func(T) error) {
	heard := workflow.GetSignalChannelWithOptions(ctx, signal, workflow.SignalChannelOptions{Description: about})
	workflow.Go(ctx, func(ctx workflow.Context) {
		for {
			var raw converter.RawValue
			if more := heard.Receive(ctx, &raw); !more {
				return
			}
			var v T
			err := decode(raw, forms, &v)
			if err == nil {
				err = do(v)
			}
			if err != nil {
				ignored(ctx, fmt.Sprintf("The signal `%s` at %s was ignored: %s", signal, stamp(workflow.Now(ctx)), reasonOf(err)))
			}
		}
	})
}

// decode reads what a signal or an update carries; nothing is the zero value. forms says what it may be.
func decode(raw converter.RawValue, forms string, to any) error {
	if raw.Payload() == nil {
		return nil
	}
	if converter.GetDefaultDataConverter().FromPayload(raw.Payload(), to) != nil { // its words would quote it
		return errors.New(forms)
	}
	return nil
}
