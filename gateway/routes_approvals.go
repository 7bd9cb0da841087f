package gateway

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

func (g *Gateway) stateRoutes(api huma.API) {
	const one = "/v1/tenants/{tenant}/endpoints/{id}"
	route(g, api, operation{
		id: "pause-endpoint", method: http.MethodPost, path: one + "/pause", scope: EndpointsWrite, status: http.StatusAccepted,
		summary: "Hold an endpoint by hand",
		text: "Its deliveries wait as `held` until it is resumed, new ones too; an attempt under way is not stopped. An approval of it ends as `cancelled`. " +
			"Pausing it again changes nothing. `conflict` if it is disabled.",
		body: orderBody(api),
	}, g.pauseEndpoint)
	route(g, api, operation{
		id: "resume-endpoint", method: http.MethodPost, path: one + "/resume", scope: EndpointsWrite, status: http.StatusAccepted,
		summary: "Let a paused, held or disabled endpoint's deliveries go",
		text: "One delivery is sent as the probe; if it succeeds, the endpoint is active and the others follow, the oldest first, at `rate_per_second`. " +
			"Answers how the endpoint stood when the order came. `conflict` if it is active.",
		body: releaseBody(api),
	}, g.resumeEndpoint)
}

func (g *Gateway) approvalRoutes(api huma.API) {
	const (
		approvals = "/v1/tenants/{tenant}/approvals"
		one       = approvals + "/{endpoint_id}"
	)
	route(g, api, operation{
		id: "list-approvals", cost: costly, method: http.MethodGet, path: approvals, scope: ApprovalsRead,
		summary: "List endpoints that keep failing",
		text:    "Those about which people are asked are `awaiting-approval`. An approval shows up, and changes its status, a moment after it did.",
	}, g.listApprovals)
	route(g, api, operation{
		id: "get-approval", method: http.MethodGet, path: one, scope: ApprovalsRead,
		summary: "How the latest approval of an endpoint stands",
	}, g.getApproval)
	route(g, api, operation{
		id: "approve-endpoint", method: http.MethodPost, path: one + "/approve", scope: ApprovalsWrite, status: http.StatusAccepted,
		summary: "Try a held endpoint again",
		text: "Its oldest delivery is sent as the probe; if the endpoint takes it, it is active and the others follow, the oldest first, at `rate_per_second`. " +
			"If it refuses that event, the next two are tried. Else the endpoint is held again. Answers how the approval stood when the decision came. `conflict` if nobody is asked, or somebody has decided already.",
		body: releaseBody(api),
	}, g.approve)
	route(g, api, operation{
		id: "reject-endpoint", method: http.MethodPost, path: one + "/reject", scope: ApprovalsWrite, status: http.StatusAccepted,
		summary: "Give a held endpoint up",
		text: "It is disabled, and its deliveries end as `rejected`; once it is resumed, they can be recovered. " +
			"Answers how the approval stood when the decision came. `conflict` if nobody is asked, or somebody has decided already.",
		body: orderBody(api),
	}, g.reject)
}
