//go:build linux

package wires_test

import (
	"io"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/e2e/wires"
)

// echo answers what comes to a node.
func echo(t *testing.T, at *wires.Node) string {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	leave, err := at.Enter()
	require.NoError(t, err)
	defer leave()
	l, err := net.Listen("tcp", at.Address+":7") //nolint:noctx // at once
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c) }()
		}
	}()
	return l.Addr().String()
}

// says sends a word and reads it back.
func says(t *testing.T, c net.Conn, word string, within time.Duration) error {
	t.Helper()
	_, err := io.WriteString(c, word)
	require.NoError(t, err)
	require.NoError(t, c.SetReadDeadline(time.Now().Add(within)))
	back := make([]byte, len(word))
	_, err = io.ReadFull(c, back)
	if err == nil {
		require.Equal(t, word, string(back))
	}
	return err
}

// TestCables: what is cut does not arrive, in that direction alone, and arrives once it is mended;
// what is slow comes late.
func TestCables(t *testing.T) { //nolint:paralleltest // one address for all
	n := wires.New(t, 1)
	there := n.Node()
	c, err := net.Dial("tcp", echo(t, there)) //nolint:noctx // at once
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	const patience = time.Minute
	require.NoError(t, says(t, c, "sound", patience))

	n.Both(n.Here(), there, wires.Cable{Delay: 200 * time.Millisecond})
	begun := time.Now()
	require.NoError(t, says(t, c, "slow", patience))
	require.GreaterOrEqual(t, time.Since(begun), 400*time.Millisecond)

	n.Both(n.Here(), there, wires.Cable{})
	n.Set(there, n.Here(), wires.Cable{Cut: true})
	require.ErrorIs(t, says(t, c, "one way", 300*time.Millisecond), os.ErrDeadlineExceeded)
	require.Positive(t, n.Lost())
	n.Set(there, n.Here(), wires.Cable{})
	back := make([]byte, len("one way"))
	require.NoError(t, c.SetReadDeadline(time.Now().Add(patience)))
	_, err = io.ReadFull(c, back)
	require.NoError(t, err, "it is sent again")

	lost := n.Lost()
	n.Both(n.Here(), there, wires.Cable{Loss: .3})
	for range 15 {
		require.NoError(t, says(t, c, "lossy", patience))
	}
	require.Greater(t, n.Lost(), lost)
}
