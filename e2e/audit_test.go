package e2e

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
)

type auditLine struct {
	At         time.Time
	Kind       string
	Actor      string
	EndpointID string `json:"endpoint_id"`
	Detail     string
	EventID    string `json:"event_id"`
	WorkflowID string `json:"workflow_id"`
}

// TestAudit reads what became of an event as an auditor does, from encrypted histories: each
// attempt, who cut a wait short, who had it delivered again.
func TestAudit(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p := startEncrypted(t, data)
	a := app{p}
	well, e := a.listen(t, endpointtest.Config{}, "")
	troubled, f := a.listen(t, endpointtest.Config{Script: "503:1 200"}, `,"schedule":["0s","24h"]`)
	id := a.post(t, `{"type":"contact.updated","data":{"name":"Waltzing Matilda"}}`).ID
	receipts(t, troubled, 1)
	receipts(t, well, 1)
	eventually(t, "the order is taken", func() bool {
		status, _ := a.try(t.Context(), http.MethodPost, "/events/"+id+"/deliveries/"+f.ID+"/retry-now", `{"reason":"they say it is mended"}`, nil)
		return status == http.StatusAccepted
	})
	a.ended(t, id)
	a.call(t, http.StatusAccepted, http.MethodPost, "/events/"+id+"/redeliver", `{"endpoint_id":"`+e.ID+`"}`, nil)
	receipts(t, well, 2)

	var lines []auditLine
	eventually(t, "the redelivery is on record", func() bool {
		var page struct{ Data []auditLine }
		a.call(t, http.StatusOK, http.MethodGet, "/events/"+id+"/audit", "", &page)
		lines = page.Data
		return lines[len(lines)-1].Kind == "delivery-ended" && lines[len(lines)-1].EndpointID == e.ID
	})
	var told []string
	for i, l := range lines {
		require.False(t, i > 0 && l.At.Before(lines[i-1].At), "the oldest first")
		require.NotContains(t, l.Detail, "Matilda", "an audit says what was done with it, not what it says")
		told = append(told, l.Kind+" "+l.EndpointID+" "+l.Actor+" "+l.Detail)
	}
	all := strings.Join(told, "\n")
	for _, want := range []string{
		"accepted  dev ", "attempt " + e.ID + " hookloop attempt 1: HTTP 200",
		"attempt " + f.ID + " hookloop attempt 1: HTTP 503", "retry-now " + f.ID + " dev they say it is mended",
		"attempt " + f.ID + " hookloop attempt 2: HTTP 200", "redelivered " + e.ID + " dev",
	} {
		require.Contains(t, all, want)
	}
	require.Equal(t, 4, strings.Count(all, "attempt ep_"), all)

	begun := lines[0].At.Add(-time.Nanosecond).Format(time.RFC3339Nano)
	var exported []auditLine
	eventually(t, "visibility knows of both workflows", func() bool {
		out, stderr, code := hookloop(t, "audit", "export", "--data", data, "--after", begun)
		require.Zero(t, code, stderr)
		exported = nil
		for line := range strings.Lines(out) {
			var l auditLine
			require.NoError(t, json.Unmarshal([]byte(line), &l))
			exported = append(exported, l)
		}
		return len(exported) == len(lines)
	})
	require.ElementsMatch(t, lines, exported)
	out, stderr, code := hookloop(t, "audit", "export", "--data", data, "--before", begun)
	require.Zero(t, code, stderr)
	require.Empty(t, out)

	out, stderr, code = hookloop(t, "audit", "show", "--data", data, id)
	require.Zero(t, code, stderr)
	require.Contains(t, out, "they say it is mended")
	_, stderr, code = hookloop(t, "audit", "show", "--data", data, "evt_"+strings.Repeat("0", 26))
	require.Equal(t, 1, code)
	oneLine(t, stderr)
}
