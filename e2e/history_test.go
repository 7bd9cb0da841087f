package e2e

import (
	"flag"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/check"
	"hookloop/internal/endpointtest"
)

var (
	seed  = flag.Uint64("seed", 0, "of what tests with chance do; 0: another each time")
	proof = flag.Bool("proof", false, "also the tests of `make proof` that take minutes")
)

// onlyInProof skips a test that takes minutes.
func onlyInProof(t *testing.T) {
	t.Helper()
	if !*proof {
		t.Skip("`make proof` runs it")
	}
}

// dice is the chance of a test. Its seed is printed, and -seed repeats it.
func dice(t *testing.T) *rand.Rand {
	t.Helper()
	s := *seed
	if s == 0 {
		s = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed=%d repeats what chance decided", s)
	return rand.New(rand.NewPCG(s, s)) //nolint:gosec // to be repeated, not kept secret
}

// witness watches a run that breaks things, for check to judge. Clients tell it what they were
// answered; the rest it asks for at the end.
type witness struct {
	mu        sync.Mutex
	history   check.History
	endpoints map[string]watched
}

// watched is an endpoint from one of its receipts on.
type watched struct {
	*endpointtest.Server

	before []endpointtest.Receipt // what counts of the time before
	from   int
}

func newWitness() *witness { return &witness{endpoints: map[string]watched{}} }

// watch takes in what an endpoint receives from now on.
func (w *witness) watch(id string, s *endpointtest.Server) { w.watchFrom(id, s, len(s.Receipts())) }

func (w *witness) watchFrom(id string, s *endpointtest.Server, from int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.endpoints[id] = watched{Server: s, from: from}
}

// answered notes the answer to one post: 202 with the event's id, 0 for none, anything else for a
// refusal. Data is what was posted, if no other event has the same.
func (w *witness) answered(status int, id, key, data string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case status == http.StatusAccepted:
		w.history.Accepted = append(w.history.Accepted, check.Accepted{ID: id, Key: key, Data: data})
	case status == 0 && key == "":
		w.history.Unanswered++
	default:
		w.history.Refused++
	}
}

// fault begins a span in which something is broken, and gives what ends it.
func (w *witness) fault(name string) (mended func()) {
	from := time.Now()
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.history.Faults = append(w.history.Faults, check.Fault{Name: name, From: from, Until: time.Now()})
	}
}

// ids are those of the events accepted so far, each once.
func (w *witness) ids() map[string]bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	ids := map[string]bool{}
	for _, a := range w.history.Accepted {
		ids[a.ID] = true
	}
	return ids
}

// judge waits for the end of all that was accepted, and holds the run against the promises. Must
// names the counters of check that the run has to have met.
func (w *witness) judge(t *testing.T, a app, must ...string) check.Report {
	t.Helper()
	h := w.gather(t, a)
	r := check.Check(h, must...)
	t.Logf("judged: %s", r)
	require.Empty(t, r.Violations)
	return r
}

// gather asks the API what became of everything.
func (w *witness) gather(t *testing.T, a app) check.History {
	t.Helper()
	ids := w.ids()
	w.mu.Lock()
	h := w.history
	w.mu.Unlock()
	h.Events, h.Lines = map[string]check.Event{}, []check.Line{}
	for id := range ids {
		var e told
		eventually(t, "event "+id+" is told of, at its end", func() bool { // the gateway may be busy
			e = a.told(t.Context(), id)
			return e.ID != "" && (h.Unfinished || e.Status != "delivering")
		})
		h.Events[id] = check.Event{Status: e.Status, Deliveries: e.Deliveries}
		h.Lines = append(h.Lines, a.auditOf(t, "/events/"+id+"/audit")...)
	}
	for _, l := range a.auditOf(t, "/audit") {
		if l.EventID == "" { // of approvals and recoveries
			h.Lines = append(h.Lines, l)
		}
	}
	h.Receipts = map[string][]endpointtest.Receipt{}
	for id, s := range w.endpoints {
		h.Receipts[id] = append(slices.Clone(s.before), s.Receipts()[s.from:]...)
	}
	return h
}

// auditOf reads all pages of an audit.
func (a app) auditOf(t *testing.T, path string) (lines []check.Line) {
	t.Helper()
	for next := "-"; next != ""; {
		var page struct {
			Data       []auditLine
			NextCursor string `json:"next_cursor"`
		}
		query := ""
		if next != "-" {
			query = "?cursor=" + url.QueryEscape(next)
		}
		a.call(t, http.StatusOK, http.MethodGet, path+query, "", &page)
		for _, l := range page.Data {
			lines = append(lines, check.Line{At: l.At, EventID: l.EventID, EndpointID: l.EndpointID, Kind: l.Kind, Detail: l.Detail})
		}
		next = page.NextCursor
	}
	return lines
}
