package terminal_test

import (
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/terminal"
)

func TestPrintable(t *testing.T) {
	t.Parallel()
	require.Equal(t, "ä\n\t✓", terminal.Printable("ä\n\t✓"))
	require.Equal(t, `\u000a\u0009`, terminal.OneLine("\n\t"))
	require.Equal(t, `\u001b[2J\u0007\u000d\u007f\u009b\u202e\u2028`, terminal.Printable("\x1b[2J\a\r\x7f\u009b\u202e\u2028"))
	require.Equal(t, `\xff`, terminal.Printable("\xff"))
}

func TestCount(t *testing.T) {
	t.Parallel()
	require.Equal(t, "1 delivery", terminal.Count(1, "delivery"))
	require.Equal(t, "0 deliveries", terminal.Count(0, "delivery"))
	require.Equal(t, "2 attempts", terminal.Count(2, "attempt"))
}

func TestProgressIsALineEveryTwoSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		soFar := terminal.Progress(&out)
		for n := range 50 {
			soFar(strconv.Itoa(n) + " so far")
			time.Sleep(100 * time.Millisecond)
		}
		require.Equal(t, "21 so far\n42 so far\n", out.String())
	})
}
