package wellformed

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"hookloop/gateway/schema"
	"hookloop/internal/webhook"
)

// Endpoint refuses what the types of api cannot.
func Endpoint(e *webhook.Endpoint) error {
	if err := cmp.Or(
		checkTypes(e.EventTypes), checkHeaders(e.Headers), checkMetadata(e.Metadata), e.Schedule.Check(), Application(e.Application),
	); err != nil {
		return err
	}
	if e.Application == "" && (e.EchoBack || !e.Echo.IsZero()) {
		return webhook.Invalidf("application", "is required with echo: it says whose events and echoes are meant")
	}
	return nil
}

// Application refuses a name that is not spelt as tenants are; it may be empty.
func Application(name string) error {
	if name == "" {
		return nil
	}
	return webhook.CheckApplication(name)
}

func checkTypes(all []string) error {
	for i, t := range all {
		if !webhook.IsTypePattern(t) {
			return webhook.Invalidf(schema.At("event_types", i), `%s; or "order.*" for every type below "order.", or "*" for every type`, webhook.TypeGrammar)
		}
		if slices.Contains(all[:i], t) {
			return webhook.Invalidf(schema.At("event_types", i), "appears twice")
		}
	}
	return nil
}

// Bounds of the names and values of maps, in bytes: an endpoint is read for every attempt, and has
// to stay small.
const (
	maxHeaderName    = 128
	maxHeaderValue   = 4 << 10
	maxMetadataKey   = 64
	maxMetadataValue = 1 << 10
)

func checkHeaders(all map[string]string) error {
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if err := checkHeader(name, all[name]); err != nil {
			return err
		}
		lower := strings.ToLower(name)
		if seen[lower] {
			return webhook.Invalidf("headers."+name, "appears twice, but for upper and lower case")
		}
		seen[lower] = true
	}
	return nil
}

func checkHeader(name, value string) error {
	if len(name) == 0 || len(name) > maxHeaderName || strings.ContainsFunc(name, notToken) {
		return webhook.Invalidf("headers", "has the name %.64q, which is not an HTTP header's", name)
	}
	switch {
	case webhook.ReservedHeader(name):
		return webhook.Invalidf("headers."+name, "is set by Hookloop or belongs to the connection: it cannot be chosen")
	case len(value) > maxHeaderValue:
		return webhook.Invalidf("headers."+name, "has %d bytes, at most %d are allowed", len(value), maxHeaderValue)
	case strings.ContainsFunc(value, isControl):
		return webhook.Invalidf("headers."+name, "contains a line break or another control character")
	}
	return nil
}

// notToken says whether r may not stand in a header's name (RFC 9110, section 5.6.2).
func notToken(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		return false
	}
	return !strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

func isControl(r rune) bool { return r < 0x20 && r != '\t' || r == 0x7f }

func checkMetadata(all map[string]string) error {
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if len(key) == 0 || len(key) > maxMetadataKey {
			return webhook.Invalidf("metadata", "has the key %.64q; keys have 1 to %d bytes", key, maxMetadataKey)
		}
		if n := len(all[key]); n > maxMetadataValue {
			return webhook.Invalidf("metadata."+key, "has %d bytes, at most %d are allowed", n, maxMetadataValue)
		}
	}
	return nil
}

// OneEndpoint reads the parameter that names an endpoint and has two names: endpoint and
// endpoint_id.
func OneEndpoint(a, b string) (string, error) {
	if a != "" && b != "" && a != b {
		return "", webhook.Invalidf("endpoint_id", "is not what endpoint says; give one of them")
	}
	return cmp.Or(a, b), nil
}
