package audit_test

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"

	"hookloop/api"
	"hookloop/internal/audit"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

var update = flag.Bool("update", false, "rewrite testdata")

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

// TestLedger holds what people read of every history that was recorded.
func TestLedger(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(histories + "/*/*.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		name := filepath.Base(filepath.Dir(file)) + "/" + filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := audit.NewTrail(recorded(t, name))
			require.False(t, l.Encrypted)
			require.NotEmpty(t, l.Lines)
			var b strings.Builder
			fmt.Fprintf(&b, "%s %s %s\n", l.Type, l.WorkflowID, l.RunID)
			for _, line := range l.Lines {
				require.False(t, line.At.IsZero())
				if line.EndpointID != "" {
					require.Regexp(t, "^ep_[0-9a-z]{26}$", line.EndpointID)
				}
				require.True(t, slices.ContainsFunc(api.AuditKinds(), func(m api.AuditMeaning) bool { return m.Kind == line.Kind }), line.Kind)
				fmt.Fprintf(&b, "%s | %s | %s\n", line.Kind, cmp.Or(line.Actor, line.ActorClaimed+"?"), line.Detail)
			}
			golden := filepath.Join("testdata", strings.ReplaceAll(strings.TrimSuffix(name, ".json"), "/", "-")+".txt")
			if *update {
				require.NoError(t, os.MkdirAll("testdata", 0o750))
				require.NoError(t, os.WriteFile(golden, []byte(b.String()), 0o600))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), b.String())
		})
	}
}

// TestWhatAnEventWasAcceptedWith: as large as it is, wherever its data lies, and for whom it was.
func TestWhatAnEventWasAcceptedWith(t *testing.T) {
	t.Parallel()
	h := recorded(t, "Event/v0.1.0-delivered.json")
	input := h.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetInput().GetPayloads()
	facts, err := converter.GetDefaultDataConverter().ToPayload(workflows.EventInput{
		Event: webhook.Event{ID: "evt_1", Type: "a.b", Stored: 3 << 20}, By: "alice", Disabled: []string{"ep_1", "ep_2"},
	})
	require.NoError(t, err)
	input[0] = facts
	own := sha256.Sum256(input[1].GetData())
	require.Equal(t, hex.EncodeToString(own[:]), audit.NewTrail(h).Lines[0].DataSHA256, "of the bytes as they came")

	elsewhere := strings.Repeat("ab", 32)
	input[1].Metadata[webhook.BodyReference], input[1].Data = []byte("1"), []byte(`{"stored":{"bytes":3145728,"sha256":"`+elsewhere+`"}}`)
	lines := audit.NewTrail(h).Lines
	require.Equal(t, elsewhere, lines[0].DataSHA256, "what the body store knows it by")
	require.Equal(t, "a.b, happened 0001-01-01T00:00:00Z, 3145728 bytes of data, for no endpoint", lines[0].Detail)
	require.Equal(t, []any{"a.b", int64(3 << 20)}, []any{lines[0].EventType, lines[0].DataBytes})
	require.Equal(t, "left-out ep_1, ep_2: disabled when it was accepted", string(lines[1].Kind)+" "+lines[1].Detail)
	require.Equal(t, []string{"ep_1", "ep_2"}, lines[1].EndpointIDs)
}
