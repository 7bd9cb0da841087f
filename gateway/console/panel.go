package console

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"hookloop/api"
	"hookloop/client"
)

// PanelPath is what the Temporal UI shows in a frame on the page of a workflow.
const PanelPath = Path + "/panel"

// panelPage is one workflow in plain words: an event with its deliveries, one delivery, or the
// episode of an endpoint. Event and Endpoint are nil where it is none of them.
type panelPage struct {
	Workflow string
	Event    *eventPage
	Endpoint *endpointPage
}

// panel shows a workflow, given as ?workflow=<its id>. Without one the page asks the UI around it
// which one is shown. Without a session it says how to get one: a page to sign in at must not be
// framed.
func (c *Console) panel(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("workflow")
	tenant, show := c.panelOf(id)
	v := &visit{w: w, r: r, view: view{Tenant: tenant, Panel: true, Back: r.URL.RequestURI(), Live: true}}
	token, who, err := c.visitor(r)
	if err != nil || show == nil {
		v.view.Who, v.view.Body = who, panelPage{Workflow: id}
		c.render(w, r, http.StatusOK, "panel", v.view)
		return
	}
	v.who, v.view.Who = who, who
	if v.api, err = c.ask(r.Host, tenant, token); err == nil {
		err = show(v)
	}
	if err != nil {
		c.fail(v, err)
	}
}

// panelOf finds what to show of a workflow by its id: event/<tenant>/<event>,
// delivery/<tenant>/<event>/<endpoint> or approval/<tenant>/<endpoint>. Nil: it is none of these.
func (c *Console) panelOf(id string) (tenant string, show func(*visit) error) {
	parts := strings.Split(id, "/")
	if len(parts) < 3 {
		return "", nil
	}
	kind, tenant, rest := parts[0], parts[1], parts[2:]
	switch {
	case kind == "event" && len(rest) == 1:
		return tenant, func(v *visit) error { return c.panelEvent(v, id, rest[0], "") }
	case kind == "delivery" && len(rest) == 2:
		return tenant, func(v *visit) error { return c.panelEvent(v, id, rest[0], rest[1]) }
	case kind == "approval" && len(rest) == 1:
		return tenant, func(v *visit) error {
			p, err := c.readEndpoint(v.r.Context(), v, rest[0])
			if err != nil {
				return err
			}
			v.view.Live = !p.Asked // what one types must not vanish
			return c.show(v, "panel", titleOf(p.Endpoint), panelPage{Workflow: id, Endpoint: &p})
		}
	}
	return "", nil
}

// panelEvent shows all deliveries of an event, or the one to an endpoint.
func (c *Console) panelEvent(v *visit, workflow, id, endpointID string) error {
	e, err := v.api.Events.Get(id).Do(v.r.Context())
	if err != nil {
		return err
	}
	p := eventPage{Event: e, Every: "4s"}
	for _, d := range e.Deliveries {
		if endpointID == "" || d.EndpointID == endpointID {
			p.Deliveries = append(p.Deliveries, newDeliveryView(d))
		}
	}
	return c.show(v, "panel", e.Type, panelPage{Workflow: workflow, Event: &p})
}

// readEndpoint reads an endpoint and its latest episode, as far as the token may see it.
func (c *Console) readEndpoint(ctx context.Context, v *visit, id string) (p endpointPage, err error) {
	err = Together(ctx,
		func(ctx context.Context) (err error) {
			p.Endpoint, err = v.api.Endpoints.Get(id).Do(ctx)
			return err
		},
		func(ctx context.Context) error {
			if !v.who.Holds(api.ApprovalsRead) {
				return nil
			}
			a, err := v.api.Approvals.Get(id).Do(ctx)
			if client.IsNotFound(err) {
				return nil
			}
			p.Approval, p.Asked = &a, a.Status == api.ApprovalAwaiting
			return err
		},
	)
	return p, err
}

// panelBack is the panel that a form was sent from, without what it said of the button before;
// empty: it was a page of the console.
func panelBack(r *http.Request) string {
	u, err := url.Parse(r.PostFormValue("back"))
	if err != nil || u.IsAbs() || u.Host != "" || u.Path != PanelPath {
		return ""
	}
	return PanelPath + "?workflow=" + url.QueryEscape(u.Query().Get("workflow"))
}
