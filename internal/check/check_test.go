package check_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/check"
	"hookloop/internal/endpointtest"
	"hookloop/internal/webhook"
)

var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

func after(seconds float64) time.Time { return noon.Add(time.Duration(seconds * float64(time.Second))) }

func receipt(id, data string, at float64, status int) endpointtest.Receipt {
	return endpointtest.Receipt{ID: id, At: after(at), Status: status, Body: []byte(`{"type":"a.b","data":` + data + `}`)}
}

func attempt(n int, at float64, status int) webhook.Attempt {
	return webhook.Attempt{Number: n, At: after(at), DurationMS: 20, StatusCode: status}
}

func line(event, kind string) check.Line {
	return check.Line{EventID: event, EndpointID: "ep_1", Kind: kind}
}

// honest is a run that kept every promise: evt_1 arrived at once, evt_2 at the second attempt, with
// a fault at 100 s.
func honest() check.History {
	return check.History{
		Accepted: []check.Accepted{{ID: "evt_1", Key: "a", Data: "1"}, {ID: "evt_1", Key: "a", Data: "1"}, {ID: "evt_2", Key: "b", Data: "2"}},
		Events: map[string]check.Event{
			"evt_1": {Status: "delivered", Deliveries: []webhook.DeliveryReport{
				{EndpointID: "ep_1", Status: webhook.Delivered, Attempts: []webhook.Attempt{attempt(1, 0, 200)}},
			}},
			"evt_2": {Status: "delivered", Deliveries: []webhook.DeliveryReport{
				{EndpointID: "ep_1", Status: webhook.Delivered, Attempts: []webhook.Attempt{attempt(1, 1, 503), attempt(2, 2, 200)}},
			}},
		},
		Receipts: map[string][]endpointtest.Receipt{"ep_1": {
			receipt("evt_1", "1", .01, 200), receipt("evt_2", "2", 1.01, 503), receipt("evt_2", "2", 2.01, 200),
		}},
		Lines:  []check.Line{line("evt_1", "attempt"), line("evt_2", "attempt"), line("evt_2", "attempt")},
		Order:  map[string][]string{"ep_1": {"evt_1", "evt_2"}},
		Faults: []check.Fault{{Name: "a kill", From: after(100), Until: after(110)}},
	}
}

func TestHonest(t *testing.T) {
	t.Parallel()
	r := check.Check(honest(), check.Accepts, check.Repeated, check.Faults, check.Retried, check.InOrder, check.AuditedLines)
	require.Empty(t, r.Violations)
	require.Zero(t, r.Duplicates)
	require.Equal(t, "2 accepted, 1 accepted again under its key, 1 faults, 1 deliveries of more than one attempt, 1 endpoints with an order, 3 audit lines", r.String())
}

// change gives a history in which one delivery's record is another.
func change(h *check.History, id string, to func(*webhook.DeliveryReport)) {
	e := h.Events[id]
	to(&e.Deliveries[0])
}

// TestAttemptThatNeverArrived: its time-out and the next attempt's receipt overlap, where the clock
// may have skipped. The receipt is that of the attempt which was answered.
func TestAttemptThatNeverArrived(t *testing.T) {
	t.Parallel()
	h := honest()
	h.Skips = 10 * time.Second
	change(&h, "evt_2", func(d *webhook.DeliveryReport) { d.Attempts[0].StatusCode = 0 })
	h.Receipts["ep_1"] = slices.Delete(h.Receipts["ep_1"], 1, 2)
	require.Empty(t, check.Check(h).Violations)
}

// TestLateRequest: an attempt is given up, the next is answered, and then the first one arrives.
func TestLateRequest(t *testing.T) {
	t.Parallel()
	h := honest()
	change(&h, "evt_2", func(d *webhook.DeliveryReport) { d.Attempts[0].StatusCode = 0 })
	h.Receipts["ep_1"][1].At = after(105)
	require.NotEmpty(t, check.Check(h).Violations)
	h.Late = 2 * time.Minute
	require.Empty(t, check.Check(h).Violations)
}

// TestLies tells each kind of lie in an honest history; the check must find it.
func TestLies(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		lie  func(*check.History)
		want string
	}{
		"an accepted event is unknown": {func(h *check.History) { delete(h.Events, "evt_1") }, "lost: evt_1"},
		"known after it was erased": {func(h *check.History) {
			h.Erased = map[string]time.Time{"evt_1": after(60)}
		}, "evt_1 was erased and is still known"},
		"sent after it was erased": {func(h *check.History) {
			h.Erased = map[string]time.Time{"evt_1": after(60)}
			delete(h.Events, "evt_1")
			h.Receipts["ep_1"] = append(h.Receipts["ep_1"], receipt("evt_1", "1", 105, 200))
		}, "and was erased before"},
		"an answer without an event": {func(h *check.History) { h.Accepted = append(h.Accepted, check.Accepted{}) }, "accepted nothing"},
		"a key with two events":      {func(h *check.History) { h.Accepted[1].ID = "evt_2" }, `key "a" became evt_1 and evt_2`},
		"an event with two keys":     {func(h *check.History) { h.Accepted[1].Key = "c" }, `evt_1 came of keys "a" and "c"`},
		"never delivered": {func(h *check.History) {
			change(h, "evt_2", func(d *webhook.DeliveryReport) { d.Status = webhook.Retrying })
		}, "lost: evt_2 to ep_1 is still retrying"},
		"an event without an end": {func(h *check.History) {
			e := h.Events["evt_1"]
			e.Status = "delivering"
			h.Events["evt_1"] = e
		}, "still delivering"},
		"delivered without a receipt": {func(h *check.History) {
			h.Receipts["ep_1"] = h.Receipts["ep_1"][1:]
		}, "evt_1 to ep_1: attempt 1 was answered 200, and the endpoint did not see it"},
		"delivered without success": {func(h *check.History) {
			change(h, "evt_2", func(d *webhook.DeliveryReport) { d.Attempts = d.Attempts[:1] })
		}, "without an attempt that succeeded"},
		"exhausted after a success": {func(h *check.History) {
			change(h, "evt_2", func(d *webhook.DeliveryReport) { d.Status = webhook.Exhausted })
		}, "said to be exhausted"},
		"ended without a word": {func(h *check.History) {
			change(h, "evt_2", func(d *webhook.DeliveryReport) { d.Status = webhook.Cancelled })
		}, "ended as cancelled without a reason"},
		"a gap in the numbers": {func(h *check.History) {
			change(h, "evt_2", func(d *webhook.DeliveryReport) { d.Attempts[1].Number = 3 })
		}, "attempt 2 is numbered 3"},
		"sent twice with nothing broken": {func(h *check.History) {
			h.Receipts["ep_1"] = append(h.Receipts["ep_1"], receipt("evt_1", "1", 50, 200))
		}, "nothing was broken then"},
		"sent again after it was on record": {func(h *check.History) {
			h.Receipts["ep_1"] = append(h.Receipts["ep_1"], receipt("evt_1", "1", 105, 200))
		}, "when its last attempt was on record"},
		"sent again and again": {func(h *check.History) {
			again := receipt("evt_1", "1", 100.5, 200)
			h.Receipts["ep_1"] = append(h.Receipts["ep_1"], again, again)
		}, "2 times more often than is on record"},
		"another answer on record": {func(h *check.History) { h.Receipts["ep_1"][2].Status = 500 }, "did not see it"},
		"signed with another key":  {func(h *check.History) { h.Receipts["ep_1"][0].Verified = errors.New("no match") }, "does not hold"},
		"another webhook-id":       {func(h *check.History) { h.Receipts["ep_1"][2].ID = "evt_3" }, "webhook-id changed: the data of evt_2 came as evt_3"},
		"other data":               {func(h *check.History) { h.Receipts["ep_1"][0].Body = []byte(`{"data":7}`) }, "other data"},
		"came, never accepted": {func(h *check.History) {
			h.Receipts["ep_1"] = append(h.Receipts["ep_1"], receipt("evt_9", "9", 3, 200))
		}, "1 events came that were not accepted"},
		"out of order": {func(h *check.History) {
			all := h.Receipts["ep_1"]
			all[0], all[1] = all[1], all[0]
		}, "order at ep_1"},
		"an attempt without a line": {func(h *check.History) { h.Lines = h.Lines[:2] }, "audit: evt_2 to ep_1 has 2 attempts on record and 1 lines"},
		"a line without an attempt": {func(h *check.History) { h.Lines = append(h.Lines, line("evt_1", "attempt")) }, "audit: evt_1 to ep_1"},
		"two posts became one": {func(h *check.History) {
			h.Accepted = []check.Accepted{{ID: "evt_1", Data: "1"}, {ID: "evt_1"}, {ID: "evt_2", Data: "2"}}
		}, "two posts without a key became evt_1"},
		"faster than its limit": {func(h *check.History) {
			h.Limits = map[string]webhook.RateLimit{"ep_1": {PerSecond: .1, Burst: 1}}
		}, "ep_1 got 1 requests more than its limit of 0.1 a second (burst 1) allows"},
		"two episodes": {func(h *check.History) {
			for n, kind := range []string{"episode-started", "episode-ended", "episode-started", "episode-started"} {
				h.Lines = append([]check.Line{{At: after(float64(n)), Kind: kind, EndpointID: "ep_1"}}, h.Lines...) // the latest first
			}
		}, "ep_1 has 2 episodes at once"},
		"all said to be delivered": {func(h *check.History) {
			change(h, "evt_2", func(d *webhook.DeliveryReport) { d.Status, d.Reason = webhook.Rejected, "x" })
		}, "not all its deliveries are"},
		"unmatched, with deliveries": {func(h *check.History) {
			h.Events["evt_1"] = check.Event{Status: "unmatched", Deliveries: h.Events["evt_1"].Deliveries}
		}, "said to be unmatched"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := honest()
			tc.lie(&h)
			r := check.Check(h)
			require.NotEmpty(t, r.Violations)
			found := false
			for _, v := range r.Violations {
				found = found || strings.Contains(v, tc.want)
			}
			require.True(t, found, "%q in %q", tc.want, r.Violations)
		})
	}
}

// TestFaultsExcuse: what was under way at a fault may come twice, and a request without an answer
// may have been accepted.
func TestFaultsExcuse(t *testing.T) {
	t.Parallel()
	h := honest()
	h.Receipts["ep_1"] = append(h.Receipts["ep_1"], receipt("evt_1", "1", 105, 200), receipt("evt_9", "9", 102, 200))
	h.Receipts["ep_1"][0].At = after(101)
	change(&h, "evt_1", func(d *webhook.DeliveryReport) { d.Attempts[0].At = after(105) })
	h.Order, h.Unanswered = nil, 1
	r := check.Check(h, check.Duplicates, check.Unanswered)
	require.Empty(t, r.Violations)
	require.Equal(t, 1, r.Duplicates)
}

// TestRedeliveries have their attempts in the audit alone.
func TestRedeliveries(t *testing.T) {
	t.Parallel()
	h := honest()
	h.Receipts["ep_1"] = append(h.Receipts["ep_1"], receipt("evt_1", "1", 50, 200))
	h.Lines = append(h.Lines, line("evt_1", "redelivered"), line("evt_1", "attempt"))
	require.Empty(t, check.Check(h, check.Redelivered).Violations)
	h.Receipts["ep_1"] = append(h.Receipts["ep_1"], receipt("evt_1", "1", 51, 200))
	require.NotEmpty(t, check.Check(h).Violations, "once, not twice")
}

// TestNotReached: a run has to have met what it is for.
func TestNotReached(t *testing.T) {
	t.Parallel()
	r := check.Check(honest(), check.BreakerOpen, check.Faults, "a word of no list")
	require.Equal(t, []string{"not reached: deferred by an open breaker", `there is no counter "a word of no list"`}, r.Violations)
}

// TestCounters counts the branches by what the audit says of them.
func TestCounters(t *testing.T) {
	t.Parallel()
	h := honest()
	h.Lines = append(h.Lines,
		check.Line{Kind: "deferred", Detail: "attempt 1 → ep_1: deferred: breaker_open"},
		check.Line{Kind: "deferred", Detail: "deferred: rate_limited"}, check.Line{Kind: "deferred", Detail: "deferred: internal: x"},
		check.Line{Kind: "failing"}, check.Line{Kind: "release"}, check.Line{Kind: "echo"})
	h.Events["evt_3"] = check.Event{Status: "unmatched"}
	h.Accepted = append(h.Accepted, check.Accepted{ID: "evt_3", Third: true})
	require.Empty(t, check.Check(h, check.Deferred, check.BreakerOpen, check.AtLimit, check.OurFault, check.Asked, check.Released,
		check.Echo, check.Unmatched, check.ThirdParty).Violations)
}

// TestLimits: a limit is no limit to probes, and a fault makes its tokens anew.
func TestLimits(t *testing.T) {
	t.Parallel()
	h := honest()
	h.Limits = map[string]webhook.RateLimit{"ep_1": {PerSecond: .1, Burst: 1}}
	require.NotEmpty(t, check.Check(h).Violations)
	require.NotEmpty(t, check.Check(h, check.Limited).Violations)
	h.Lines = append(h.Lines, check.Line{At: after(1), Kind: "probe", EndpointID: "ep_1"}, check.Line{At: after(2), Kind: "probe", EndpointID: "ep_1"})
	require.Empty(t, check.Check(h, check.Limited, check.Probed).Violations)

	h = honest()
	h.Limits = map[string]webhook.RateLimit{"ep_1": {PerSecond: 2, Burst: 1}}
	require.Empty(t, check.Check(h).Violations)

	h = honest()
	h.Order = nil
	h.Limits = map[string]webhook.RateLimit{"ep_1": {PerSecond: .1, Burst: 1}}
	h.Faults = append(h.Faults, check.Fault{From: after(40), Until: after(41)})
	for n := range 3 { // three seconds, a fault, and three seconds
		h.Receipts["ep_1"] = append(h.Receipts["ep_1"], receipt("evt_2", "2", 70+float64(n)/10, 200))
	}
	h.Lines = append(h.Lines, check.Line{Kind: "redelivered", EventID: "evt_2", EndpointID: "ep_1"}, line("evt_2", "attempt"), line("evt_2", "attempt"), line("evt_2", "attempt"))
	r := check.Check(h)
	require.Len(t, r.Violations, 2, "each burst of three, and not the six together: %q", r.Violations)
}

// TestRepeatedLines: each event's audit tells of the episodes of its endpoints, which are the same.
func TestRepeatedLines(t *testing.T) {
	t.Parallel()
	h := honest()
	for range 2 {
		h.Lines = append(h.Lines, check.Line{At: after(1), Kind: "episode-started", EndpointID: "ep_1"}, check.Line{At: after(2), Kind: "episode-ended", EndpointID: "ep_1"})
	}
	require.Empty(t, check.Check(h).Violations)
}
