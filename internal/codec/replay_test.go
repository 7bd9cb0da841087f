package codec_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/proxy"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"google.golang.org/protobuf/proto"

	"hookloop/internal/codec"
	"hookloop/workflows"
)

// recorded are the histories that the workflows' own replay tests hold, all in clear.
func recorded(t *testing.T) map[string]*historypb.History {
	t.Helper()
	files, err := filepath.Glob("../../workflows/testdata/histories/*/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	all := map[string]*historypb.History{}
	for _, file := range files {
		f, err := os.Open(file)
		require.NoError(t, err)
		all[filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file)], err = client.HistoryFromJSON(f, client.HistoryJSONOptions{})
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
	return all
}

// encrypt does to one event what c would have done when it was written.
func encrypt(t *testing.T, c *codec.Codec, e *historypb.HistoryEvent) (payloads int) {
	t.Helper()
	require.NoError(t, proxy.VisitFailures(t.Context(), e, proxy.VisitFailuresOptions{
		Visitor: func(_ *proxy.VisitFailuresContext, f *failurepb.Failure) error {
			return converter.EncodeCommonFailureAttributes(converter.GetDefaultDataConverter(), f)
		},
	}))
	require.NoError(t, proxy.VisitPayloads(t.Context(), e, proxy.VisitPayloadsOptions{
		SkipSearchAttributes: true,
		Visitor: func(_ *proxy.VisitPayloadsContext, all []*commonpb.Payload) ([]*commonpb.Payload, error) {
			payloads += len(all)
			return c.Encode(all)
		},
	}))
	return payloads
}

func silent() log.Logger { return log.NewStructuredLogger(slog.New(slog.DiscardHandler)) }

func replay(t *testing.T, c *codec.Codec, h *historypb.History) error {
	t.Helper()
	r, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{
		DataConverter: c.Converter(), FailureConverter: c.FailureConverter(),
		DisableDeadlockDetection: true, // a second may pass on a busy machine
	})
	require.NoError(t, err)
	workflows.Register(r)
	return r.ReplayWorkflowHistory(silent(), h)
}

// TestReplay: switching encryption on, or rotating keys, disturbs no workflow under way.
func TestReplay(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	c := open(t, key)
	for name, inClear := range recorded(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.NoError(t, replay(t, c, proto.CloneOf(inClear)), "a history from before encryption")

			encrypted, half, payloads := proto.CloneOf(inClear), proto.CloneOf(inClear), 0
			for i, e := range encrypted.GetEvents() {
				payloads += encrypt(t, c, e)
				if i > len(half.GetEvents())/2 {
					encrypt(t, c, half.GetEvents()[i])
				}
			}
			require.NotZero(t, payloads)
			require.NoError(t, replay(t, c, encrypted))
			require.NoError(t, replay(t, c, half), "encryption came while it ran")
		})
	}
}

// TestReplayWithoutAKey: whichever payload a worker cannot open, it either does not need it or
// fails the workflow's task. Nothing else may happen: the workflow would end, or go on without.
func TestReplayWithoutAKey(t *testing.T) {
	t.Parallel()
	foreign, stopped := newCodec(t), map[enumspb.EventType]int{}
	for name, inClear := range recorded(t) {
		for i, e := range inClear.GetEvents() {
			h := proto.CloneOf(inClear)
			if encrypt(t, foreign, h.GetEvents()[i]) == 0 {
				continue
			}
			err := replay(t, codec.Clear(), h)
			where := fmt.Sprintf("%s, event %d %s", name, e.GetEventId(), e.GetEventType())
			switch e.GetEventType() {
			case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, enumspb.EVENT_TYPE_MARKER_RECORDED,
				enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED, enumspb.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
				require.ErrorContains(t, err, codec.ErrUnknownKey.Error(), where)
			case enumspb.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
				require.Error(t, err, where) // accepted then, refused now: the history does not match
			case enumspb.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
				if err == nil {
					continue // no person reads this one
				}
				require.ErrorContains(t, err, codec.ErrUnknownKey.Error(), where)
			default:
				require.NoError(t, err, where) // summaries, what was sent out, messages of failures
				continue
			}
			stopped[e.GetEventType()]++
		}
	}
	require.Len(t, stopped, 6, "every kind was met")
}
