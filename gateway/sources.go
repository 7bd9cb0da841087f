package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"hookloop/api"
	"hookloop/gateway/ingest"
	"hookloop/gateway/problem"
	"hookloop/gateway/wellformed"
	"hookloop/internal/quota"
	"hookloop/internal/webhook"
)

// Sources keeps the sources. Its errors are as those of Registry.
type Sources interface {
	ingest.Sources

	CreateSource(ctx context.Context, s webhook.Source) error
	// CreateSourceOnce gives what an Idempotency-Key has made, now or before.
	CreateSourceOnce(ctx context.Context, s webhook.Source, c webhook.Creation) (webhook.Creation, error)
	Source(ctx context.Context, tenant, id string) (webhook.Source, error)
	// Sources lists by id, those behind after, at most limit.
	Sources(ctx context.Context, tenant, after string, limit int) ([]webhook.Source, error)
	CountSources(ctx context.Context, tenant string) (int, error)
	// Created says whether an Idempotency-Key has made a source.
	Created(ctx context.Context, tenant string, c webhook.Creation) (bool, error)
	UpdateSource(ctx context.Context, tenant, id string, change func(*webhook.Source) error) (webhook.Source, error)
	DeleteSource(ctx context.Context, tenant, id string) error
	// SourceActivities tells what became of what sources sent; of one that sent nothing it may tell
	// nothing.
	SourceActivities(ctx context.Context, ids []string) (map[string]webhook.SourceActivity, error)
}

// Providers know the third parties' protocols; source.Providers do.
type Providers interface {
	ingest.Providers
	Shown(name string, config json.RawMessage) (json.RawMessage, error)
}

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
	TenantPath

	Key string `header:"Idempotency-Key" doc:"1 to 255 visible ASCII characters. For thirty days, a repeat with the same key and body is answered with the source that the first one made." example:"source-stripe"`
}

type createdSource struct {
	Location string `header:"Location"`
	Body     api.Source
}

type oneSource struct {
	request
	SourcePath
}

func (g *Gateway) createSource(ctx context.Context, in *createSource) (*createdSource, error) {
	now := g.cfg.Now().UTC().Truncate(time.Millisecond)
	s := webhook.Source{
		ID: newID(webhook.SourcePrefix, now), Tenant: in.Tenant, Provider: string(in.value.Provider), Version: 1, CreatedAt: now, UpdatedAt: now,
	}
	err := setSource(&s, in.value)
	if err != nil {
		return nil, err
	}
	if s.Config, _, err = g.sourceConfig(s.Provider, in.raw); err != nil {
		return nil, err
	}
	if err := wellformed.Expressions(ctx, g.cfg.Expressions, in.Tenant, in.tree); err != nil {
		return nil, err
	}
	m := making[webhook.Source]{
		kind: "source", quota: quota.Sources, quotas: g.cfg.Quotas, count: g.cfg.Sources.CountSources, created: g.cfg.Sources.Created,
		create: g.cfg.Sources.CreateSource, once: g.cfg.Sources.CreateSourceOnce, read: g.cfg.Sources.Source,
	}
	if s, _, err = m.make(ctx, &in.request, in.raw, in.Tenant, s.ID, now, s); err != nil {
		return nil, err
	}
	shown, err := g.showSource(s, &in.request)
	if err != nil {
		return nil, err
	}
	return &createdSource{Location: "/v1/tenants/" + s.Tenant + "/sources/" + s.ID, Body: shown}, nil
}

func (g *Gateway) getSource(ctx context.Context, in *oneSource) (*answerOf[api.Source], error) {
	s, err := g.cfg.Sources.Source(ctx, in.Tenant, in.ID)
	if err != nil {
		return nil, problem.Lookup("source", in.ID, err)
	}
	shown, err := g.showSource(s, &in.request)
	if err != nil {
		return nil, err
	}
	shown.Activity, err = g.sourceActivity(ctx, in.ID)
	return answered(shown, err)
}

type listSources struct {
	request
	TenantPath
	api.PageQuery
}

func (g *Gateway) listSources(ctx context.Context, in *listSources) (*answerOf[api.Page[api.Source]], error) {
	list := "sources of " + in.Tenant
	after, err := g.openCursor(list, in.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := g.cfg.Sources.Sources(ctx, in.Tenant, string(after), in.Limit+1)
	if err != nil {
		return nil, fmt.Errorf("sources: %w", problem.Registry(err))
	}
	found, next := cut(found, in.Limit, func(s webhook.Source) []byte { return []byte(s.ID) })
	page := api.Page[api.Source]{NextCursor: g.newCursor(list, next)}
	page.Data, err = g.showSources(ctx, found, &in.request)
	return answered(page, err)
}

// showSources shows sources with what became of what they sent, as of a second ago.
func (g *Gateway) showSources(ctx context.Context, found []webhook.Source, r *request) ([]api.Source, error) {
	activity, err := g.cfg.Sources.SourceActivities(ctx, idsOf(found, func(s webhook.Source) string { return s.ID }))
	if err != nil {
		return nil, fmt.Errorf("sources: %w", problem.Registry(err))
	}
	all := make([]api.Source, len(found))
	for i, s := range found {
		if all[i], err = g.showSource(s, r); err != nil {
			return nil, err
		}
		all[i].Activity = showSourceActivity(activity[s.ID])
	}
	return all, nil
}

type patchSource struct {
	change[api.NewSource]
	SourcePath
}

func (g *Gateway) patchSource(ctx context.Context, in *patchSource) (*answerOf[api.Source], error) {
	if _, given := in.tree["provider"]; given {
		return nil, webhook.Invalidf("provider", "cannot be patched: create another source")
	}
	if err := wellformed.Expressions(ctx, g.cfg.Expressions, in.Tenant, in.tree); err != nil {
		return nil, err
	}
	s, err := g.cfg.Sources.UpdateSource(ctx, in.Tenant, in.ID, func(s *webhook.Source) error {
		s.UpdatedAt = g.cfg.Now().UTC().Truncate(time.Millisecond)
		return g.changeSource(s, in)
	})
	if err != nil {
		return nil, problem.Lookup("source", in.ID, err)
	}
	shown, err := g.showSource(s, &in.request)
	return answered(shown, err)
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

func (g *Gateway) deleteSource(ctx context.Context, in *oneSource) (*struct{}, error) {
	return nil, problem.Lookup("source", in.ID, g.cfg.Sources.DeleteSource(ctx, in.Tenant, in.ID))
}
