package gateway

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"hookloop/api"
	"hookloop/gateway/problem"
	"hookloop/gateway/wellformed"
	"hookloop/internal/signature"
	"hookloop/internal/webhook"
)

// sourceSettings are what an app has set of a source, without the defaults. The config stands for
// itself: it is never shown, nor merged.
func sourceSettings(s webhook.Source) api.NewSource {
	return api.NewSource{
		Provider: api.Provider(s.Provider), Name: s.Name, Config: map[string]any{}, TypePrefix: s.TypePrefix,
		Application: s.Application, Echo: api.EchoPaths(s.Echo),
	}
}

// setSource sets all of them but provider and config.
func setSource(s *webhook.Source, n api.NewSource) error {
	s.Name = cmp.Or(n.Name, s.Provider)
	s.TypePrefix, s.Application, s.Echo = n.TypePrefix, n.Application, webhook.EchoPaths(n.Echo)
	if !s.Echo.IsZero() && s.Application == "" {
		return webhook.Invalidf("application", "is required with echo: it says whose echo to look for")
	}
	return wellformed.Application(s.Application)
}

// sourceConfig is the config in a body, byte for byte, if its provider can work with it.
func (g *Gateway) sourceConfig(provider string, body []byte) (config signature.Hidden, given bool, err error) {
	members, err := webhook.Members(body)
	if err != nil {
		return config, false, err
	}
	for _, m := range members {
		if m.Name != "config" {
			continue
		}
		if m.Value[0] != '{' {
			return config, true, webhook.Invalidf("config", "must be a JSON object")
		}
		if _, err := g.cfg.Providers.Provider(provider, m.Value); err != nil {
			return config, true, err
		}
		config, given = signature.Hide(string(m.Value)), true
	}
	return config, given, nil
}

// sourceActivity is what became of what a source sent, up to now.
func (g *Gateway) sourceActivity(ctx context.Context, id string) (*api.SourceActivity, error) {
	if err := g.ingest.Flush(ctx, id); err != nil {
		return nil, problem.Lookup("source", id, err)
	}
	all, err := g.cfg.Sources.SourceActivities(ctx, []string{id})
	if err != nil {
		return nil, problem.Lookup("source", id, err)
	}
	return showSourceActivity(all[id]), nil
}

func showSourceActivity(a webhook.SourceActivity) *api.SourceActivity {
	return &api.SourceActivity{
		Accepted: a.Accepted, LastAcceptedAt: webhook.TimeOrNone(a.LastAcceptedAt), Repeats: a.Repeats,
		Refused: a.Refused, LastRefusedAt: webhook.TimeOrNone(a.LastRefusedAt), LastRefusal: a.LastRefusal,
	}
}

func (g *Gateway) showSource(s webhook.Source, r *request) (api.Source, error) {
	config, err := g.cfg.Providers.Shown(s.Provider, json.RawMessage(s.Config.Reveal()))
	if err != nil {
		return api.Source{}, fmt.Errorf("source %s: its config does not suit its provider any more: %w", s.ID, err)
	}
	return api.Source{
		ID: s.ID, Provider: api.Provider(s.Provider), Name: s.Name, Config: config,
		TypePrefix: s.Prefix(), Application: s.Application, Echo: api.EchoPaths(s.Echo),
		IngestURL: g.publicURL(r) + "/in/" + s.ID,
		Version:   s.Version, CreatedAt: s.CreatedAt, UpdatedAt: s.UpdatedAt,
	}, nil
}
