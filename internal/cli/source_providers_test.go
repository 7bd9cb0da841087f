package cli

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/api"
	"hookloop/internal/source"
)

// noFetch is for providers that are only asked about their config.
type noFetch struct{}

func (noFetch) Get(context.Context, string) ([]byte, error) {
	return nil, errors.New("nothing is fetched")
}

// TestProvidersHelp holds the help to the providers there are: each has its line, and a config made
// of what that line names is one its provider takes.
func TestProvidersHelp(t *testing.T) {
	t.Parallel()
	const ed25519Key = "whpk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	configs := map[string]string{
		"mautic":            `{"secrets":["s"]}`,
		"stripe":            `{"secrets":["whsec_s"],"tolerance":"5m"}`,
		"paypal":            `{"webhook_id":"1JE4291016473214C"}`,
		"x":                 `{"consumer_secret":"s","client_secret":"s"}`,
		"meta":              `{"secrets":["s"],"verify_token":"s","allow_sha1":true}`,
		"google-channel":    `{"token":"s","channels":{"ID":{"token":"s","resource_id":"r","expiration":1}}}`,
		"google-pubsub":     `{"audience":"a","email":"e","issuers":["i"]}`,
		"github":            `{"secrets":["s"],"allow_sha1":true}`,
		"shopify":           `{"secrets":["s"]}`,
		"slack":             `{"secrets":["s"],"tolerance":"5m"}`,
		"standard-webhooks": `{"secrets":["whsec_AAAA"],"public_keys":["` + ed25519Key + `"],"tolerance":"5m"}`,
		"hmac":              `{"kind":"hmac","secrets":["s"],"header":"X-Signature","algorithm":"sha256","encoding":"hex"}`,
	}
	all, err := source.New(source.Config{Fetch: noFetch{}})
	require.NoError(t, err)
	var names []string
	for _, p := range providers {
		names = append(names, p.name)
		_, err := all.Provider(p.name, json.RawMessage(configs[p.name]))
		require.NoError(t, err, p.name)
		var members map[string]any
		require.NoError(t, json.Unmarshal([]byte(configs[p.name]), &members))
		for member := range members {
			require.Contains(t, p.config, member, p.name)
		}
		require.Contains(t, p.next, "{url}", p.name)
		next := nextAt(api.Source{ID: "src_1", Provider: api.Provider(p.name), IngestURL: "https://h/in/src_1"})
		require.Contains(t, next, "https://h/in/src_1")
		require.NotContains(t, next, "{url}")
		require.NotContains(t, next, "{id}")
	}
	require.ElementsMatch(t, source.Names(), names)
	help := hookloop(t, "source", "create", "--help").ok(t)
	for _, name := range names {
		require.True(t, slices.ContainsFunc(strings.Split(help, "\n"), func(line string) bool {
			return strings.HasPrefix(line, "  "+name+"  ")
		}), name)
	}
}
