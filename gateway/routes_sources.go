package gateway

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

func (g *Gateway) sourceRoutes(api huma.API) {
	const (
		sources = "/v1/tenants/{tenant}/sources"
		one     = sources + "/{id}"
	)
	route(g, api, operation{
		id: "create-source", cost: makes, method: http.MethodPost, path: sources, scope: SourcesWrite, status: http.StatusCreated,
		summary: "Create a source", text: "A third party that sends to us. Tell it the `ingest_url`: what it sends there and can prove becomes events.",
		body: newSourceBody(api),
	}, g.createSource)
	route(g, api, operation{
		id: "list-sources", method: http.MethodGet, path: sources, scope: SourcesWrite,
		summary: "List sources", text: "The oldest first.",
	}, g.listSources)
	route(g, api, operation{
		id: "get-source", method: http.MethodGet, path: one, scope: SourcesWrite, summary: "Get a source",
	}, g.getSource)
	route(g, api, operation{
		id: "patch-source", method: http.MethodPatch, path: one, scope: SourcesWrite, summary: "Change a source",
		text: "Merges (RFC 7396), but replaces `config` as a whole: to rotate, list the new secret and the old one, and later the new one alone.",
		body: sourceChangeBody(api),
	}, g.patchSource)
	route(g, api, operation{
		id: "delete-source", method: http.MethodDelete, path: one, scope: SourcesWrite, status: http.StatusNoContent,
		summary: "Delete a source", text: "What it sends from now on is refused. Its events go on.",
	}, g.deleteSource)
}
