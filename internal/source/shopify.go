package source

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
)

// shopify signs the body with the app's client secret. Topic and ids stand in headers, which are
// not covered.
type shopify struct {
	Secrets Secrets `json:"secrets"`
	repeats
}

func (s *shopify) check() error {
	return cmp.Or(s.Secrets.check("config.secrets"), s.checkRepeats())
}

// shopifyFamily is the start of the headers' names. There are two generations of them, and
// Shopify's own library prefers the newer.
func shopifyFamily(h http.Header) string {
	if h.Get("Shopify-Hmac-Sha256") != "" {
		return "Shopify-"
	}
	return "X-Shopify-"
}

// Verify answers 401 to a wrong signature, which Shopify's app review insists on.
func (s *shopify) Verify(_ context.Context, r Request) error {
	return s.Secrets.verifyBase64(shopifyFamily(r.Header)+"Hmac-Sha256", r)
}

func (s *shopify) head(r Request) error {
	_, err := base64Signature(shopifyFamily(r.Header)+"Hmac-Sha256", r)
	return err
}

// Read names the event by topic ("orders/create") and, in the newer family, action
// ("Product.update").
func (s *shopify) Read(r Request) (Received, error) {
	if !json.Valid(r.Body) {
		return Received{}, unreadable("the body is not JSON; the webhook's format must be JSON")
	}
	family := shopifyFamily(r.Header)
	topic := r.Header.Get(family + "Topic")
	if action := r.Header.Get(family + "Action"); action != "" && topic != "" {
		topic += "." + action
	}
	return only(s.item(r, family, topic))
}

// item tells events apart by Shopify's id of them, by the topic and by the shop, for an order that
// is paid at once is created and paid with the same bytes, and two shops may send the same. An
// order that is put on hold again sends the same bytes under another id.
func (s *shopify) item(r Request, family, topic string) Item {
	shop, content := r.Header.Get(family+"Shop-Domain"), digest(string(r.Body))
	id := cmp.Or(headerID(r.Header, family+"Event-Id"), headerID(r.Header, family+"Webhook-Id"))
	i := Item{Type: topic, Key: cmp.Or(id, content), Identity: identity(id, topic, shop, content), Data: r.Body}
	i.Context = contextOf(r.Header, shopifyFacts(family)...)
	if id == "" {
		i.SameFor = s.sameFor(shopifyWindow)
	}
	return i
}

// shopifyFacts stand in headers alone: of most topics the body does not say which shop it is about.
func shopifyFacts(family string) []fact {
	return []fact{
		{"shop_domain", family + "Shop-Domain"},
		{"topic", family + "Topic"},
		{"event_id", family + "Event-Id"},
		{"webhook_id", family + "Webhook-Id"},
		{"triggered_at", family + "Triggered-At"},
		{"api_version", family + "Api-Version"},
		{"sub_topic", family + "Sub-Topic"},
	}
}
