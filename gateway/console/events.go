package console

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"hookloop/api"
)

// eventsPage is a search for events.
type eventsPage struct {
	listPage[api.EventItem]

	Query    api.EventQuery
	Statuses []api.EventStatus
}

func (c *Console) events(v *visit) error {
	q := v.r.URL.Query()
	if id := trimmed(q.Get("id")); strings.HasPrefix(id, "evt_") {
		return v.goTo("/events/" + id)
	}
	query := api.EventQuery{
		Endpoint: trimmed(q.Get("endpoint")),
		Type:     trimmed(q.Get("type")), Status: api.EventStatus(q.Get("status")),
		After: trimmed(q.Get("after")), Before: trimmed(q.Get("before")), PageQuery: v.page(),
	}
	found, err := v.api.Events.List(query).Page().Do(v.r.Context())
	if err != nil {
		return err
	}
	return c.show(v, "events", "Events", eventsPage{
		listPage: pageOf(v, found), Query: query,
		Statuses: []api.EventStatus{api.EventDelivering, api.EventDelivered, api.EventFailed, api.EventUnmatched},
	})
}

// eventPage is what became of an event.
type eventPage struct {
	Event      api.Event
	Deliveries []deliveryView
	Further    int    // deliveries that have no room on this page
	Next       string // the address of the page that has them; empty: this is the last
	Every      string // how often the page looks for news
}

// deliveryView is a delivery with the endpoint's name and its schedule as a line of steps.
type deliveryView struct {
	api.Delivery

	Name  string
	Steps []step
	Open  bool // it goes on, so that it can be hurried or ended
}

// step is one place on a delivery's schedule: an attempt that was made, or one that is to come.
type step struct {
	Number  int
	Attempt *api.Attempt // nil: it is to come
	At      time.Time    // zero: not known yet
	Wait    time.Duration
	Next    bool
}

// many is how many deliveries a page of an event has; an event may have a thousand.
const many = 50

func (c *Console) event(v *visit) error {
	e, err := v.api.Events.Get(v.r.PathValue("event")).Do(v.r.Context())
	if err != nil {
		return err
	}
	p := newEventPage(e, v.r)
	v.view.Live = e.Status == api.EventDelivering
	return c.show(v, "event", e.Type, p)
}

// newEventPage has those deliveries first that a person may have to do something about.
func newEventPage(e api.Event, r *http.Request) eventPage {
	p := eventPage{Event: e, Every: "4s"}
	if len(e.Deliveries) > many {
		p.Every = "30s" // each is asked of its workflow
	}
	all := slices.Clone(e.Deliveries)
	slices.SortStableFunc(all, func(a, b api.Delivery) int { return cmp.Compare(rank(a.Status), rank(b.Status)) })
	from, _ := strconv.Atoi(r.URL.Query().Get("from"))
	from = min(max(from, 0), len(all))
	here := all[from:min(from+many, len(all))]
	if p.Further = len(all) - from - len(here); p.Further > 0 {
		p.Next = with(r.URL.RequestURI(), "from", strconv.Itoa(from+many))
	}
	for _, d := range here {
		p.Deliveries = append(p.Deliveries, newDeliveryView(d))
	}
	return p
}

func rank(s api.DeliveryStatus) int {
	switch {
	case goesOn(s):
		return 0
	case s != api.DeliveryDelivered:
		return 1
	}
	return 2
}

func goesOn(s api.DeliveryStatus) bool {
	return slices.Contains([]api.DeliveryStatus{api.DeliveryPending, api.DeliveryRetrying, api.DeliveryHeld}, s)
}

func newDeliveryView(d api.Delivery) deliveryView {
	shown := deliveryView{Delivery: d, Name: nameOr(d.Endpoint, d.EndpointID), Open: goesOn(d.Status)}
	if d.Status == api.DeliveryHeld {
		d.NextAttemptAt = nil // it is when the delivery looks at its endpoint again, not when it tries
	}
	shown.Steps = steps(d, d.Schedule, shown.Open)
	return shown
}

// steps are the attempts that were made and, while it goes on, those that are to come.
func steps(d api.Delivery, schedule []api.Duration, goesOn bool) (all []step) {
	for i := range d.Attempts {
		all = append(all, step{Number: d.Attempts[i].Number, Attempt: &d.Attempts[i], At: d.Attempts[i].At})
	}
	if !goesOn {
		return all
	}
	made := 0
	if n := len(d.Attempts); n > 0 {
		made = d.Attempts[n-1].Number
	}
	for n := made; n < max(len(schedule), made+1); n++ {
		to := step{Number: n + 1, Next: n == made}
		if n < len(schedule) {
			to.Wait = time.Duration(schedule[n])
		}
		if to.Next && d.NextAttemptAt != nil {
			to.At = *d.NextAttemptAt
		}
		all = append(all, to)
	}
	return all
}
