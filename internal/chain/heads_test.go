package chain_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/chain"
)

// grown is a file of a chain that has grown by some lines at a time, and its head.
func grown(t *testing.T, batches ...[]string) (path string, head chain.Head) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "chain.jsonl")
	var all []byte
	for _, batch := range batches {
		var lines [][]byte
		for _, l := range batch {
			lines = append(lines, []byte(l))
		}
		more, next, err := chain.Next(head, lines...)
		require.NoError(t, err)
		all, head = append(all, more...), next
	}
	require.NoError(t, os.WriteFile(path, all, 0o600))
	return path, head
}

func rewrite(t *testing.T, path string, change func([]byte) []byte) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, change(text), 0o600))
}

// TestAChainGrowsFromItsHead, whatever it grows by at a time, and its file says where it ends.
func TestAChainGrowsFromItsHead(t *testing.T) {
	t.Parallel()
	path, head := grown(t, []string{`{"a":1}`, `2`}, []string{`"three"`})
	_, same := grown(t, []string{`{"a":1}`}, []string{`2`, `"three"`})
	require.Equal(t, same, head)
	require.Equal(t, int64(3), head.Records)
	found, err := chain.Check(path, &head)
	require.NoError(t, err)
	require.Empty(t, found)

	text, err := os.ReadFile(path)
	require.NoError(t, err)
	tail, size, err := chain.Tail(path)
	require.NoError(t, err)
	require.Equal(t, head, tail)
	require.Equal(t, int64(len(text)), size)

	var said []string
	var ends []int64
	require.NoError(t, chain.Read(path, func(line json.RawMessage, seq, end int64) error {
		said, ends = append(said, string(line)), append(ends, end)
		require.Len(t, said, int(seq))
		return nil
	}))
	require.Equal(t, []string{`{"a":1}`, `2`, `"three"`}, said)
	require.Equal(t, size, ends[2])
	said = nil
	require.NoError(t, chain.Records(path, func(line json.RawMessage) { said = append(said, string(line)) }))
	require.Len(t, said, 3)

	_, after, err := chain.Next(head, []byte(`no JSON`))
	require.Error(t, err)
	require.Equal(t, head, after)
}

// TestWhatWasNeverFinishedIsNoRecord, unless the signed head says that it was one.
func TestWhatWasNeverFinishedIsNoRecord(t *testing.T) {
	t.Parallel()
	path, head := grown(t, []string{`1`, `2`})
	_, two := grown(t, []string{`1`, `2`}, []string{`3`})
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, half := range []string{`{"seq":3,"pr`, `{`} {
		rewrite(t, path, func([]byte) []byte { return append(bytes.Clone(text), half...) })
		tail, size, err := chain.Tail(path)
		require.NoError(t, err)
		require.Equal(t, head, tail)
		require.Equal(t, int64(len(text)), size, "what follows is written over it")
		found, err := chain.Check(path, nil)
		require.NoError(t, err)
		require.Empty(t, found)
		n := 0
		require.NoError(t, chain.Read(path, func(json.RawMessage, int64, int64) error { n++; return nil }))
		require.Equal(t, 2, n)
		found, err = chain.Check(path, &two)
		require.NoError(t, err)
		require.NotEmpty(t, found)
	}
	rewrite(t, path, func([]byte) []byte { return []byte(`{"seq"`) })
	tail, size, err := chain.Tail(path)
	require.NoError(t, err)
	require.Equal(t, chain.Head{}, tail)
	require.Zero(t, size)
	rewrite(t, path, func([]byte) []byte { return []byte("junk\n") })
	_, _, err = chain.Tail(path)
	require.ErrorContains(t, err, "its last record")
	require.ErrorContains(t, chain.Read(path, func(json.RawMessage, int64, int64) error { return nil }), "line 1")
}

func TestAFileThatIsNotThereHoldsNoRecords(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "none")
	tail, size, err := chain.Tail(path)
	require.NoError(t, err)
	require.Equal(t, chain.Head{}, tail)
	require.Zero(t, size)
	found, err := chain.Check(path, nil)
	require.NoError(t, err)
	require.Empty(t, found)
	require.NoError(t, chain.Read(path, func(json.RawMessage, int64, int64) error { return os.ErrClosed }))
	found, err = chain.Check(path, &chain.Head{Records: 1, Hash: "x"})
	require.NoError(t, err)
	require.NotEmpty(t, found, "its head was signed")
}

// TestEveryChangeOfAGrownChainIsFound by the head that was signed.
func TestEveryChangeOfAGrownChainIsFound(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(lines []string) []string{
		"changed":   func(l []string) []string { l[1] = strings.Replace(l[1], "2222", "2223", 1); return l },
		"taken out": func(l []string) []string { return append(l[:1:1], l[2:]...) },
		"swapped":   func(l []string) []string { l[0], l[1] = l[1], l[0]; return l },
		"twice":     func(l []string) []string { return append(l[:2:2], l[1:]...) },
		"cut off":   func(l []string) []string { return l[:2] },
		"emptied":   func([]string) []string { return nil },
	} {
		path, head := grown(t, []string{`1111`, `2222`, `3333`})
		rewrite(t, path, func(text []byte) []byte {
			return []byte(strings.Join(change(strings.SplitAfter(strings.TrimSuffix(string(text), "\n"), "\n")), ""))
		})
		found, err := chain.Check(path, &head)
		require.NoError(t, err)
		require.NotEmpty(t, found, name)
	}
	path, head := grown(t, []string{`1`, `2`})
	more, _, err := chain.Next(head, []byte(`3`))
	require.NoError(t, err)
	rewrite(t, path, func(text []byte) []byte { return append(text, more...) })
	found, err := chain.Check(path, &head)
	require.NoError(t, err)
	require.NotEmpty(t, found, "added")
}

// TestHeadsAreSignedTogether: a change of one, or of whose they are, is a change of all.
func TestHeadsAreSignedTogether(t *testing.T) {
	t.Parallel()
	key, other := newKey(t), newKey(t)
	signed := func() chain.Heads {
		h := chain.Heads{Heads: map[string]chain.Head{"acme": {Records: 2, Hash: "x"}, "other": {Records: 3, Hash: "y"}}}
		require.NoError(t, h.Sign(key))
		return h
	}
	h := signed()
	require.True(t, h.SignedBy(public(t, key)))
	require.False(t, h.SignedBy(public(t, other)))
	require.Equal(t, int64(5), h.Sum().Records)
	require.Equal(t, signed().Sum(), h.Sum())
	for name, change := range map[string]func(*chain.Heads){
		"one is longer":  func(h *chain.Heads) { h.Heads["acme"] = chain.Head{Records: 3, Hash: "x"} },
		"one is another": func(h *chain.Heads) { h.Heads["acme"] = chain.Head{Records: 2, Hash: "z"} },
		"one is missing": func(h *chain.Heads) { delete(h.Heads, "acme") },
		"one is added":   func(h *chain.Heads) { h.Heads["third"] = chain.Head{} },
	} {
		h := signed()
		change(&h)
		require.False(t, h.SignedBy(public(t, key)), name)
		require.NotEqual(t, signed().Sum().Hash, h.Sum().Hash, name)
	}
	for _, signature := range []string{"", "%", signed().PublicKey} {
		h := signed()
		h.Signature = signature
		require.False(t, h.SignedBy(public(t, key)))
	}
}
