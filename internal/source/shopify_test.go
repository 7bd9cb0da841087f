package source_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/source"
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
			require.Equal(t, []string{tc.wantType, tc.wantKey, body}, []string{i.Type, i.Key, string(i.Data)})
		})
	}
}

// TestShopifyTellsEventsApart: by its id, topic, shop and content, each of them.
func TestShopifyTellsEventsApart(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "shopify", `{"secrets":["`+secret+`"]}`)
	read := func(body, topic, id, shop string) source.Item {
		return requireOnly(t, p, post(body, "X-Shopify-Topic", topic, "X-Shopify-Event-Id", id, "X-Shopify-Webhook-Id", "w"+id, "X-Shopify-Shop-Domain", shop))
	}
	first := read("{}", "orders/create", "1", "a.myshopify.com")
	require.Equal(t, first.ID(), read("{}", "orders/create", "1", "a.myshopify.com").ID())
	require.Zero(t, first.SameFor)
	for _, other := range []source.Item{
		read("{}", "orders/create", "2", "a.myshopify.com"), // put on hold again
		read("{}", "orders/paid", "1", "a.myshopify.com"),   // created and paid at once
		read("{}", "orders/create", "1", "b.myshopify.com"),
		read("[]", "orders/create", "1", "a.myshopify.com"),
	} {
		require.NotEqual(t, first.ID(), other.ID())
	}
	require.JSONEq(t, `{"shop_domain":"a.myshopify.com","topic":"orders/create","event_id":"1","webhook_id":"w1"}`, string(first.Context))
	delivery := requireOnly(t, p, post("{}", "X-Shopify-Topic", "orders/create", "X-Shopify-Webhook-Id", "w"))
	require.Equal(t, "w", delivery.Key)
	require.Zero(t, delivery.SameFor)
	require.Greater(t, requireOnly(t, p, post("{}", "X-Shopify-Topic", "orders/create")).SameFor, 4*time.Hour, "longer than it repeats")
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
