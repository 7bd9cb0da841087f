package codec

import (
	"context"
	"errors"
	"strings"

	commonpb "go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
)

// Converter is the SDK's default converter with this Codec around it. Set it in client.Options, and
// give it to every program that reads a history by hand.
func (c *Codec) Converter() converter.DataConverter {
	return patient{converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), c)}
}

// FailureConverter encrypts the messages and stack traces of failures as well, which may quote what
// an endpoint answered. Set it in client.Options beside Converter. In the Temporal UI each failure
// then reads "Encoded failure", without a stack trace; its type ("Deferred", "EndpointGone"),
// whether it is retried, and the names of activity and workflow stay readable. With the codec
// server the UI shows message and stack trace decoded, as the failure's encoded attributes.
// Failures that Temporal makes itself, such as time-outs, stay in clear: they hold no data of ours.
//
// That a payload did not open stays in clear as well, or no person could read which key is missing:
// it would be encrypted with the very keyset that is wrong.
//
// A program that reads a failure by hand must call converter.DecodeCommonFailureAttributes with
// Converter first.
func (c *Codec) FailureConverter() converter.FailureConverter {
	inClear := temporal.DefaultFailureConverterOptions{DataConverter: c.Converter()}
	encrypted := inClear
	encrypted.EncodeCommonAttributes = c.aead != nil
	return failures{
		FailureConverter: temporal.NewDefaultFailureConverter(encrypted),
		inClear:          temporal.NewDefaultFailureConverter(inClear),
	}
}

// failures encrypts all failures but those that a key is missing for.
type failures struct {
	converter.FailureConverter
	inClear converter.FailureConverter
}

func (f failures) ErrorToFailure(err error) *failurepb.Failure {
	if isShut(err) || isPanicOfOurs(err) {
		return f.inClear.ErrorToFailure(err)
	}
	return f.FailureConverter.ErrorToFailure(err)
}

// patient makes workflows wait for a key instead of ending without it. To the SDK, a payload that
// does not open is an error of the workflow: it would fail for good if that is its input, and go on
// without if that is a signal. A worker that was started with the wrong keyset would so lose every
// event that reaches it. A panic fails just the workflow task, which Temporal tries again, here or
// on another worker, until an operator has mended the keyset; meanwhile the UI shows why.
// Activities need no such care: their errors are retried.
type patient struct{ converter.DataConverter }

var _ converter.ContextAware = patient{}

// WithWorkflowContext is called by the SDK for what a workflow reads and writes.
func (p patient) WithWorkflowContext(converter.WorkflowContext) converter.DataConverter {
	return waiting(p)
}

// WithContext is called by the SDK for everything else, which takes an error as it is.
func (p patient) WithContext(context.Context) converter.DataConverter { return p }

// waiting is what a patient converter is inside a workflow.
type waiting struct{ converter.DataConverter }

func (w waiting) FromPayload(p *commonpb.Payload, to any) error {
	return panicIfShut(w.DataConverter.FromPayload(p, to))
}

func (w waiting) FromPayloads(p *commonpb.Payloads, to ...any) error {
	return panicIfShut(w.DataConverter.FromPayloads(p, to...))
}

// panicIfShut panics with err if a payload did not open. Everything else is the caller's.
func panicIfShut(err error) error {
	if isShut(err) {
		panic(err)
	}
	return err
}

// isShut says whether err is about a payload that did not open.
func isShut(err error) bool { return errors.Is(err, ErrUnknownKey) || errors.Is(err, ErrDamaged) }

// isPanicOfOurs recognises the panic of panicIfShut in what the SDK makes of it, which keeps its
// text only.
func isPanicOfOurs(err error) bool {
	panicked, ok := errors.AsType[interface {
		error
		StackTrace() string
	}](err)
	return ok && (strings.HasPrefix(panicked.Error(), ErrUnknownKey.Error()) ||
		strings.HasPrefix(panicked.Error(), ErrDamaged.Error()))
}
