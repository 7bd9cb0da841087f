package e2e

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
	"hookloop/internal/webhook"
)

// TestLoop closes applications into loops. Each test has a tenant of its own.
func TestLoop(t *testing.T) {
	t.Parallel()
	p := start(t, filepath.Join(t.TempDir(), "data"))
	for name, test := range map[string]func(*testing.T, app){
		"one edit":              editsOnce,
		"a storm of edits":      storms,
		"three applications":    passesOn,
		"a loop without echoes": goesInCircles,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			own := *p
			own.Tenant = strings.ReplaceAll(name, " ", "-")
			test(t, app{&own})
		})
	}
}

// editsOnce: one edit is one delivery. What the other says of it is an echo, and is shown as one.
func editsOnce(t *testing.T, a app) {
	crm, shop := a.peer(t, "crm"), a.peer(t, "shop")
	crm.edit("7", "blue")
	require.Zero(t, a.quiet(t, crm, shop))
	received, emitted, _ := shop.counts()
	require.Equal(t, []int{1, 1}, []int{received, emitted})
	received, emitted, _ = crm.counts()
	require.Equal(t, []int{0, 1}, []int{received, emitted})
	require.Equal(t, map[string]string{"7": "blue"}, shop.snapshot())

	var page struct{ Data []struct{ ID, Type string } }
	a.call(t, http.StatusOK, http.MethodGet, "/events?type=shop.contact.changed", "", &page)
	require.Len(t, page.Data, 1)
	var e struct {
		Status     string
		Deliveries []webhook.DeliveryReport
		Origin     webhook.Origin
	}
	a.call(t, http.StatusOK, http.MethodGet, "/events/"+page.Data[0].ID, "", &e)
	require.Empty(t, e.Deliveries)
	require.Equal(t, "shop", e.Origin.Application)
	a.call(t, http.StatusOK, http.MethodGet, "/events?type=crm.contact.changed", "", &page)
	require.Equal(t, page.Data[0].ID, e.Origin.EchoOf, "the edit's event")

	shop.edit("7", "red") // a moment later, and no echo
	a.quiet(t, crm, shop)
	received, _, _ = crm.counts()
	require.Equal(t, 1, received)
	require.Equal(t, map[string]string{"7": "red"}, crm.snapshot())
}

// storms: after two hundred edits on either side of the same few objects the traffic stops, and
// both have the same values.
func storms(t *testing.T, a app) {
	const edits, objects = 200, 7
	crm, shop := a.peer(t, "crm"), a.peer(t, "shop")
	var people sync.WaitGroup
	for _, p := range []*peer{crm, shop} {
		people.Go(func() {
			for n := range edits {
				p.edit(strconv.Itoa(n%objects), fmt.Sprintf("%s %d", p.name, n))
			}
		})
	}
	people.Wait()
	repeats := a.quiet(t, crm, shop)
	require.Equal(t, crm.snapshot(), shop.snapshot())
	require.Len(t, crm.snapshot(), objects)
	toCRM, fromCRM, _ := crm.counts()
	toShop, fromShop, _ := shop.counts()
	t.Logf("%d edits: %d deliveries to the crm, %d to the shop, %d of them brought once more what was lost", 2*edits, toCRM, toShop, repeats)
	require.Equal(t, 2*edits+toCRM+toShop, fromCRM+fromShop, "each tells of what it did and of what it was told")
	require.Equal(t, 2*edits+repeats, toCRM+toShop, "an edit is one delivery")
}

// passesOn: a change reaches every other application once, and comes back from none.
func passesOn(t *testing.T, a app) {
	crm, shop, desk := a.peer(t, "crm"), a.peer(t, "shop"), a.peer(t, "desk")
	crm.edit("7", "blue")
	a.quiet(t, crm, shop, desk)
	for p, want := range map[*peer]int{crm: 0, shop: 1, desk: 1} {
		received, _, _ := p.counts()
		require.Equal(t, want, received, p.name)
		require.Equal(t, "blue", p.snapshot()["7"])
	}
}

// goesInCircles: an application that answers every event with another one, and passes the hops on,
// is held up for a person after the eighth.
func goesInCircles(t *testing.T, a app) {
	s := endpointtest.Start(t, endpointtest.Config{OnReceipt: func(r endpointtest.Receipt) {
		status, body := a.try(t.Context(), http.MethodPost, "/events", `{"type":"step","data":`+r.Header.Get("Hookloop-Hops")+`}`,
			http.Header{"Hookloop-Hops": r.Header.Values("Hookloop-Hops")})
		if status != http.StatusAccepted {
			t.Errorf("step: %d %s", status, body)
		}
	}})
	e := a.createEndpoint(t, `{"url":"`+s.URL+`","event_types":["step"]}`)
	a.post(t, `{"type":"step","data":0}`)
	var held string
	eventually(t, "the ninth is there", func() bool {
		for _, id := range a.listEvents(t, "delivering") {
			var e struct{ Hops int }
			a.call(t, http.StatusOK, http.MethodGet, "/events/"+id, "", &e)
			if e.Hops == webhook.MaxHops {
				held = id
			}
		}
		return held != ""
	})
	d := a.delivery(t, held, "is held", func(d webhook.DeliveryReport) bool { return d.Status == webhook.Held })
	require.Contains(t, d.Reason, "has passed through Hookloop 8 times")
	require.Empty(t, d.Attempts)
	a.call(t, http.StatusAccepted, http.MethodPost, "/events/"+held+"/deliveries/"+e.ID+"/cancel", `{"reason":"a loop"}`, nil)
	require.Equal(t, webhook.Cancelled, a.settled(t, held).Status)
	require.Len(t, s.Receipts(), webhook.MaxHops)
}
