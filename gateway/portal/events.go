package portal

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"unicode/utf8"

	"hookloop/api"
	"hookloop/client"
)

// eventPage is one event's delivery to the endpoint.
type eventPage struct {
	Endpoint api.Endpoint
	Event    api.Event
	Delivery api.Delivery
	Path     string // where its pages begin
	Up       string // the endpoint's page
	Open     bool   // it goes on
	Held     bool
}

func (p *Portal) event(v *visit) error { return p.showEvent(v, "") }

func (p *Portal) showEvent(v *visit, said string) error {
	e, err := p.readEvent(v)
	if err != nil {
		return err
	}
	v.view.Here, v.view.Said, v.view.Live = e.Path, said, e.Open
	return p.show(v, http.StatusOK, "event", e.Event.Type, e)
}

var errNoDelivery = &client.Error{Problem: api.Problem{Status: http.StatusNotFound, Code: api.NotFound, Detail: "There is no such delivery."}}

// readEvent reads the event and picks the delivery to the endpoint that the address names.
func (p *Portal) readEvent(v *visit) (e eventPage, err error) {
	id, event := v.r.PathValue("endpoint"), v.r.PathValue("event")
	e.Up = v.view.Base + "/endpoints/" + url.PathEscape(id)
	e.Path = e.Up + "/events/" + url.PathEscape(event)
	if e.Endpoint, err = v.api.Endpoints.Get(id).Do(v.r.Context()); err != nil {
		return e, err
	}
	if e.Event, err = v.api.Events.Get(event).Do(v.r.Context()); err != nil {
		return e, err
	}
	for _, d := range e.Event.Deliveries {
		if d.EndpointID == id {
			e.Delivery = d
			e.Held = d.Status == api.DeliveryHeld
			e.Open = e.Held || d.Status == api.DeliveryPending || d.Status == api.DeliveryRetrying
			return e, nil
		}
	}
	return e, errNoDelivery
}

// maxShown bounds what is shown of an event's data, in bytes.
const maxShown = 64 << 10

// requestPage is what was sent.
type requestPage struct {
	eventPage

	Data string
	Size int // of the data; beyond what is shown
	Cut  bool
}

// request shows what is sent to the endpoint. It is a piece of the event's page.
func (p *Portal) request(v *visit) error {
	e, err := p.readEvent(v)
	if err != nil {
		return err
	}
	data, err := v.api.Events.Data(v.r.PathValue("event")).JSON(v.r.Context())
	if err != nil {
		return err
	}
	r := requestPage{eventPage: e, Size: len(data)}
	r.Data, r.Cut = readably(data)
	return p.show(v, http.StatusOK, "request", e.Event.Type, r)
}

// readably indents JSON, if it is short, and cuts it where it is long.
func readably(data json.RawMessage) (text string, cut bool) {
	if len(data) <= maxShown {
		var b bytes.Buffer
		if json.Indent(&b, data, "", "  ") == nil && b.Len() <= maxShown {
			return b.String(), false
		}
		return string(data), false
	}
	end := maxShown
	for !utf8.RuneStart(data[end]) {
		end--
	}
	return string(data[:end]), true
}

// actOnEvent does what a button of a delivery says.
func (p *Portal) actOnEvent(v *visit) error {
	id, event, act, ctx := v.r.PathValue("endpoint"), v.r.PathValue("event"), v.r.PathValue("act"), v.r.Context()
	var err error
	switch act {
	case "resend":
		_, err = v.api.Events.Redeliver(event, api.Redelivery{EndpointID: id}).Do(ctx)
	case "retry":
		_, err = v.api.Events.RetryNow(event, id, api.Instruction{}).Do(ctx)
	default:
		return p.nothing(v)
	}
	if err != nil {
		return err
	}
	return p.showEvent(v, sentences[act])
}

func (p *Portal) verifying(v *visit) error {
	e, err := v.api.Endpoints.Get(v.r.PathValue("endpoint")).Do(v.r.Context())
	if err != nil {
		return err
	}
	return p.show(v, http.StatusOK, "verify", "Verify what you receive", eventPage{Endpoint: e, Up: v.view.Base + "/endpoints/" + url.PathEscape(e.ID)})
}
