package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"time"

	"hookloop/internal/source"
	"hookloop/internal/webhook"
)

// Sources keeps the sources. Its errors are as those of Registry.
type Sources interface {
	CreateSource(ctx context.Context, s webhook.Source) error
	// CreateSourceOnce gives what an Idempotency-Key has made, now or before.
	CreateSourceOnce(ctx context.Context, s webhook.Source, c webhook.Creation) (webhook.Creation, error)
	Source(ctx context.Context, tenant, id string) (webhook.Source, error)
	SourceByID(ctx context.Context, id string) (webhook.Source, error)
	// Sources lists by id, those behind after, at most limit.
	Sources(ctx context.Context, tenant, after string, limit int) ([]webhook.Source, error)
	CountSources(ctx context.Context, tenant string) (int, error)
	// Created says whether an Idempotency-Key has made a source.
	Created(ctx context.Context, tenant string, c webhook.Creation) (bool, error)
	UpdateSource(ctx context.Context, tenant, id string, change func(*webhook.Source) error) (webhook.Source, error)
	DeleteSource(ctx context.Context, tenant, id string) error

	// Withheld gives the ids of an application's endpoints that do not want its own events back.
	Withheld(ctx context.Context, tenant, application string) ([]string, error)
	// Claim binds a name to the content it is first seen with, and answers the one it is bound to.
	BindOnce(ctx context.Context, sourceID, name, content string, until, now time.Time) (string, error)

	// Arrivals says which items came before, and of those that are the same for a while only, that they have
	// come now.
	Arrivals(ctx context.Context, sourceID string, names []string, sameFor time.Duration, now time.Time) (map[string]webhook.Arrival, error)
	// TakeArrivals notes which items have become events, and adds what became of a source's requests.
	TakeArrivals(ctx context.Context, sourceID string, all []webhook.Taken, a webhook.SourceActivity, now time.Time) error
	// PruneArrivals forgets all but the latest items of a source.
	PruneArrivals(ctx context.Context, sourceID string, keep int) error
	SourceActivity(ctx context.Context, sourceID string) (webhook.SourceActivity, error)
}

// Providers know the third parties' protocols; source.Providers do.
type Providers interface {
	Provider(name string, config json.RawMessage) (source.Provider, error)
	Shown(name string, config json.RawMessage) (json.RawMessage, error)
}

// sourceView is a source as the API shows it.
type sourceView struct {
	ID          string          `json:"id" example:"src_01jzc8k0a2n4p6r8s0t2v4w6x8"`
	Provider    string          `json:"provider" example:"stripe"`
	Name        string          `json:"name"`
	Config      json.RawMessage `json:"config" doc:"Every secret is shown as ***."`
	TypePrefix  string          `json:"type_prefix" doc:"Begins the types of its events." example:"stripe"`
	Application string          `json:"application,omitempty"`
	Echo        *echoPaths      `json:"echo,omitempty"`
	IngestURL   string          `json:"ingest_url" doc:"What to tell the third party." example:"https://hooks.example.com/in/src_01jzc8k0a2n4p6r8s0t2v4w6x8"`
	Version     int             `json:"version" doc:"Grows with each change."`
	CreatedAt   time.Time       `json:"created_at"`
	UpdatedAt   time.Time       `json:"updated_at"`
	Activity    *sourceActivity `json:"activity,omitempty" doc:"What became of what it sent; shown of one source alone."`
}

// sourceActivity is what became of what a source sent. Other gateways tell of theirs within a second.
type sourceActivity struct {
	Accepted       int64      `json:"accepted" doc:"Events."`
	Repeats        int64      `json:"repeats" doc:"Items that had become events before."`
	Refused        int64      `json:"refused" doc:"Requests that were not let in, and single items of others."`
	LastAcceptedAt *time.Time `json:"last_accepted_at,omitempty"`
	LastRefusedAt  *time.Time `json:"last_refused_at,omitempty"`
	LastRefusal    string     `json:"last_refusal,omitempty" doc:"Why, for a person." example:"the signature does not match"`
}

type sourcePage struct {
	Data       []sourceView `json:"data"`
	NextCursor *string      `json:"next_cursor" nullable:"true" doc:"null on the last page."`
}

type createSource struct {
	request
	Tenant string `path:"tenant"`
	Key    string `header:"Idempotency-Key" doc:"1 to 255 visible ASCII characters. For thirty days, a repeat with the same key and body is answered with the source that the first one made." example:"source-stripe"`
}

type createdSource struct {
	Location string `header:"Location"`
	Body     sourceView
}

type sourcePath struct {
	request
	Tenant string `path:"tenant"`
	ID     string `path:"id" example:"src_01jzc8k0a2n4p6r8s0t2v4w6x8"`
}

func (g *Gateway) createSource(ctx context.Context, in *createSource) (*createdSource, error) {
	body, err := in.body(false)
	if err != nil {
		return nil, err
	}
	now := g.now().UTC().Truncate(time.Millisecond)
	s := webhook.Source{ID: newID(sourcePrefix, now), Tenant: in.Tenant, Version: 1, CreatedAt: now, UpdatedAt: now}
	all, err := fields(body)
	if err != nil {
		return nil, err
	}
	if err := g.newSource(&s, all); err != nil {
		return nil, err
	}
	if err := g.checkExpressions(ctx, in.Tenant, all); err != nil {
		return nil, err
	}
	if s, err = g.makeSource(ctx, in, s, body); err != nil {
		return nil, err
	}
	shown, err := g.showSource(s, &in.request)
	if err != nil {
		return nil, err
	}
	return &createdSource{Location: "/v1/tenants/" + s.Tenant + "/sources/" + s.ID, Body: shown}, nil
}

// makeSource gives the source that was made: now, or before with the same Idempotency-Key.
func (g *Gateway) makeSource(ctx context.Context, in *createSource, s webhook.Source, body []byte) (webhook.Source, error) {
	key, err := in.idempotencyKey()
	if err != nil {
		return s, err
	}
	c := webhook.NewCreation("source", key, body, s.ID, s.CreatedAt)
	if err := g.roomUnlessMade(ctx, in.Tenant, key, c, g.roomForSource, g.sources.Created); err != nil {
		return s, err
	}
	if key == "" {
		err = g.sources.CreateSource(ctx, s)
	} else if c, err = once(c, func() (webhook.Creation, error) { return g.sources.CreateSourceOnce(ctx, s, c) }); err == nil && c.ID != s.ID {
		s, err = g.sources.Source(ctx, in.Tenant, c.ID)
		return s, gone("source", c.ID, err)
	}
	if err != nil {
		return s, fmt.Errorf("source %s: %w", s.ID, registryErr(err))
	}
	return s, nil
}

func (g *Gateway) getSource(ctx context.Context, in *sourcePath) (*answerOf[sourceView], error) {
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
	return &answerOf[sourceView]{Body: shown}, err
}

func (g *Gateway) sourceActivity(ctx context.Context, id string) (*sourceActivity, error) {
	if err := g.arrivals.write(ctx, id); err != nil {
		return nil, sourceErr(id, err)
	}
	a, err := g.sources.SourceActivity(ctx, id)
	if err != nil {
		return nil, sourceErr(id, err)
	}
	shown := sourceActivity{Accepted: a.Accepted, Repeats: a.Repeats, Refused: a.Refused, LastRefusal: a.LastRefusal}
	if !a.LastAcceptedAt.IsZero() {
		shown.LastAcceptedAt = &a.LastAcceptedAt
	}
	if !a.LastRefusedAt.IsZero() {
		shown.LastRefusedAt = &a.LastRefusedAt
	}
	return &shown, nil
}

func sourceErr(id string, err error) error {
	switch {
	case err == nil:
		return nil
	case webhook.CodeOf(err) == webhook.NotFound:
		return noSuchSource()
	}
	return fmt.Errorf("source %s: %w", id, registryErr(err))
}

type listSources struct {
	request
	Tenant string `path:"tenant"`
	Limit  int    `query:"limit" minimum:"1" maximum:"250" default:"50"`
	Cursor string `query:"cursor" maxLength:"4096" doc:"The next_cursor of the page before."`
}

func (g *Gateway) listSources(ctx context.Context, in *listSources) (*answerOf[sourcePage], error) {
	list := "sources of " + in.Tenant
	after, err := g.openCursor(list, in.Cursor)
	if err != nil {
		return nil, err
	}
	found, err := g.sources.Sources(ctx, in.Tenant, string(after), in.Limit+1)
	if err != nil {
		return nil, fmt.Errorf("sources: %w", registryErr(err))
	}
	page := sourcePage{Data: []sourceView{}}
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
	return &answerOf[sourcePage]{Body: page}, nil
}

func (g *Gateway) patchSource(ctx context.Context, in *sourcePath) (*answerOf[sourceView], error) {
	body, err := in.body(false)
	if err != nil {
		return nil, err
	}
	change, err := fields(body)
	if err != nil {
		return nil, err
	}
	if !sourceID.MatchString(in.ID) {
		return nil, noSuchSource()
	}
	if err := g.checkExpressions(ctx, in.Tenant, change); err != nil {
		return nil, err
	}
	s, err := g.sources.UpdateSource(ctx, in.Tenant, in.ID, func(s *webhook.Source) error {
		s.UpdatedAt = g.now().UTC().Truncate(time.Millisecond)
		return g.changeSource(s, change)
	})
	if err != nil {
		return nil, sourceErr(in.ID, err)
	}
	shown, err := g.showSource(s, &in.request)
	return &answerOf[sourceView]{Body: shown}, err
}

func (g *Gateway) deleteSource(ctx context.Context, in *sourcePath) (*struct{}, error) {
	if !sourceID.MatchString(in.ID) {
		return nil, noSuchSource()
	}
	return nil, sourceErr(in.ID, g.sources.DeleteSource(ctx, in.Tenant, in.ID))
}

func (g *Gateway) showSource(s webhook.Source, r *request) (sourceView, error) {
	config, err := g.providers.Shown(s.Provider, json.RawMessage(s.Config.Reveal()))
	if err != nil {
		return sourceView{}, fmt.Errorf("source %s: its config does not suit its provider any more: %w", s.ID, err)
	}
	shown := sourceView{
		ID: s.ID, Provider: s.Provider, Name: s.Name, Config: config,
		TypePrefix: typePrefix(s), Application: s.Application,
		IngestURL: g.publicURL(r) + "/in/" + s.ID,
		Version:   s.Version, CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt,
	}
	if !s.Echo.IsZero() {
		paths := echoPaths(s.Echo)
		shown.Echo = &paths
	}
	return shown, nil
}

// publicURL is where third parties reach the gateway: as configured, or else the address at which this
// request arrived. What it says in Host may be anybody's.
func (g *Gateway) publicURL(r *request) string {
	if g.public != "" {
		return g.public
	}
	arrived, ok := r.gin.Request.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok { // there is no server of ours
		return ""
	}
	return "http://" + arrived.String()
}
