package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/api"
	"hookloop/client"
	"hookloop/internal/terminal"
)

var clock = regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  `)

func TestApprovalWatchOfOneEndsWithIt(t *testing.T) {
	t.Parallel()
	unavailable := canned{status: 503, body: `{"code":"unavailable","detail":"Temporal cannot be reached"}`}
	for status, failure := range map[string]string{
		"released":  "",
		"recovered": "",
		"rejected":  "the approval of ep_1 ended as rejected: they left",
		"cancelled": "the approval of ep_1 ended as cancelled: they left",
	} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			g := newStandIn(t, map[string][]canned{"GET" + approvalURI: {
				approval("awaiting-approval", `"decide_by":"2026-02-07T13:00:00Z",`),
				approval("awaiting-approval", `"decide_by":"2026-02-07T13:00:00Z","last_answers":[{}],`),
				unavailable, unavailable,
				approval(status, `"reason":"they left",`),
			}})
			r := g.run(t, "approval", "watch", "ep_1")
			require.Equal(t, "ep_1  awaiting-approval  (120 waiting, decide by 2026-02-07T13:00:00Z)\n"+
				"ep_1  "+status+": they left  (120 waiting)\n", clock.ReplaceAllString(r.stdout, ""))
			complaint, rest, _ := strings.Cut(r.stderr, "\n")
			require.Equal(t, "Temporal cannot be reached (unavailable, HTTP 503); trying again", complaint)
			if failure == "" {
				require.Zero(t, r.code)
				require.Empty(t, rest)
				return
			}
			require.Equal(t, 1, r.code)
			require.Equal(t, "hookloop: "+failure+"\n", rest)
		})
	}
}

func TestApprovalWatchOfNone(t *testing.T) {
	t.Parallel()
	g := newStandIn(t, nil)
	require.Contains(t, g.run(t, "approval", "watch", "ep_1").fails(t, 1), "(not_found, HTTP 404)")
	require.Contains(t, g.run(t, "approval", "watch").fails(t, 1), "(not_found, HTTP 404)")
	require.Contains(t, hookloop(t, "approval", "watch", "--gateway", "http://127.0.0.1:1", "--tenant", "t", "--token", "x").fails(t, 1), "no gateway at")
}

// watching is a `hookloop approval watch` under way.
type watching struct {
	lines  *lineReader
	stderr bytes.Buffer
	ended  chan int
	stop   func()
}

func watch(t *testing.T, g *standIn, args ...string) *watching {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	r, out := io.Pipe()
	w := &watching{lines: &lineReader{r}, ended: make(chan int, 1), stop: cancel}
	go func() {
		w.ended <- terminal.Execute(ctx, New("test"), append([]string{"approval", "watch", "--data", g.data}, args...), out, &w.stderr)
		_ = out.Close()
	}()
	return w
}

// lineReader reads what was printed, a line at a time: the pipe makes the command wait for us.
type lineReader struct{ r io.Reader }

func (l *lineReader) next(t *testing.T) string {
	t.Helper()
	b := make([]byte, 4<<10)
	n, err := l.r.Read(b)
	require.NoError(t, err)
	return clock.ReplaceAllString(string(b[:n]), "")
}

func TestApprovalWatchOfAll(t *testing.T) {
	t.Parallel()
	const uri = "GET /v1/tenants/demo/approvals"
	g := newStandIn(t, map[string][]canned{uri: {approvalPage(), approvalPage(approval("watching", ""))}})
	w := watch(t, g)
	require.Equal(t, "ep_1  watching  (120 waiting)\n", w.lines.next(t))

	g.set(uri, approvalPage(approval("watching", ""), canned{body: `{"endpoint_id":"ep_2","status":"releasing","waiting":7,"released":3}`}))
	require.Equal(t, "ep_2  releasing  (7 waiting, 3 released)\n", w.lines.next(t))

	// What is no longer listed has ended; that the list is behind is no news, a new episode is.
	g.set("GET"+approvalURI, approval("recovered", `"reason":"by itself",`))
	g.set(uri, approvalPage(approval("recovered", `"reason":"by itself",`)), approvalPage(approval("watching", "")), approvalPage(),
		approvalPage(canned{body: `{"endpoint_id":"ep_1","status":"watching","failing_since":"2026-03-01T00:00:00Z","ask_at":"2026-03-01T01:00:00Z"}`}))
	require.Equal(t, "ep_1  recovered: by itself  (120 waiting)\n", w.lines.next(t))
	require.Equal(t, "ep_1  watching  (people are asked at 2026-03-01T01:00:00Z)\n", w.lines.next(t))

	w.stop()
	require.Equal(t, 0, <-w.ended)
	require.Equal(t, "No approval is open; waiting for one.   Ctrl-C stops\n", w.stderr.String())
}

func TestApprovalWatchJSON(t *testing.T) {
	t.Parallel()
	const uri = "GET /v1/tenants/demo/approvals"
	g := newStandIn(t, map[string][]canned{uri: {approvalPage(), approvalPage(approval("watching", ""))}})
	w := watch(t, g, "--json")
	line := w.lines.next(t)
	require.JSONEq(t, approval("watching", "").body, line)
	require.Equal(t, 1, strings.Count(line, "\n"))
	require.Contains(t, line, `"unknown_here":1.10`)
	w.stop()
	require.Equal(t, 0, <-w.ended)
	require.Empty(t, w.stderr.String())
}

// A gateway that goes away is waited for, once it has answered.
func TestApprovalWatchOutlastsTheGateway(t *testing.T) {
	t.Parallel()
	var side bytes.Buffer
	w := &approvalWatch{side: &side}
	away := errors.New("no gateway at x: is `hookloop dev` running?")
	looks := []error{nil, away, away, nil, away, nil}
	require.NoError(t, w.poll(t.Context(), func() (bool, error) {
		err := looks[0]
		looks = looks[1:]
		return len(looks) == 0, err
	}))
	complaint := away.Error() + "; trying again\n"
	require.Equal(t, complaint+complaint, side.String(), "once for each time it was away")

	refused := &client.Error{Problem: api.Problem{Status: 401, Code: api.Unauthenticated, Detail: "the token has expired"}}
	require.ErrorIs(t, w.poll(t.Context(), func() (bool, error) { return false, refused }), refused)
}
