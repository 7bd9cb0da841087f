package archive_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/archive"
)

var update = flag.Bool("update", false, "rewrite testdata")

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
			l := archive.NewLedger(recorded(t, name))
			require.False(t, l.Encrypted)
			require.NotEmpty(t, l.Lines)
			var b strings.Builder
			fmt.Fprintf(&b, "%s %s %s\n", l.Type, l.WorkflowID, l.RunID)
			for _, line := range l.Lines {
				require.False(t, line.At.IsZero())
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
