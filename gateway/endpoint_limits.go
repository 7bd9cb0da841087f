package gateway

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"hookloop/internal/webhook"
)

// Bounds of an endpoint's fields, sizes in bytes. An endpoint is read for every attempt: it has to
// stay small.
const (
	maxURL           = 2048
	maxEventTypes    = 100
	maxDescription   = 1 << 10
	maxHeaders       = 20
	maxHeaderName    = 128
	maxHeaderValue   = 4 << 10
	maxMetadata      = 50
	maxMetadataKey   = 64
	maxMetadataValue = 1 << 10
)

func description(f field) (string, error) {
	var s string
	if json.Unmarshal(f.value, &s) != nil {
		return "", webhook.Invalidf("description", "must be a string")
	}
	if len(s) > maxDescription {
		return "", webhook.Invalidf("description", "has %d bytes, at most %d are allowed", len(s), maxDescription)
	}
	return s, nil
}

// pairs reads an object of strings as a change of now; null empties it.
func pairs(now map[string]string, f field) (map[string]string, error) {
	if f.isNull() {
		return nil, nil
	}
	var change map[string]*string
	if json.Unmarshal(f.value, &change) != nil {
		return nil, webhook.Invalidf(f.name, "must be an object of strings")
	}
	return merged(now, change), nil
}

func headers(now map[string]string, f field) (map[string]string, error) {
	all, err := pairs(now, f)
	if err != nil {
		return nil, err
	}
	if len(all) > maxHeaders {
		return nil, webhook.Invalidf("headers", "has %d entries, at most %d are allowed", len(all), maxHeaders)
	}
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if err := checkHeader(name, all[name]); err != nil {
			return nil, err
		}
		lower := strings.ToLower(name)
		if seen[lower] {
			return nil, webhook.Invalidf("headers."+name, "appears twice, but for upper and lower case")
		}
		seen[lower] = true
	}
	return all, nil
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

func metadata(now map[string]string, f field) (map[string]string, error) {
	all, err := pairs(now, f)
	if err != nil {
		return nil, err
	}
	if len(all) > maxMetadata {
		return nil, webhook.Invalidf("metadata", "has %d entries, at most %d are allowed", len(all), maxMetadata)
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if len(key) == 0 || len(key) > maxMetadataKey {
			return nil, webhook.Invalidf("metadata", "has the key %.64q; keys have 1 to %d bytes", key, maxMetadataKey)
		}
		if n := len(all[key]); n > maxMetadataValue {
			return nil, webhook.Invalidf("metadata."+key, "has %d bytes, at most %d are allowed", n, maxMetadataValue)
		}
	}
	return all, nil
}
