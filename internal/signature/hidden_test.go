package signature_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/signature"
)

// TestHiddenTextNeverPrints, but its owner reads it.
func TestHiddenTextNeverPrints(t *testing.T) {
	t.Parallel()
	h := signature.Hide("kkkk")
	require.Equal(t, "kkkk", h.Reveal())
	require.Empty(t, signature.Hidden{}.Reveal())
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%U"} {
		for _, value := range []any{h, &h, signature.Hidden{}} {
			require.Equal(t, signature.Mask, fmt.Sprintf(verb, value), verb)
		}
	}
	within := struct {
		Shown  signature.Hidden
		hidden signature.Hidden // fmt prints it without asking its methods
	}{h, h}
	encoded, err := json.Marshal(within)
	require.NoError(t, err)
	require.JSONEq(t, `{"Shown":"***"}`, string(encoded))
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "value", h, "within", within)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "value", h, "within", within)
	for _, text := range []string{fmt.Sprintf("%v %+v %#v", within, within, within), log.String()} {
		require.NotContains(t, text, "kkkk")
		require.NotContains(t, text, "6b6b6b")
	}
	require.Equal(t, h.Reveal(), within.hidden.Reveal())
}
