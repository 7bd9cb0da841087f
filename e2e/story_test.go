package e2e

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// as is the same app with the token of a person.
func (a app) as(t *testing.T, data, name string, scopes ...string) app {
	t.Helper()
	args := []string{"token", "--data", data, "--sub", name}
	for _, s := range scopes {
		args = append(args, "--scope", s)
	}
	out, stderr, code := hookloop(t, args...)
	require.Zero(t, code, stderr)
	mine := *a.p
	mine.Token = strings.TrimSpace(out)
	return app{&mine}
}

// signalInUI sends a signal as the Temporal UI does.
func (p *process) signalInUI(t *testing.T, workflowID, signal, input string) {
	t.Helper()
	address := p.UI + "/api/v1/namespaces/" + p.Namespace + "/workflows/" + strings.ReplaceAll(workflowID, "/", "%2F") + "/signal/" + signal
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, bytes.NewBufferString(`{"input":{"payloads":[`+input+`]},"identity":"ui-person"}`))
	require.NoError(t, err)
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	browser := &http.Client{Jar: jar, Timeout: patience}
	page, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.UI+"/api/v1/settings", nil)
	require.NoError(t, err)
	shown, err := browser.Do(page)
	require.NoError(t, err)
	require.NoError(t, shown.Body.Close())
	for _, c := range jar.Cookies(page.URL) {
		if c.Name == "_csrf" {
			req.Header.Set("X-CSRF-TOKEN", c.Value)
		}
	}
	req.Header.Set("Content-Type", "application/json")
	answer, err := browser.Do(req)
	require.NoError(t, err)
	said, err := io.ReadAll(answer.Body)
	require.NoError(t, errors.Join(err, answer.Body.Close()))
	require.Equal(t, http.StatusOK, answer.StatusCode, "%s", said)
}

// audited reads an event's lines.
func (a app) audited(t *testing.T, id string) (lines []webhook.AuditLine) {
	t.Helper()
	var page struct{ Data []webhook.AuditLine }
	a.call(t, http.StatusOK, http.MethodGet, "/events/"+id+"/audit", "", &page)
	return page.Data
}

func lineOf(lines []webhook.AuditLine, fits func(webhook.AuditLine) bool) *webhook.AuditLine {
	for i := range lines {
		if fits(lines[i]) {
			return &lines[i]
		}
	}
	return nil
}

// TestTheStoryOfAnEvent lets one event fail, be held, be decided about by two people, go to another
// URL, be released and delivered again. A person who was not there learns it from its audit.
func TestTheStoryOfAnEvent(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data)
	a := app{p}
	jane, zoe := a.as(t, data, "jane"), a.as(t, data, "Zoë")
	old, e := a.listen(t, endpointtest.Config{Script: "410"}, `,"schedule":["0s","50ms","24h"],"approval":{"after":"1s","named":true}`)
	mended, _ := a.listen(t, endpointtest.Config{}, `,"event_types":["another.type"]`)
	id := a.post(t, `{"type":"contact.updated","data":{"id":1}}`).ID
	a.isHeld(t, id)
	a.approval(t, e.ID, webhook.ApprovalAwaiting)

	approval := workflows.ApprovalWorkflowID(p.Tenant, e.ID)
	p.signalInUI(t, approval, workflows.SignalApprove, "")
	forged := `{"metadata":{"encoding":"anNvbi9wbGFpbg=="},"data":"eyJieSI6ImFsaWNlIiwicmVhc29uIjoiYXR0ZW1wdCAyOiBIVFRQIDIwMCBpbiA1IG1zIn0="}`
	p.signalInUI(t, approval, "attempt", forged) // {"by":"alice","reason":"attempt 2: HTTP 200 in 5 ms"}
	probed := len(old.Receipts())
	jane.call(t, http.StatusAccepted, http.MethodPost, "/approvals/"+e.ID+"/approve", `{"reason":"they say it is mended"}`, nil)
	eventually(t, "the probe fails, and people are asked again", func() bool { return len(old.Receipts()) > probed })
	a.approval(t, e.ID, webhook.ApprovalAwaiting)
	zoe.call(t, http.StatusOK, http.MethodPatch, "/endpoints/"+e.ID, `{"url":"`+strings.Replace(mended.URL, "127.0.0.1", "localhost", 1)+`/hooks/secret-path"}`, nil)
	zoe.call(t, http.StatusOK, http.MethodGet, "/endpoints/"+e.ID+"/secret", "", nil)
	eventually(t, "the second decision is taken", func() bool {
		status, _ := zoe.try(t.Context(), http.MethodPost, "/approvals/"+e.ID+"/approve", `{"reason":"they moved","rate_per_second":50}`, nil)
		return status == http.StatusAccepted
	})
	a.ended(t, id)
	a.approval(t, e.ID, webhook.ApprovalReleased)
	jane.call(t, http.StatusAccepted, http.MethodPost, "/events/"+id+"/redeliver", `{"endpoint_id":"`+e.ID+`"}`, nil)

	auditor := a.as(t, data, "auditor", "audit:read")
	var lines []webhook.AuditLine
	eventually(t, "all of it is on record", func() bool {
		lines = auditor.audited(t, id)
		ends := 0
		for _, l := range lines {
			if l.Kind == webhook.AuditDeliveryEnded && strings.HasPrefix(l.WorkflowID, "delivery/") {
				ends++
			}
		}
		return ends == 2 && lineOf(lines, func(l webhook.AuditLine) bool { return l.Kind == webhook.AuditEpisodeEnded }) != nil
	})
	told := func(kind webhook.AuditKind, actor string) webhook.AuditLine {
		t.Helper()
		l := lineOf(lines, func(l webhook.AuditLine) bool { return l.Kind == kind && l.Actor == actor })
		require.NotNil(t, l, "%s by %s in %+v", kind, actor, lines)
		return *l
	}
	require.Equal(t, webhook.ViaAPI, told(webhook.AuditAccepted, "dev").Via)
	require.Equal(t, "they say it is mended", told(webhook.AuditApprove, "jane").Reason)
	let := told(webhook.AuditApprove, "Zoë")
	require.Equal(t, []any{"they moved", webhook.ViaAPI, ""}, []any{let.Reason, let.Via, let.ActorClaimed})
	moved := told(webhook.AuditEndpointChanged, "Zoë")
	require.Len(t, moved.Changes, 1)
	require.NotContains(t, moved.Changes[0].To, "secret-path")
	told(webhook.AuditSecretRead, "Zoë")
	told(webhook.AuditRedelivered, "jane")
	for _, l := range lines {
		if l.Kind == webhook.AuditAttempt && l.Via == webhook.ViaHookloop {
			require.Equal(t, l.StatusCode == 200, strings.HasPrefix(l.EndpointURLHost, "localhost:"), "%+v", l)
			require.Equal(t, webhook.ByHookloop, l.Actor)
		}
	}
	unnamed := lineOf(lines, func(l webhook.AuditLine) bool {
		return l.Kind == webhook.AuditRefused && l.Via == webhook.ViaTemporalUI
	})
	require.NotNil(t, unnamed)
	require.Equal(t, []string{"", "ui-person"}, []string{unnamed.Actor, unnamed.ActorClaimed})
	signal := lineOf(lines, func(l webhook.AuditLine) bool { return l.Kind == webhook.AuditSignal })
	require.NotNil(t, signal, "a signal's name makes no line of another kind")
	require.Equal(t, []string{"attempt", "", "alice"}, []string{signal.Name, signal.Actor, signal.ActorClaimed})

	status, _ := auditor.try(t.Context(), http.MethodGet, "/endpoints/"+e.ID, "", nil)
	require.Equal(t, http.StatusForbidden, status, "an auditor reads the audit, and nothing else")
	out, stderr, code := hookloop(t, "audit", "show", "--data", data, id)
	require.Zero(t, code, stderr)
	t.Log("\n" + out)
	for _, part := range []string{"by Zoë", "by jane", "they moved", "left out", "endpoint-changed", "by ui-person, as they say (temporal-ui)"} {
		require.Contains(t, out, part)
	}
	require.NotContains(t, out, "secret-path")
}

// TestAClientOfTheNetworkIsKnownAsSuch: it can claim what it wants.
func TestAClientOfTheNetworkIsKnownAsSuch(t *testing.T) {
	t.Parallel()
	p := start(t, filepath.Join(t.TempDir(), "data"))
	a := app{p}
	_, e := a.listen(t, endpointtest.Config{Script: "503"}, `,"schedule":["0s","24h"]`)
	id := a.post(t, `{"type":"contact.updated","data":1}`).ID
	a.delivery(t, id, "waits", func(d webhook.DeliveryReport) bool { return d.WorkflowID != "" })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, p.dial(t).SignalWorkflow(ctx, workflows.DeliveryWorkflowID(p.Tenant, id, e.ID), "", workflows.SignalCancel, webhook.Instruction{By: "jane", Reason: "no"}))
	a.ended(t, id)
	l := lineOf(a.audited(t, id), func(l webhook.AuditLine) bool { return l.Kind == webhook.AuditCancel })
	require.NotNil(t, l)
	require.Equal(t, []any{webhook.ViaTemporal, "", "jane", "no"}, []any{l.Via, l.Actor, l.ActorClaimed, l.Reason})
}
