package e2e

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/workflowservice/v1"

	"hookloop/internal/archive"
	"hookloop/internal/chain"
	"hookloop/internal/endpointtest"
	"hookloop/internal/webhook"
)

// TestArchive copies fifty events that ended in every way, kills the copying in the middle, deletes
// what was copied, and damages it.
func TestArchive(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	a := app{start(t, data)}
	ids, want := fiftyEvents(t, a)
	out := filepath.Join(t.TempDir(), "archive")
	all := archived(t, data, out, want)

	r, stderr, code := hookloop(t, "archive", "--to", out, "--data", data)
	require.Equal(t, 0, code, stderr)
	require.Contains(t, r, "archived 0 executions", "nothing twice")
	require.Len(t, lines(t, out), len(all))
	stdout, _, code := hookloop(t, "archive", "verify", out, "--public-key", filepath.Join(data, "audit.pub"))
	require.Equal(t, 0, code)
	require.Contains(t, stdout, strconv.Itoa(len(all))+" files whole, 0 erased, 0 in no index\n"+strconv.Itoa(len(all))+" records signed, head ")

	t.Run("killed", func(t *testing.T) { killsArchive(t, data, want, all) })
	t.Run("deleted", func(t *testing.T) { showsDeleted(t, a, out, all, ids[0]) })
	t.Run("trails", func(t *testing.T) { showsTrails(t, out, all) })
	t.Run("follows", func(t *testing.T) { followsArchive(t, a, data) })
	t.Run("terminated", func(t *testing.T) { showsTerminated(t, a, data, out) }) // its endpoint takes nothing of anything
	t.Run("damaged", func(t *testing.T) { findsDamage(t, out, all) })
}

// fiftyEvents are 20 delivered at once, 10 of which some are retried, 10 held and approved, 10
// rejected. It says how many executions that makes.
func fiftyEvents(t *testing.T, a app) (ids []string, want map[string]int) {
	t.Helper()
	want = map[string]int{"Event": 50 + 5, "Approval": 2} // five are our own: held twice, released, recovered, rejected
	post := func(n int, kind string) {
		for i := range n {
			ids = append(ids, a.post(t, `{"type":"kind.`+kind+`","data":{"n":`+strconv.Itoa(i)+`}}`).ID)
		}
	}
	listen := func(kind, script, schedule string) endpoint {
		_, e := a.listen(t, endpointtest.Config{Script: script}, `,"schedule":`+schedule+`,"event_types":["kind.`+kind+`"]`)
		return e
	}
	listen("delivered", "200", `["0s"]`)
	post(20, "delivered")
	listen("retried", "503:3 200", `["0s","50ms","50ms","50ms","50ms"]`)
	post(10, "retried")
	for kind, verb := range map[string][2]string{
		"held": {"approve", `{"reason":"as agreed","rate_per_second":100}`}, "rejected": {"reject", `{"reason":"as agreed"}`},
	} {
		e := listen(kind, "410:1 200", `["0s","1h"]`)
		post(1, kind)
		a.approval(t, e.ID, webhook.ApprovalAwaiting)
		post(9, kind)
		for _, id := range ids[len(ids)-10:] {
			a.isHeld(t, id)
		}
		a.call(t, http.StatusAccepted, http.MethodPost, "/approvals/"+e.ID+"/"+verb[0], verb[1], nil)
		a.approval(t, e.ID, map[string]webhook.ApprovalStatus{"held": webhook.ApprovalReleased, "rejected": webhook.ApprovalRejected}[kind])
	}
	for _, id := range ids {
		for _, d := range a.ended(t, id).Deliveries {
			if d.WorkflowID != "" {
				want["Delivery"]++
			}
		}
	}
	return ids, want
}

// archived copies until visibility has told of so many executions, and gives all lines by run id.
func archived(t *testing.T, data, out string, want map[string]int) map[string]archive.Entry {
	t.Helper()
	for end := time.Now().Add(patience); ; {
		_, stderr, code := hookloop(t, "archive", "--to", out, "--data", data)
		require.Equal(t, 0, code, stderr)
		all, types := map[string]archive.Entry{}, map[string]int{}
		for _, e := range lines(t, out) {
			require.NotContains(t, all, e.RunID, "twice")
			all[e.RunID] = e
			types[e.Type]++
		}
		if maps.Equal(types, want) {
			return all
		}
		require.True(t, time.Now().Before(end), "%v, not %v", types, want)
	}
}

// lines reads the index.
func lines(t *testing.T, out string) (all []archive.Entry) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(out, "_index/*/*/*/*.jsonl"))
	require.NoError(t, err)
	for _, name := range files {
		content, err := os.ReadFile(name)
		require.NoError(t, err)
		for line := range strings.Lines(string(content)) {
			var record struct{ Line archive.Entry }
			require.NoError(t, json.Unmarshal([]byte(line), &record))
			all = append(all, record.Line)
		}
	}
	return all
}

// copies are the files of all tenants.
func copies(t *testing.T, out string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(out, "*/*/*/*/*.json.gz"))
	require.NoError(t, err)
	return files
}

// killsArchive wants whole files or none, whenever it dies, and all of them from the run after.
func killsArchive(t *testing.T, data string, want map[string]int, all map[string]archive.Entry) {
	out := filepath.Join(t.TempDir(), "archive")
	for _, after := range []int{1, 20} {
		c := exec.CommandContext(t.Context(), binary, "archive", "--to", out, "--data", data)
		require.NoError(t, c.Start())
		require.Eventually(t, func() bool { return len(copies(t, out)) >= after }, patience, time.Millisecond)
		_ = c.Process.Kill() // it may have ended
		_ = c.Wait()
		t.Logf("killed: %d of %d files, %d lines", len(copies(t, out)), len(all), len(lines(t, out)))
		for _, file := range copies(t, out) {
			_, err := archive.Read(t.Context(), file, nil)
			require.NoError(t, err)
		}
		v, err := archive.Verify(t.Context(), out, nil)
		if err == nil { // else it died before the first line
			require.Empty(t, v.Faults)
		}
	}
	require.Len(t, archived(t, data, out, want), len(all))
	text, err := os.ReadFile(filepath.Join(data, "audit.pub"))
	require.NoError(t, err)
	public, err := chain.ParsePublic(string(text))
	require.NoError(t, err)
	v, err := archive.Verify(t.Context(), out, public)
	require.NoError(t, err)
	require.Empty(t, v.Faults)
	require.Equal(t, []int64{int64(len(all)), int64(len(all))}, []int64{int64(v.Whole), v.Records})
}

// showsDeleted reads what Temporal has no more.
func showsDeleted(t *testing.T, a app, out string, all map[string]archive.Entry, id string) {
	c := a.p.dial(t)
	workflow := "event/" + a.p.Tenant + "/" + id
	_, err := c.WorkflowService().DeleteWorkflowExecution(t.Context(), &workflowservice.DeleteWorkflowExecutionRequest{
		Namespace: a.p.Namespace, WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: workflow},
	})
	require.NoError(t, err)
	eventually(t, "it is deleted", func() bool {
		_, err := c.DescribeWorkflowExecution(t.Context(), workflow, "")
		return err != nil
	})
	for _, e := range all {
		if e.WorkflowID == workflow {
			stdout, stderr, code := hookloop(t, "archive", "show", filepath.Join(out, e.File))
			require.Equal(t, 0, code, stderr)
			require.Contains(t, stdout, "accepted")
			require.Regexp(t, id+" .*kind.delivered", stdout)
			require.Contains(t, stdout, "HTTP 200")
			return
		}
	}
	require.Fail(t, "not archived")
}

// showsTerminated archives what a person ended in the Temporal UI, and shows who.
func showsTerminated(t *testing.T, a app, data, out string) {
	_, _, ev := waitingDelivery(t, a, "503")
	require.NoError(t, a.p.dial(t).TerminateWorkflow(t.Context(), ev.WorkflowID, "", "by mistake"))
	eventually(t, "it is archived", func() bool {
		_, stderr, code := hookloop(t, "archive", "--to", out, "--data", data, "--tenant", a.p.Tenant)
		require.Equal(t, 0, code, stderr)
		for _, e := range lines(t, out) {
			if e.WorkflowID != ev.WorkflowID {
				continue
			}
			require.Equal(t, "Terminated", e.Status)
			stdout, _, code := hookloop(t, "archive", "show", filepath.Join(out, e.File))
			require.Equal(t, 0, code)
			require.Regexp(t, `terminated .*by .*by mistake`, stdout)
			return true
		}
		return false
	})
}

func showsTrails(t *testing.T, out string, all map[string]archive.Entry) {
	approvals := map[string]string{}
	for _, e := range all {
		if e.Type != "Approval" {
			continue
		}
		stdout, _, code := hookloop(t, "archive", "show", filepath.Join(out, e.File))
		require.Equal(t, 0, code)
		approvals[e.Outcome] = stdout
	}
	require.Regexp(t, `approve +ep_[0-9a-z]{26} +by dev, as they say +as agreed \(100 a second\)`, approvals["released"])
	require.Regexp(t, `reject +ep_[0-9a-z]{26} +by dev, as they say +as agreed`, approvals["rejected"])
	require.Contains(t, approvals["rejected"], "it fails: HTTP 410")
}

// followsArchive copies what ends while it runs, and ends well with Ctrl-C.
func followsArchive(t *testing.T, a app, data string) {
	out := filepath.Join(t.TempDir(), "archive")
	c := exec.CommandContext(t.Context(), binary, "archive", "--to", out, "--data", data, "--since", "1h", "--follow")
	require.NoError(t, c.Start())
	eventually(t, "it has begun", func() bool { return len(copies(t, out)) >= 50 })
	_, stderr, code := hookloop(t, "archive", "--to", out, "--data", data)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "is being written to by another process")
	id := a.post(t, `{"type":"kind.delivered","data":{"n":99}}`).ID
	eventually(t, "it follows", func() bool {
		return strings.Contains(strings.Join(copies(t, out), " "), id)
	})
	require.NoError(t, c.Process.Signal(syscall.SIGINT))
	require.NoError(t, c.Wait())
}

func findsDamage(t *testing.T, out string, all map[string]archive.Entry) {
	var e archive.Entry
	for _, e = range all {
		break
	}
	name := filepath.Join(out, e.File)
	content, err := os.ReadFile(name)
	require.NoError(t, err)
	content[len(content)/2] ^= 1
	require.NoError(t, os.WriteFile(name, content, 0o600))
	stdout, stderr, code := hookloop(t, "archive", "verify", out)
	require.Equal(t, 1, code)
	require.Contains(t, stdout, e.File+"  damaged\n")
	require.Equal(t, "hookloop: it is not as it was written: 1 fault\n", stderr)
}
