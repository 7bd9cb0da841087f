package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
	"hookloop/internal/webhook"
)

// TestLargeSourceEvents: what a third party may send at most is delivered byte for byte, at the
// first attempt and a retry, from a sealed body store; one byte more is refused, and said to be.
func TestLargeSourceEvents(t *testing.T) {
	t.Parallel()
	a := app{startEncrypted(t, filepath.Join(t.TempDir(), "data"))}
	s, _ := a.listen(t, endpointtest.Config{}, "")
	troubled, _ := a.listen(t, endpointtest.Config{Script: "503:1 200"}, `,"schedule":["0s","50ms"]`)
	in := a.createSource(t, "github", `{"secrets":["It's a Secret to Everybody"]}`)
	push := func(data string) int {
		mac := hmac.New(sha256.New, []byte("It's a Secret to Everybody"))
		mac.Write([]byte(data))
		return post(t, in, map[string]string{
			"x-github-event": "push", "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
			"x-hub-signature-256": "sha256=" + hex.EncodeToString(mac.Sum(nil)),
		}, data)
	}
	const start, end = `{ "commits" : "`, `"}`
	largest := start + strings.Repeat("é", (webhook.MaxData-len(start)-len(end))/2) + end
	require.Equal(t, http.StatusRequestEntityTooLarge, push(largest+strings.Repeat(" ", webhook.MaxData-len(largest)+1)))
	require.Equal(t, http.StatusOK, push(largest))
	a.requireOneEvent(t, s, "github.push", largest)
	got := receipts(t, troubled, 2)
	require.Equal(t, got[0].Body, got[1].Body)
	require.Contains(t, string(got[1].Body), largest)
	require.Equal(t, "delivered", a.ended(t, got[0].ID).Status)
}
