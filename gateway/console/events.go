package console

import (
	"slices"
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
	if id := strings.TrimSpace(q.Get("id")); strings.HasPrefix(id, "evt_") {
		return v.goTo("/events/" + id)
	}
	query := api.EventQuery{
		Type: strings.TrimSpace(q.Get("type")), Status: api.EventStatus(q.Get("status")),
		After: strings.TrimSpace(q.Get("after")), Before: strings.TrimSpace(q.Get("before")), PageQuery: v.page(),
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

func (c *Console) event(v *visit) error {
	e, err := v.api.Events.Get(v.r.PathValue("event")).Do(v.r.Context())
	if err != nil {
		return err
	}
	p := eventPage{Event: e}
	for _, d := range e.Deliveries {
		p.Deliveries = append(p.Deliveries, c.deliveryView(v, d))
	}
	v.view.Live = e.Status == api.EventDelivering
	return c.show(v, "event", e.Type, p)
}

// named bounds the endpoints that are asked for their name and schedule; an event may have a
// thousand.
const named = 20

func (c *Console) deliveryView(v *visit, d api.Delivery) deliveryView {
	shown := deliveryView{Delivery: d, Name: d.EndpointID}
	shown.Open = slices.Contains([]api.DeliveryStatus{api.DeliveryPending, api.DeliveryRetrying, api.DeliveryHeld}, d.Status)
	var schedule []api.Duration
	if v.asked++; v.asked <= named && v.who.Holds(api.EndpointsRead) {
		if e, err := v.api.Endpoints.Get(d.EndpointID).Do(v.r.Context()); err == nil { // deleted ones keep their id
			shown.Name, schedule = titleOf(e), e.Schedule
		}
	}
	if d.Status == api.DeliveryHeld {
		d.NextAttemptAt = nil // it is when the delivery looks at its endpoint again, not when it tries
	}
	shown.Steps = steps(d, schedule, shown.Open)
	return shown
}

// steps are the attempts that were made and, while it goes on, those that are to come.
func steps(d api.Delivery, schedule []api.Duration, open bool) (all []step) {
	for i := range d.Attempts {
		all = append(all, step{Number: d.Attempts[i].Number, Attempt: &d.Attempts[i], At: d.Attempts[i].At})
	}
	if !open {
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
