package source_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestShopifyEvents(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "shopify", `{"secrets":["`+secret+`"]}`)
	const body = `{"id":820982911946154508,"gid":"gid:\/\/shopify\/Order\/1"}`
	for name, tc := range map[string]struct {
		headers           []string
		wantType, wantKey string
	}{
		"classic":        {[]string{"X-Shopify-Topic", "orders/create", "X-Shopify-Event-Id", "e", "X-Shopify-Webhook-Id", "w"}, "orders/create", "e"},
		"no event id":    {[]string{"X-Shopify-Topic", "orders/create"}, "orders/create", hashOf(body)},
		"newer":          {[]string{"Shopify-Hmac-SHA256", "x", "Shopify-Topic", "Product", "Shopify-Action", "update", "Shopify-Event-Id", "e"}, "Product.update", "e"},
		"no action":      {[]string{"Shopify-Hmac-SHA256", "x", "Shopify-Topic", "Product"}, "Product", hashOf(body)},
		"never mixed":    {[]string{"Shopify-Hmac-SHA256", "x", "X-Shopify-Topic", "orders/create", "Shopify-Action", "update"}, "", hashOf(body)},
		"nothing at all": {nil, "", hashOf(body)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			i := requireOnly(t, p, post(body, tc.headers...))
			require.Equal(t, []string{tc.wantType, tc.wantKey, hashOf(tc.wantType + "\n" + body), body}, []string{i.Type, i.Key, i.ID(), string(i.Data)})
		})
	}
}

func TestShopifyPrefersTheNewerHeader(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "shopify", `{"secrets":["`+secret+`"]}`)
	good := base64MAC(secret, "{}")
	require.NoError(t, p.Verify(t.Context(), post("{}", "shopify-hmac-sha256", good)))
	require.NoError(t, p.Verify(t.Context(), post("{}", "shopify-hmac-sha256", good, "X-Shopify-Hmac-SHA256", "AAAA")))
	requireStatus(t, http.StatusUnauthorized, p.Verify(t.Context(), post("{}", "shopify-hmac-sha256", "AAAA", "X-Shopify-Hmac-SHA256", good)))
	requireStatus(t, http.StatusUnauthorized, p.Verify(t.Context(), post("{}", "X-Shopify-Hmac-SHA256", hexMAC(secret, "{}"))))
	requireStatus(t, http.StatusUnauthorized, p.Verify(t.Context(), post("{}", "X-Shopify-Hmac-SHA256", good[:42])))
}
