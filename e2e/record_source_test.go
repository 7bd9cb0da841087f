package e2e

import (
	"net/http"
	"testing"

	"hookloop/internal/endpointtest"
	"hookloop/internal/webhook"
)

// recordParked is an event that has passed by too often, let go by a person; recordCircled one that
// was given up. recordEcho is an application that repeats what it was brought.

func recordParked(t *testing.T, a app) event {
	return a.parked(t, "retry-now")
}

func recordCircled(t *testing.T, a app) event {
	return a.parked(t, "cancel")
}

func (a app) parked(t *testing.T, order string) event {
	t.Helper()
	_, e := a.listen(t, endpointtest.Config{}, "")
	status, body := a.try(t.Context(), http.MethodPost, "/events", `{"type":"contact.updated","data":1}`, http.Header{"Hookloop-Hops": {"8"}})
	if status != http.StatusAccepted {
		t.Fatalf("%d %s", status, body)
	}
	id := a.listEvents(t, "delivering")
	eventually(t, "it is listed", func() bool { id = a.listEvents(t, "delivering"); return len(id) == 1 })
	a.delivery(t, id[0], "is held", func(d webhook.DeliveryReport) bool { return d.Status == webhook.Held })
	a.call(t, http.StatusAccepted, http.MethodPost, "/events/"+id[0]+"/deliveries/"+e.ID+"/"+order, `{"reason":"seen"}`, nil)
	return a.ended(t, id[0])
}

func recordEcho(t *testing.T, a app) event {
	crm, shop := a.peer(t, "crm"), a.peer(t, "shop")
	crm.edit("7", "blue")
	a.quiet(t, crm, shop)
	var page struct{ Data []struct{ ID string } }
	a.call(t, http.StatusOK, http.MethodGet, "/events?type=shop.contact.changed", "", &page)
	return a.event(t, page.Data[0].ID)
}
