package cli

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/api"
	"hookloop/internal/webhook"
)

// TestTimeline is a story for people: days, the time since, who did what, without what repeats
// itself.
func TestTimeline(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 2, 3, 23, 59, 58, 0, time.UTC)
	lines := []api.AuditLine{
		{At: at.Add(-26 * time.Hour), Kind: webhook.AuditEndpointCreated, Actor: "zoe", Via: webhook.ViaAPI, EndpointID: "ep_1", EndpointVersion: 1, EndpointURLHost: "old.example", Detail: "url https://old.example/…"},
		{At: at, Kind: webhook.AuditAccepted, Actor: "shop", Via: webhook.ViaAPI, EventID: "evt_1", Detail: "contact.updated, for ep_1"},
		{At: at.Add(3 * time.Millisecond), Kind: webhook.AuditAttempt, Actor: "hookloop", Via: webhook.ViaHookloop, EndpointID: "ep_1", EndpointVersion: 1, EndpointURLHost: "old.example", StatusCode: 503, Detail: "attempt 1: HTTP 503 in 3 ms"},
		{At: at.Add(4 * time.Millisecond), Kind: webhook.AuditWait, Detail: "5s"},
		{At: at.Add(time.Second), Kind: webhook.AuditFailing, RunID: "r", Detail: "it fails"},
		{At: at.Add(1500 * time.Millisecond), Kind: webhook.AuditFailing, RunID: "r", Detail: "it fails"},
		{At: at.Add(65 * time.Second), Kind: webhook.AuditApprove, ActorClaimed: "alice", Via: webhook.ViaTemporalUI, Reason: "mended\x1b", Detail: "mended\x1b"},
		{At: at.Add(2 * time.Hour), Kind: webhook.AuditAttempt, Actor: "hookloop", Via: webhook.ViaHookloop, EndpointID: "ep_1", EndpointVersion: 2, EndpointURLHost: "new.example", StatusCode: 200, Detail: "attempt 2: HTTP 200 in 5 ms"},
	}
	require.Equal(t, `Monday, 2 February 2026 (UTC)
  21:59:58.000   -1d02h  ● endpoint-created  url https://old.example/…, by zoe  [old.example v1]

Tuesday, 3 February 2026 (UTC)
  23:59:58.000     +0ms  ● accepted          contact.updated, for ep_1, by shop
  23:59:58.003     +3ms  ✗ attempt           attempt 1: HTTP 503 in 3 ms  [old.example v1]
  23:59:59.000    +1.0s    failing           it fails

Wednesday, 4 February 2026 (UTC)
  00:01:03.000   +1m05s  ● approve           mended\u001b, by alice, as they say (temporal-ui)
  01:59:58.000   +2h00m  ✓ attempt           attempt 2: HTTP 200 in 5 ms  [new.example v2]

ep_1  new.example

2 lines left out (1 failing, 1 wait): --all shows them.
`, newTimeline(lines, false).text())
	require.Len(t, newTimeline(lines, true).lines, len(lines))
}
