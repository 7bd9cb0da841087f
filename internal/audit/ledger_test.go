package audit_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"

	"hookloop/internal/audit"
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
			l := audit.NewLedger(recorded(t, name))
			require.False(t, l.Encrypted)
			require.NotEmpty(t, l.Lines)
			var b strings.Builder
			fmt.Fprintf(&b, "%s %s %s\n", l.Type, l.WorkflowID, l.RunID)
			for _, line := range l.Lines {
				require.False(t, line.At.IsZero())
				if line.EndpointID != "" {
					require.Regexp(t, "^ep_[0-9a-z]{26}$", line.EndpointID)
				}
				fmt.Fprintf(&b, "%s | %s | %s\n", line.Kind, line.Actor, line.Detail)
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
