package console

import (
	"net/http"
	"net/url"
	"strconv"

	"hookloop/api"
)

// sentences are what a page says of the button that led to it; an address can ask for no others.
var sentences = map[string]string{
	"approve":   "Approved: the oldest delivery is sent as a probe. If the endpoint takes it, the others follow.",
	"reject":    "Rejected: the endpoint is disabled, and its deliveries end.",
	"pause":     "Paused: deliveries are kept until the endpoint is resumed.",
	"resume":    "Resumed: what waited is on its way.",
	"test":      "A test event is on its way.",
	"retry-now": "The next attempt is made now.",
	"cancel":    "Cancelled: no further attempt is made.",
	"redeliver": "Started again.",
}

// actOnEndpoint does what a button of an endpoint says.
func (c *Console) actOnEndpoint(v *visit) error {
	v.readForm()
	id, act, reason := v.r.PathValue("endpoint"), v.r.PathValue("act"), v.r.PostFormValue("reason")
	rate, _ := strconv.ParseFloat(v.r.PostFormValue("rate"), 64) // the API refuses what is none
	release, instruction := api.Release{Reason: reason, RatePerSecond: rate}, api.Instruction{Reason: reason}
	var err error
	switch ctx := v.r.Context(); act {
	case "approve":
		_, err = v.api.Approvals.Approve(id, release).Do(ctx)
	case "reject":
		_, err = v.api.Approvals.Reject(id, instruction).Do(ctx)
	case "pause":
		_, err = v.api.Endpoints.Pause(id, instruction).Do(ctx)
	case "resume":
		_, err = v.api.Endpoints.Resume(id, release).Do(ctx)
	case "test":
		_, err = v.api.Endpoints.Test(id).Do(ctx)
	default:
		return c.nothing(v)
	}
	if err != nil {
		return err
	}
	return v.done("/endpoints/"+id, act)
}

// actOnEvent does what a button of a delivery says.
func (c *Console) actOnEvent(v *visit) error {
	v.readForm()
	id, act := v.r.PathValue("event"), v.r.PathValue("act")
	to, instruction := v.r.PostFormValue("endpoint"), api.Instruction{Reason: v.r.PostFormValue("reason")}
	var err error
	switch ctx := v.r.Context(); act {
	case "retry-now":
		_, err = v.api.Events.RetryNow(id, to, instruction).Do(ctx)
	case "cancel":
		_, err = v.api.Events.Cancel(id, to, instruction).Do(ctx)
	case "redeliver":
		_, err = v.api.Events.Redeliver(id, api.Redelivery{EndpointID: to}).Do(ctx)
	default:
		return c.nothing(v)
	}
	if err != nil {
		return err
	}
	return v.done("/events/"+id, act)
}

// readForm bounds what is read, and keeps an error in the frame that the form was sent from.
func (v *visit) readForm() {
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, maxForm)
	v.view.Panel = panelBack(v.r) != ""
}

// done leads back to where a button stood, and says there what became of it.
func (v *visit) done(path, act string) error {
	if back := panelBack(v.r); back != "" {
		http.Redirect(v.w, v.r, back+"&said="+act, http.StatusSeeOther)
		return nil
	}
	return v.goTo(path + "?said=" + act)
}

// goTo leads to another page of the tenant.
func (v *visit) goTo(path string) error {
	http.Redirect(v.w, v.r, Path+"/t/"+url.PathEscape(v.view.Tenant)+path, http.StatusSeeOther)
	return nil
}
