package simulation_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/check"
	"hookloop/internal/signature"
	"hookloop/internal/webhook"
)

// reported is the type of what an application reports.
const reported = "crm.contact.changed"

// application takes events at its endpoint and, as a source, reports each value that it was
// brought, as one does that cannot tell its own changes from those made for it. Now and then it
// reports a change of its own.
type application struct {
	place  *place
	ingest string
	secret signature.Secret
	chance *rand.Rand // of its own, so that the rest of a seed is what it was without it

	seen    int                // receipts that it has looked at
	had     map[string]bool    // what it was brought
	reports map[string]*report // by their webhook-id
}

// report is what an application said.
type report struct {
	of    string // the event that brought it the value; empty: it is a change of its own
	again bool   // it was brought that value before: whether that is news, nothing can tell (ADR 8)
	id    string // of the event that it became; empty: not known yet
}

// apply gives every third scenario an application.
func (s *scenario) apply() {
	s.w.t.Helper()
	chance := rand.New(rand.NewPCG(s.seed, s.seed^0xec40)) //nolint:gosec // to be repeated, not kept secret
	if chance.IntN(3) > 0 {
		return
	}
	a := &application{secret: signature.NewSecret(), chance: chance, had: map[string]bool{}, reports: map[string]*report{}}
	var made struct {
		IngestURL string `json:"ingest_url"`
	}
	status := s.call(http.MethodPost, "/sources", `{"provider":"standard-webhooks","name":"crm","type_prefix":"crm","application":"crm",
		"echo":{"key":".data.n","value":".data.seed"},"config":{"secrets":["`+a.secret.Reveal()+`"]}}`, "", &made)
	require.Equal(s.w.t, http.StatusCreated, status, s.tenant)
	at, err := url.Parse(made.IngestURL)
	require.NoError(s.w.t, err)
	a.ingest = at.Path // the gateway has another port after a restart
	s.make("", 0, `{"timeout":"5s","application":"crm","echo":{"key":".data.n","value":".data.seed"},"event_types":["contact.updated"]`, webhook.RateLimit{}, nil)
	a.place = s.endpoints[len(s.endpoints)-1]
	s.application = a
	for n := range chance.IntN(3) {
		id := fmt.Sprintf("own-%d", n)
		s.plan(time.Duration(chance.Int64N(int64(eventful))), func() {
			s.report(id, report{}, fmt.Sprintf(`{"n":%d,"seed":"its own"}`, -1-n)) // an object that no event is about
		})
	}
}

// tell plans a report of each value that the application was brought, within the hour.
func (s *scenario) tell() {
	a := s.application
	if a == nil {
		return
	}
	all := a.place.Receipts()
	for ; a.seen < len(all); a.seen++ {
		r, id := all[a.seen], fmt.Sprintf("report-%d", a.seen)
		var envelope struct {
			Data struct{ N, Seed int }
		}
		require.NoError(s.w.t, json.Unmarshal(r.Body, &envelope))
		data := fmt.Sprintf(`{"n":%d,"seed":%d}`, envelope.Data.N, envelope.Data.Seed)
		said := report{of: r.ID, again: a.had[data]}
		a.had[data] = true
		s.planSoon(time.Duration(a.chance.Int64N(int64(time.Hour))), func() { s.report(id, said, data) })
	}
}

// report is sent until it is answered, as a third party does, and now and then once more.
func (s *scenario) report(id string, said report, data string) {
	a := s.application
	a.reports[id] = &said
	for range 100 {
		if s.send(id, data) && a.chance.IntN(4) > 0 {
			return
		}
		s.w.settle()
	}
	s.violated("a report is not taken: %s", id)
}

// send posts one report, signed by Standard Webhooks.
func (s *scenario) send(id, data string) bool {
	body := []byte(`{"type":"contact.changed","data":` + data + `}`)
	now := time.Now()
	req, err := http.NewRequestWithContext(s.w.t.Context(), http.MethodPost, s.w.service.URL+s.application.ingest, strings.NewReader(string(body)))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(signature.HeaderID, id)
	req.Header.Set(signature.HeaderTimestamp, strconv.FormatInt(now.Unix(), 10))
	req.Header.Set(signature.HeaderSignature, signature.Sign([]signature.Secret{s.application.secret}, id, now, body))
	resp, err := s.w.http.Do(req)
	if err != nil {
		return false
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, resp.Body)
	s.note("the application reports %s %s: %d", id, data, resp.StatusCode)
	return resp.StatusCode/100 == 2
}

// heard takes what came of the reports into the history. What only repeats a value that an event
// brought is an echo; but when data was erased, what was known of its value went with it.
func (s *scenario) heard() {
	if s.application == nil {
		return
	}
	for _, id := range s.list("/events?type=" + reported) {
		if slices.Contains(s.posted, id) {
			continue
		}
		var e struct{ Origin webhook.Origin }
		s.call(http.MethodGet, "/events/"+id, "", "", &e)
		r := s.application.reports[e.Origin.Key]
		if r == nil || r.id != "" {
			s.violated("%s is of the report %q, which was never sent, or became another event", id, e.Origin.Key)
			continue
		}
		if r.of == "" && e.Origin.IsEcho() {
			s.violated("lost: a change of the application's own is taken for an echo: %s", id)
		}
		if r.of != "" && !r.again && !e.Origin.IsEcho() && len(s.history.Erased) == 0 {
			s.violated("a loop: what %s brought is not taken for an echo: %s", r.of, id)
		}
		r.id = id
		s.history.Accepted = append(s.history.Accepted, check.Accepted{ID: id, Key: "the application's " + e.Origin.Key, Third: true})
		s.posted = append(s.posted, id)
	}
}

// allHeard: each report that was answered 2xx became an event.
func (s *scenario) allHeard() {
	if s.application == nil {
		return
	}
	for key, r := range s.application.reports {
		if r.id == "" {
			s.violated("lost: the report %s became no event", key)
		}
	}
}

// list reads the ids of all pages.
func (s *scenario) list(path string) (ids []string) {
	for e := range pages[struct{ ID string }](s, path) {
		ids = append(ids, e.ID)
	}
	return slices.Compact(ids)
}
