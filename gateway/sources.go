package gateway

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hookloop/api"
	"hookloop/gateway/problem"
	"hookloop/internal/webhook"
)

func (g *Gateway) sourceRoutes(to huma.API) {
	const (
		sources = "/v1/tenants/{tenant}/sources"
		one     = sources + "/{id}"
	)
	route(g, to, operation{
		id: "create-source", tag: tagSources, refuses: []api.Code{api.IdempotencyConflict}, cost: makes, method: http.MethodPost, path: sources, scope: api.SourcesWrite, status: http.StatusCreated,
		summary: "Create a source", text: "A third party that sends to us. Tell it the `ingest_url`: what it sends there and can prove becomes events.",
		example: map[string]any{"provider": "stripe", "name": "payments", "config": map[string]any{"secrets": []string{"whsec_…"}}},
	}, g.createSource)
	route(g, to, operation{
		id: "list-sources", tag: tagSources, method: http.MethodGet, path: sources, scope: api.SourcesRead,
		summary: "List sources", text: "The oldest first.",
	}, g.listSources)
	route(g, to, operation{
		id: "get-source", tag: tagSources, method: http.MethodGet, path: one, scope: api.SourcesRead, summary: "Get a source",
	}, g.getSource)
	route(g, to, operation{
		id: "patch-source", tag: tagSources, method: http.MethodPatch, path: one, scope: api.SourcesWrite, summary: "Change a source",
		text:    "Merges (RFC 7396), but replaces `config` as a whole: to rotate, list the new secret and the old one, and later the new one alone.",
		example: map[string]any{"config": map[string]any{"secrets": []string{"whsec_new…", "whsec_old…"}}},
	}, g.patchSource)
	route(g, to, operation{
		id: "delete-source", tag: tagSources, method: http.MethodDelete, path: one, scope: api.SourcesWrite, status: http.StatusNoContent,
		summary: "Delete a source", text: "What it sends from now on is refused. Its events go on.",
	}, g.deleteSource)
}

type createSource struct {
	body[api.NewSource]

	Tenant string `path:"tenant"`
	Key    string `header:"Idempotency-Key" doc:"1 to 255 visible ASCII characters. For thirty days, a repeat with the same key and body is answered with the source that the first one made." example:"source-stripe"`
}

type createdSource struct {
	Location string `header:"Location"`
	Body     api.Source
}

type sourcePath struct {
	request
	Tenant string `path:"tenant"`
	ID     string `path:"id" example:"src_01jzc8k0a2n4p6r8s0t2v4w6x8"`
}

func (g *Gateway) createSource(ctx context.Context, in *createSource) (*createdSource, error) {
	now := g.now().UTC().Truncate(time.Millisecond)
	s := webhook.Source{
		ID: newID(sourcePrefix, now), Tenant: in.Tenant, Provider: string(in.value.Provider), Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	err := setSource(&s, in.value)
	if err != nil {
		return nil, err
	}
	if s.Config, _, err = g.sourceConfig(s.Provider, in.raw); err != nil {
		return nil, err
	}
	if err := g.checkExpressions(ctx, in.Tenant, in.tree); err != nil {
		return nil, err
	}
	if s, err = g.makeSource(ctx, in, s); err != nil {
		return nil, err
	}
	shown, err := g.showSource(s, &in.request)
	if err != nil {
		return nil, err
	}
	return &createdSource{Location: "/v1/tenants/" + s.Tenant + "/sources/" + s.ID, Body: shown}, nil
}

// makeSource gives the source that was made: now, or before with the same Idempotency-Key.
func (g *Gateway) makeSource(ctx context.Context, in *createSource, s webhook.Source) (webhook.Source, error) {
	key, err := in.idempotencyKey()
	if err != nil {
		return s, err
	}
	c := webhook.NewCreation("source", key, in.raw, s.ID, s.CreatedAt)
	if err := g.roomUnlessMade(ctx, in.Tenant, key, c, g.roomForSource, g.sources.Created); err != nil {
		return s, err
	}
	if key == "" {
		err = g.sources.CreateSource(ctx, s)
	} else if c, err = once(c, func() (webhook.Creation, error) { return g.sources.CreateSourceOnce(ctx, s, c) }); err == nil && c.ID != s.ID {
		s, err = g.sources.Source(ctx, in.Tenant, c.ID)
		return s, deletedSince("source", c.ID, err)
	}
	if err != nil {
		return s, fmt.Errorf("source %s: %w", s.ID, problem.Registry(err))
	}
	return s, nil
}

func (g *Gateway) getSource(ctx context.Context, in *sourcePath) (*answerOf[api.Source], error) {
	if !sourceID.MatchString(in.ID) {
		return nil, noSuchSource()
	}
	s, err := g.sources.Source(ctx, in.Tenant, in.ID)
	if err != nil {
		return nil, sourceErr(in.ID, err)
	}
	shown, err := g.showSource(s, &in.request)
	if err != nil {
		return nil, err
	}
	shown.Activity, err = g.sourceActivity(ctx, in.ID)
	return &answerOf[api.Source]{Body: shown}, err
}

func sourceErr(id string, err error) error {
	switch {
	case err == nil:
		return nil
	case webhook.CodeOf(err) == webhook.NotFound:
		return noSuchSource()
	}
	return fmt.Errorf("source %s: %w", id, problem.Registry(err))
}

type listSources struct {
	request

	Tenant string `path:"tenant"`
	api.PageQuery
}

func (g *Gateway) listSources(ctx context.Context, in *listSources) (*answerOf[api.Page[api.Source]], error) {
	list := "sources of " + in.Tenant
	after, err := g.openCursor(list, in.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := g.sources.Sources(ctx, in.Tenant, string(after), in.Limit+1)
	if err != nil {
		return nil, fmt.Errorf("sources: %w", problem.Registry(err))
	}
	page := api.Page[api.Source]{Data: []api.Source{}}
	if len(found) > in.Limit { // the one too many only tells that there are more
		found = found[:in.Limit]
		page.NextCursor = g.newCursor(list, []byte(found[in.Limit-1].ID))
	}
	for _, s := range found {
		shown, err := g.showSource(s, &in.request)
		if err != nil {
			return nil, err
		}
		page.Data = append(page.Data, shown)
	}
	return &answerOf[api.Page[api.Source]]{Body: page}, nil
}

type patchSource struct {
	change[api.NewSource]

	Tenant string `path:"tenant"`
	ID     string `path:"id" example:"src_01jzc8k0a2n4p6r8s0t2v4w6x8"`
}

func (g *Gateway) patchSource(ctx context.Context, in *patchSource) (*answerOf[api.Source], error) {
	if _, given := in.tree["provider"]; given {
		return nil, webhook.Invalidf("provider", "cannot be patched: create another source")
	}
	if !sourceID.MatchString(in.ID) {
		return nil, noSuchSource()
	}
	if err := g.checkExpressions(ctx, in.Tenant, in.tree); err != nil {
		return nil, err
	}
	s, err := g.sources.UpdateSource(ctx, in.Tenant, in.ID, func(s *webhook.Source) error {
		s.UpdatedAt = g.now().UTC().Truncate(time.Millisecond)
		return g.changeSource(s, in)
	})
	if err != nil {
		return nil, sourceErr(in.ID, err)
	}
	shown, err := g.showSource(s, &in.request)
	return &answerOf[api.Source]{Body: shown}, err
}

// changeSource merges a change into a source, but for the config, which is replaced as a whole: a
// part of it would mean nothing to its provider.
func (g *Gateway) changeSource(s *webhook.Source, in *patchSource) error {
	config, given, err := g.sourceConfig(s.Provider, in.raw)
	if err != nil {
		return err
	}
	next, err := in.of(sourceSettings(*s))
	if err != nil {
		return err
	}
	if given {
		s.Config = config
	}
	return setSource(s, next)
}

func (g *Gateway) deleteSource(ctx context.Context, in *sourcePath) (*struct{}, error) {
	if !sourceID.MatchString(in.ID) {
		return nil, noSuchSource()
	}
	return nil, sourceErr(in.ID, g.sources.DeleteSource(ctx, in.Tenant, in.ID))
}
