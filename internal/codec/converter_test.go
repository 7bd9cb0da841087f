package codec_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/protobuf/proto"

	"hookloop/internal/codec"
)

// oddJSON is what converting would change: the order, the space, 1.10 and the last digits.
const oddJSON = `{"b":1.10,  "a":12345678901234567890}`

type facts struct {
	Tenant string `json:"tenant"`
}

func raw(text string) converter.RawValue { return converter.NewRawValue(payload(text)) }

func TestDataStaysByteForByte(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]*codec.Codec{"with a key": newCodec(t), "without": codec.Clear()} {
		dc := c.Converter()
		sealed, err := dc.ToPayloads(facts{Tenant: "acme"}, raw(oddJSON))
		require.NoError(t, err, name)

		var in facts
		var data converter.RawValue
		require.NoError(t, dc.FromPayloads(sealed, &in, &data), name)
		require.Equal(t, "acme", in.Tenant)
		requireEqual(t, payload(oddJSON), data.Payload())

		var alone converter.RawValue
		p, err := dc.ToPayload(raw(oddJSON))
		require.NoError(t, err, name)
		require.NoError(t, dc.FromPayload(p, &alone), name)
		requireEqual(t, payload(oddJSON), alone.Payload())
	}
}

// TestEncryptedIsNeverTakenForData: read as a RawValue, an encrypted payload must not pass for one.
func TestEncryptedIsNeverTakenForData(t *testing.T) {
	t.Parallel()
	sealed, err := newCodec(t).Converter().ToPayloads(facts{}, raw(oddJSON))
	require.NoError(t, err)
	for _, c := range []*codec.Codec{newCodec(t), codec.Clear()} {
		var in, data converter.RawValue
		require.ErrorIs(t, c.Converter().FromPayloads(sealed, &in, &data), codec.ErrUnknownKey)
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	c := newCodec(t)
	cause := fmt.Errorf("the endpoint said %s", secret)
	err := temporal.NewApplicationErrorWithOptions(secret+" is wrong", "Deferred", temporal.ApplicationErrorOptions{
		NonRetryable: true, Cause: cause, NextRetryDelay: time.Minute, Details: []any{secret},
	})
	failure := c.FailureConverter().ErrorToFailure(err)
	wire, merr := proto.Marshal(failure)
	require.NoError(t, merr)
	require.NotContains(t, string(wire), secret)
	require.Equal(t, "Encoded failure", failure.GetMessage())
	require.Equal(t, "Encoded failure", failure.GetCause().GetMessage())
	info := failure.GetApplicationFailureInfo()
	require.Equal(t, "Deferred", info.GetType())
	require.True(t, info.GetNonRetryable())
	require.Equal(t, time.Minute, info.GetNextRetryDelay().AsDuration())

	byHand := proto.CloneOf(failure)
	converter.DecodeCommonFailureAttributes(c.Converter(), byHand)
	require.Equal(t, secret+" is wrong", byHand.GetMessage())

	for _, reader := range []*codec.Codec{c, newCodec(t), codec.Clear()} {
		app, ok := errors.AsType[*temporal.ApplicationError](reader.FailureConverter().FailureToError(proto.CloneOf(failure)))
		require.True(t, ok)
		require.Equal(t, "Deferred", app.Type())
		var detail string
		if reader == c {
			require.Equal(t, secret+" is wrong", app.Message())
			require.ErrorContains(t, app.Unwrap(), cause.Error())
			require.NoError(t, app.Details(&detail))
			require.Equal(t, secret, detail)
			continue
		}
		require.Equal(t, "Encoded failure", app.Message())
		require.ErrorIs(t, app.Details(&detail), codec.ErrUnknownKey)
	}

	require.Equal(t, secret+" is wrong", codec.Clear().FailureConverter().ErrorToFailure(err).GetMessage())
}

// TestWhichKeyIsMissingIsReadable: encrypted with the wrong keyset, it could not be read.
func TestWhichKeyIsMissingIsReadable(t *testing.T) {
	t.Parallel()
	c := newCodec(t)
	sealed := one(t, newCodec(t).Encode, payload(`"`+secret+`"`))
	missing := "add key " + keyID(sealed)
	var got string
	err := c.Converter().FromPayload(sealed, &got)
	require.Contains(t, c.FailureConverter().ErrorToFailure(fmt.Errorf("input of event/acme/evt_1: %w", err)).GetMessage(), missing)

	env := newEnv(c)
	env.SetDataConverter(handsOn{c.Converter()})
	env.ExecuteWorkflow(leaf, facts{}, converter.NewRawValue(sealed))
	panicked, ok := errors.AsType[*temporal.PanicError](env.GetWorkflowError())
	require.True(t, ok, "%v", env.GetWorkflowError())
	require.Contains(t, c.FailureConverter().ErrorToFailure(panicked).GetMessage(), missing)

	for _, other := range []error{
		errors.New(codec.ErrUnknownKey.Error() + secret), // text alone is not enough
		temporal.NewApplicationError(codec.ErrUnknownKey.Error()+secret, "Deferred"),
	} {
		require.Equal(t, "Encoded failure", c.FailureConverter().ErrorToFailure(other).GetMessage())
	}
}

// carry goes through everything a workflow encodes: its input, a local activity, an activity, a
// signal, its answer to a query, a child and its result.
func carry(ctx workflow.Context, in facts, data converter.RawValue) (string, error) {
	var heard, first, second, third string
	err := workflow.SetQueryHandler(ctx, "report", func() (string, error) { return heard, nil })
	if err != nil {
		return "", err
	}
	local := workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: time.Minute, Summary: "first"})
	if err := workflow.ExecuteLocalActivity(local, echo, string(data.Payload().GetData())).Get(ctx, &first); err != nil {
		return "", err
	}
	workflow.GetSignalChannel(ctx, "go").Receive(ctx, &heard)
	remote := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute, Summary: "second"})
	if err := workflow.ExecuteActivity(remote, echo, first).Get(ctx, &second); err != nil {
		return "", err
	}
	err = workflow.ExecuteChildWorkflow(workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{
		WorkflowID: "child", StaticSummary: "third",
	}), leaf, in, raw(second)).Get(ctx, &third)
	return third + " " + heard, err
}

func leaf(_ workflow.Context, in facts, data converter.RawValue) (string, error) {
	return in.Tenant + " " + string(data.Payload().GetData()), nil
}

func echo(_ context.Context, text string) (string, error) { return text, nil }

func newEnv(c *codec.Codec) *testsuite.TestWorkflowEnvironment {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(silent())
	env := suite.NewTestWorkflowEnvironment()
	env.SetTestTimeout(time.Minute) // it and the next are 3 s and 1 s otherwise, and a busy machine may need them
	env.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: time.Minute})
	env.SetDataConverter(c.Converter())
	env.SetFailureConverter(c.FailureConverter())
	env.RegisterWorkflow(carry)
	env.RegisterWorkflow(leaf)
	env.RegisterActivity(echo)
	return env
}

func TestAWorkflowRuns(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]*codec.Codec{"with a key": newCodec(t), "without": codec.Clear()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := newEnv(c)
			env.RegisterDelayedCallback(func() { env.SignalWorkflow("go", secret) }, time.Second)
			env.ExecuteWorkflow(carry, facts{Tenant: "acme"}, raw(oddJSON))
			require.NoError(t, env.GetWorkflowError())
			var got, answer string
			require.NoError(t, env.GetWorkflowResult(&got))
			require.Equal(t, "acme "+oddJSON+" "+secret, got)
			v, err := env.QueryWorkflow("report")
			require.NoError(t, err)
			require.NoError(t, v.Get(&answer))
			require.Equal(t, secret, answer)
		})
	}
}

// handsOn is a converter that encodes nothing, so that a test can say what stands in a history.
type handsOn struct{ converter.DataConverter }

func (handsOn) ToPayload(v any) (*commonpb.Payload, error) {
	return converter.GetDefaultDataConverter().ToPayload(v)
}

func (handsOn) ToPayloads(v ...any) (*commonpb.Payloads, error) {
	return converter.GetDefaultDataConverter().ToPayloads(v...)
}

func (h handsOn) WithWorkflowContext(ctx converter.WorkflowContext) converter.DataConverter {
	return handsOn{h.DataConverter.(converter.ContextAware).WithWorkflowContext(ctx)}
}

func (h handsOn) WithContext(context.Context) converter.DataConverter { return h }

// TestAWorkflowWaitsForItsKey: that it cannot be read is no answer. The workflow panics, which
// fails its task and not the workflow; elsewhere the same is an error.
func TestAWorkflowWaitsForItsKey(t *testing.T) {
	t.Parallel()
	c := newCodec(t)
	damaged := one(t, c.Encode, payload(`"`+secret+`"`))
	damaged.Data = damaged.GetData()[:8]
	says := map[string]string{"unknown": codec.ErrUnknownKey.Error(), "damaged": codec.ErrDamaged.Error()}
	for name, shut := range map[string]*commonpb.Payload{
		"unknown": one(t, newCodec(t).Encode, payload(`"`+secret+`"`)), "damaged": damaged,
	} {
		for where, wait := range map[string]func(workflow.Context) error{
			"a signal": func(ctx workflow.Context) error {
				var heard string
				workflow.GetSignalChannel(ctx, "go").Receive(ctx, &heard)
				return nil
			},
			"a result": func(ctx workflow.Context) error {
				ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
				var got string
				_ = workflow.ExecuteActivity(ctx, "foreign").Get(ctx, &got)
				return nil
			},
		} {
			t.Run(name+" "+where, func(t *testing.T) {
				t.Parallel()
				env := newEnv(c)
				env.SetDataConverter(handsOn{c.Converter()})
				env.RegisterActivityWithOptions(func(context.Context) (converter.RawValue, error) {
					return converter.NewRawValue(shut), nil
				}, activity.RegisterOptions{Name: "foreign"})
				env.RegisterDelayedCallback(func() { env.SignalWorkflow("go", converter.NewRawValue(shut)) }, time.Second)
				env.RegisterWorkflowWithOptions(wait, workflow.RegisterOptions{Name: "wait"})
				env.ExecuteWorkflow("wait")
				_, panicked := errors.AsType[*temporal.PanicError](env.GetWorkflowError())
				require.True(t, panicked, "%v", env.GetWorkflowError())
				require.ErrorContains(t, env.GetWorkflowError(), says[name])
			})
		}
	}
}
