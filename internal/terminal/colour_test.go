package terminal_test

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/terminal"
)

// sink keeps what is written.
type sink interface {
	io.Writer
	fmt.Stringer
}

// TestColours: on a terminal alone, without NO_COLOR, and columns stay where they are.
func TestColours(t *testing.T) {
	table := func(w sink) string {
		c := terminal.Columns(w)
		terminal.Row(c, "ID", "STATE", "ABOUT")
		terminal.Row(c, "ep_1", "held", "it has failed")
		terminal.Row(c, "ep_22", "active", "✓")
		require.NoError(t, c.Flush())
		return w.String()
	}
	const bare = "ID     STATE   ABOUT\nep_1   held    it has failed\nep_22  active  ✓\n"
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	require.Equal(t, bare, table(&bytes.Buffer{}))
	require.Equal(t, "\x1b[1mID     STATE   ABOUT\x1b[0m\nep_1   \x1b[33mheld\x1b[0m    it has failed\nep_22  \x1b[32mactive\x1b[0m  \x1b[32m✓\x1b[0m\n", table(&screen{}))

	var s screen
	w := terminal.Coloured(&s)
	_, err := fmt.Fprint(w, "✗ evt_1 held")
	require.NoError(t, err)
	require.Empty(t, s.String(), "a line is not whole yet")
	_, err = fmt.Fprint(w, " up\n✓ evt_2\n")
	require.NoError(t, err)
	require.Equal(t, "\x1b[31m✗\x1b[0m evt_1 held up\n\x1b[32m✓\x1b[0m evt_2\n", s.String())

	t.Setenv("TERM", "dumb")
	require.Equal(t, bare, table(&screen{}))
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "1")
	require.Equal(t, bare, table(&screen{}))
}
