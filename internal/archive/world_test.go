package archive_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/proxy"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"

	"hookloop/internal/archive"
	"hookloop/internal/codec"
	"hookloop/internal/keyring"
	"hookloop/internal/orchestrator"
	"hookloop/internal/orchestrator/orchestratortest"
)

const histories = "../../workflows/testdata/histories"

func recorded(t *testing.T, name string) *historypb.History {
	t.Helper()
	f, err := os.Open(filepath.Join(histories, name))
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	h, err := client.HistoryFromJSON(f, client.HistoryJSONOptions{})
	require.NoError(t, err)
	return h
}

// encrypted is a history as c would have had it written.
func encrypted(t *testing.T, h *historypb.History, c *codec.Codec) *historypb.History {
	t.Helper()
	h = proto.Clone(h).(*historypb.History)
	require.NoError(t, proxy.VisitFailures(t.Context(), h, proxy.VisitFailuresOptions{
		Visitor: func(_ *proxy.VisitFailuresContext, f *failurepb.Failure) error {
			return converter.EncodeCommonFailureAttributes(converter.GetDefaultDataConverter(), f)
		},
	}))
	require.NoError(t, proxy.VisitPayloads(t.Context(), h, proxy.VisitPayloadsOptions{
		SkipSearchAttributes: true,
		Visitor: func(_ *proxy.VisitPayloadsContext, all []*commonpb.Payload) ([]*commonpb.Payload, error) {
			return c.Encode(all)
		},
	}))
	return h
}

func newCodec(t *testing.T) *codec.Codec {
	t.Helper()
	key, err := keyring.New()
	require.NoError(t, err)
	c, err := codec.New(key)
	require.NoError(t, err)
	return c
}

// noon is when everything here happens, more or less.
var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// world is a Temporal of recorded histories, which lists in pages of three.
type world struct {
	*orchestratortest.Temporal

	ids []string // of workflows, by the number of their runs
}

func newWorld() *world {
	w := &world{Temporal: orchestratortest.New()}
	w.MostListed = 3
	return w
}

// histories reads them as the archive does.
func (w *world) histories(t *testing.T) archive.Histories {
	t.Helper()
	o, err := orchestrator.New(orchestrator.Config{Client: w})
	require.NoError(t, err)
	return o.Histories()
}

// ends adds an execution that ended then.
func (w *world) ends(tenant, kind, id string, at time.Time, h *historypb.History) {
	w.Put(&orchestratortest.Run{
		ID: id, RunID: fmt.Sprintf("run-%03d", len(w.ids)), Type: kind, Status: enums.WORKFLOW_EXECUTION_STATUS_COMPLETED,
		Start: at.Add(-time.Minute), End: at, History: h,
		Attributes: map[string]string{"Tenant": tenant, "EventType": "contact.updated", "Outcome": "delivered"},
	})
	w.ids = append(w.ids, id)
}

// ended is the run of a number.
func (w *world) ended(n int) *orchestratortest.Run { return w.Run(w.ids[n]) }
