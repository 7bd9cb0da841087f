package workflows_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// TestDetailsAreNotOthersMarkdown: what a third party or an endpoint wrote is neither link, heading
// nor code in what an operator reads.
func TestDetailsAreNotOthersMarkdown(t *testing.T) {
	t.Parallel()
	const evil = "x` [release all](https://evil.example) <b> ## www.evil.example\n\n- **reject** | a@evil.example"
	details := workflows.EventDetails(workflows.EventInput{Event: webhook.Event{Type: "a.b", Origin: &webhook.Origin{Provider: "github", SourceID: "src_1", Key: evil}}},
		webhook.DeliveryReport{EndpointID: "ep_1", Status: webhook.Exhausted, Reason: evil, Attempts: []webhook.Attempt{{Number: 1, At: time.Unix(0, 0), Error: evil}}})
	require.Equal(t, "**failed** `a.b`\n\n"+
		"- from github, source `src_1`, their key `x' [release all](https://evil.example) <b> ## www.evil.example  - **reject** | a@evil.example`\n"+
		"- `ep_1` **exhausted**, attempt 1 at 1970-01-01T00:00:00Z: "+shown+" in 0 ms ("+shown+")\n", details)
}

const shown = "x\\` \\[release all\\](https:\\//evil.example) \\<b\\> \\#\\# www\\.evil.example  - \\*\\*reject\\*\\* \\| a\\@evil.example"
