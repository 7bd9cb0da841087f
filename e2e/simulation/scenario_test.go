package simulation_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/check"
	"hookloop/internal/endpointtest"
	"hookloop/internal/signature"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

const (
	// eventful is how long things are planned for. After that all endpoints are well, and operators
	// let everything go.
	eventful = 36 * time.Hour
	// longest is how long a scenario may take until all has ended: the longest schedule, and the
	// time in which operators look again.
	longest = 12 * 24 * time.Hour
)

// scenario is what one seed makes of a tenant.
type scenario struct {
	w      *world
	seed   uint64
	tenant string
	chance *rand.Rand

	endpoints []*place
	plans     []plan   // what is still to come, the first first
	posted    []string // ids, in order

	application *application // nil: it has none

	history check.History
	redone  map[string]bool // ids of events that were redelivered
	known   map[string]check.Event
	seen    map[string]int // receipts of each event when it was asked for
	touched map[string]bool
	shared  map[string]int // how many events have this data; more than one says nothing about either

	trace      []string
	violations []string
	ended      bool
	counts     map[string]int // of check, at the end
}

// place is an endpoint of a scenario.
type place struct {
	*endpointtest.Server

	id      string
	resumed bool // for good
}

// plan is what happens at some time.
type plan struct {
	at time.Duration
	do func()
}

// begin makes the endpoints of a seed, and plans what happens.
func begin(w *world, seed uint64) *scenario {
	w.t.Helper()
	s := &scenario{
		w: w, seed: seed, tenant: fmt.Sprintf("seed-%d", seed), chance: rand.New(rand.NewPCG(seed, seed^0x5eed)), //nolint:gosec // to be repeated, not kept secret
		redone: map[string]bool{}, known: map[string]check.Event{}, seen: map[string]int{}, touched: map[string]bool{}, shared: map[string]int{},
	}
	s.history.Skips = skips
	s.history.Limits, s.history.Erased = map[string]webhook.RateLimit{}, map[string]time.Time{}
	for range 1 + s.chance.IntN(3) {
		s.listen()
	}
	s.planPosts()
	s.planOperators()
	s.apply()
	if s.chance.IntN(6) == 0 {
		abrupt := s.chance.IntN(2) == 0
		s.plan(s.within(eventful), func() { s.note("restart, abrupt: %t", abrupt); w.restart(abrupt) })
	}
	s.plan(eventful, s.mend)
	slices.SortStableFunc(s.plans, func(a, b plan) int { return int(a.at - b.at) })
	return s
}

func (s *scenario) plan(at time.Duration, do func()) { s.plans = append(s.plans, plan{at, do}) }

// planSoon adds a plan while others are carried out.
func (s *scenario) planSoon(in time.Duration, do func()) {
	at := s.w.now() + in
	i, _ := slices.BinarySearchFunc(s.plans, at, func(p plan, at time.Duration) int { return int(p.at - at) })
	s.plans = slices.Insert(s.plans, i, plan{at, do})
}

func (s *scenario) within(d time.Duration) time.Duration {
	return time.Duration(s.chance.Int64N(int64(d)))
}

func (s *scenario) note(format string, args ...any) {
	s.trace = append(s.trace, s.w.now().Round(time.Second).String()+" "+fmt.Sprintf(format, args...))
}

func (s *scenario) violated(format string, args ...any) {
	said := fmt.Sprintf(format, args...)
	if slices.Contains(s.violations, said) {
		return
	}
	s.violations = append(s.violations, said)
	s.note("VIOLATED: %s", said)
	for _, id := range s.posted {
		if strings.Contains(said, id) {
			s.trace = append(s.trace, s.w.history(workflows.EventWorkflowID(s.tenant, id))...)
		}
	}
}

// one draws among several.
func one[T any](s *scenario, of ...T) T { return of[s.chance.IntN(len(of))] }

// listen makes an endpoint that behaves as the seed wants.
func (s *scenario) listen() {
	s.w.t.Helper()
	script := one(s, "", "", "503:2", "503:9", "503:60", "503 200 503 200 503 200", "hang:2", "drop:3 200", "410:1", "400:2", "429:3", "503:2 hang:1 410:1", "404:20 200", "500 400 drop hang 410 200")
	var header http.Header
	if s.chance.IntN(3) == 0 {
		header = http.Header{"Retry-After": {one(s, "120", "3600")}}
	}
	timeout, delay := 1+s.chance.IntN(5), time.Duration(0)
	if timeout > 3 && s.chance.IntN(2) == 0 {
		delay = 2 * time.Second
	}
	body := fmt.Sprintf(`{"timeout":"%ds"`, timeout)
	body += one(s, `,"schedule":["0s","5s","1m"]`, `,"schedule":["0s","5s","5m","30m","2h","5h"]`, `,"schedule":["0s","1h","1h","6h"]`, "")
	body += fmt.Sprintf(`,"approval":{"after":"%s","timeout":"%s"}`, one(s, "10m", "1h"), one(s, "12h", "48h"))
	var limit webhook.RateLimit
	if s.chance.IntN(3) == 0 {
		limit = webhook.RateLimit{PerSecond: one(s, .02, .1, 1), Burst: 1 + s.chance.IntN(3)}
		body += fmt.Sprintf(`,"rate_limit":{"per_second":%g,"burst":%d}`, limit.PerSecond, limit.Burst)
	}
	s.make(script, delay, body, limit, header)
}

// make starts an endpoint and registers it. Body is the beginning of what the API is told.
func (s *scenario) make(script string, delay time.Duration, body string, limit webhook.RateLimit, header http.Header) {
	s.w.t.Helper()
	server := endpointtest.Start(s.w.t, endpointtest.Config{Script: script, Delay: delay, Header: header})
	var made struct{ ID, Secret string }
	status := s.call(http.MethodPost, "/endpoints", body+`,"url":"`+server.URL+`"}`, "", &made)
	require.Equal(s.w.t, http.StatusCreated, status, "%s: %s", s.tenant, body)
	secret, err := signature.ParseSecret(made.Secret)
	require.NoError(s.w.t, err)
	server.Trust(secret)
	s.note("%s answers %q after %s: %s", made.ID, script, delay, body)
	if !limit.IsZero() {
		s.history.Limits[made.ID] = limit
	}
	s.endpoints = append(s.endpoints, &place{Server: server, id: made.ID})
}

// planPosts: some events together, some later, some with the data of another, some twice under one
// key, a few large.
func (s *scenario) planPosts() {
	together := s.within(time.Hour)
	var before []string
	for n := range 4 + s.chance.IntN(8) {
		at := together
		if s.chance.IntN(2) == 0 {
			at = s.within(eventful * 2 / 3)
		}
		data, key := fmt.Sprintf(`{"seed":%d,"n":%d}`, s.seed, n), ""
		switch s.chance.IntN(10) {
		case 0, 1:
			if len(before) > 0 {
				data = one(s, before...)
			}
		case 2, 3:
			key = fmt.Sprintf("key-%d", n)
		case 4:
			if s.chance.IntN(3) == 0 {
				data = fmt.Sprintf(`{"seed":%d,"n":%d,"large":"%s"}`, s.seed, n, strings.Repeat("x", 300<<10))
			}
		}
		before = append(before, data)
		s.shared[data]++
		s.plan(at, func() { s.post(data, key) })
		if key != "" {
			s.plan(at+s.within(time.Hour), func() { s.post(data, key) })
		}
	}
}

// post repeats what was not answered, as an application does, under its key if it has one.
func (s *scenario) post(data, key string) {
	var e struct {
		ID        string
		Duplicate bool
	}
	body := `{"type":"contact.updated","data":` + data + `}`
	for range 100 {
		switch s.call(http.MethodPost, "/events", body, key, &e) {
		case http.StatusAccepted:
			a := check.Accepted{ID: e.ID, Key: key}
			if s.shared[data] == 1 {
				a.Data = data
			}
			s.history.Accepted = append(s.history.Accepted, a)
			if !slices.Contains(s.posted, e.ID) {
				s.posted = append(s.posted, e.ID)
			}
			s.touched[e.ID] = true
			return
		case http.StatusGone:
			if !s.erasedKey(key) {
				s.violated("an event is said to be erased that was not: %s", short(body))
			}
			return
		case 0:
			if key == "" {
				s.history.Unanswered++
			}
		default:
			s.history.Refused++
		}
		s.w.settle()
	}
	s.violated("an event is not accepted: %s", short(body))
}

// erasedKey says whether the event of a key was erased.
func (s *scenario) erasedKey(key string) bool {
	return slices.ContainsFunc(s.history.Accepted, func(a check.Accepted) bool {
		return key != "" && a.Key == key && !s.history.Erased[a.ID].IsZero()
	})
}
