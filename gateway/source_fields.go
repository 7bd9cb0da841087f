package gateway

import (
	"encoding/json"
	"slices"
	"strings"

	"hookloop/internal/signature"
	"hookloop/internal/source"
	"hookloop/internal/webhook"
)

// maxTypePrefix leaves room for the third party's own word in an event type, in bytes.
const maxTypePrefix = 64

// newSource reads a new source. The provider comes first: it says what the config means.
func (g *Gateway) newSource(s *webhook.Source, all []field) (err error) {
	hasConfig := false
	for _, f := range all {
		switch f.name {
		case "provider":
			err = setProvider(s, f)
		case "config":
			hasConfig = true
		case "name", "type_prefix", "application", "echo":
		default:
			err = noSourceField(f)
		}
		if err != nil {
			return err
		}
	}
	switch {
	case s.Provider == "":
		return webhook.Invalidf("provider", "is required: one of %s", strings.Join(source.Names(), ", "))
	case !hasConfig:
		return webhook.Invalidf("config", "is required: what it holds depends on the provider")
	}
	s.Name = s.Provider
	return g.setSource(s, slices.DeleteFunc(all, func(f field) bool { return f.name == "provider" }))
}

func noSourceField(f field) error {
	return webhook.Invalidf(f.name, "is not a field of a source (provider, name, config, type_prefix, application, echo)")
}

func setProvider(s *webhook.Source, f field) error {
	if json.Unmarshal(f.value, &s.Provider) != nil || !slices.Contains(source.Names(), s.Provider) {
		return webhook.Invalidf("provider", "must be one of %s", strings.Join(source.Names(), ", "))
	}
	return nil
}

// changeSource merges a change (RFC 7396); the config is replaced as a whole, for a part of it would
// mean nothing to its provider.
func (g *Gateway) changeSource(s *webhook.Source, change []field) error {
	for _, f := range change {
		if f.name == "provider" {
			return webhook.Invalidf("provider", "cannot be patched: create another source")
		}
	}
	return g.setSource(s, change)
}

func (g *Gateway) setSource(s *webhook.Source, all []field) (err error) {
	for _, f := range all {
		switch f.name {
		case "name":
			s.Name, err = sourceName(f)
		case "config":
			s.Config, err = g.sourceConfig(s.Provider, f)
		case "type_prefix":
			s.TypePrefix, err = sourceTypePrefix(f)
		case "application":
			s.Application, err = application(f)
		case "echo":
			s.Echo, err = sourceEcho(f)
		default:
			err = noSourceField(f)
		}
		if err != nil {
			return err
		}
	}
	if !s.Echo.IsZero() && s.Application == "" {
		return webhook.Invalidf("application", "is required with echo: it says whose echo to look for")
	}
	return nil
}

func sourceName(f field) (string, error) {
	var s string
	if json.Unmarshal(f.value, &s) != nil || len(s) > maxDescription {
		return "", webhook.Invalidf("name", "must be a string of at most %d bytes", maxDescription)
	}
	return s, nil
}

func (g *Gateway) sourceConfig(provider string, f field) (signature.Hidden, error) {
	if f.value[0] != '{' {
		return signature.Hidden{}, webhook.Invalidf("config", "must be a JSON object")
	}
	if _, err := fields(f.value); err != nil {
		return signature.Hidden{}, webhook.Invalidf("config", "names a field twice")
	}
	if _, err := g.providers.Provider(provider, f.value); err != nil {
		return signature.Hidden{}, err
	}
	return signature.Hide(string(f.value)), nil
}

func sourceTypePrefix(f field) (string, error) {
	var s string
	if json.Unmarshal(f.value, &s) != nil || len(s) > maxTypePrefix || s != "" && webhook.CheckEventType(s) != nil {
		return "", webhook.Invalidf("type_prefix", `must be words of letters, digits, - and _, separated by dots, like "crm", at most %d characters`, maxTypePrefix)
	}
	return s, nil
}

// typePrefix is what the types of a source's events begin with.
func typePrefix(s webhook.Source) string {
	if s.TypePrefix != "" {
		return s.TypePrefix
	}
	return webhook.EventTypeOf("", s.Provider)
}
