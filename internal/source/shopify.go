package source

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
)

// shopify signs the body with the app's client secret. Topic and ids stand in headers, which are not
// covered.
type shopify struct {
	Secrets Secrets `json:"secrets"`
}

func (s *shopify) check() error { return s.Secrets.check("config.secrets") }

// shopifyFamily is the start of the headers' names. There are two generations of them, and Shopify's
// own library prefers the newer.
func shopifyFamily(h http.Header) string {
	if h.Get("Shopify-Hmac-Sha256") != "" {
		return "Shopify-"
	}
	return "X-Shopify-"
}

// Verify answers 401 to a wrong signature, which Shopify's app review insists on.
func (s *shopify) Verify(_ context.Context, r Request) error {
	given, err := base64.StdEncoding.DecodeString(r.Header.Get(shopifyFamily(r.Header) + "Hmac-Sha256"))
	if err != nil {
		return unverified("the signature header is not Base64")
	}
	if !s.Secrets.signedBy([][]byte{given}, r.Body) {
		return unverified("the signature does not match")
	}
	return nil
}

// Read names the event by topic ("orders/create") and, in the newer family, action ("Product.update").
func (s *shopify) Read(r Request) (Received, error) {
	if !json.Valid(r.Body) {
		return Received{}, unreadable("the body is not JSON; the webhook's format must be JSON")
	}
	family := shopifyFamily(r.Header)
	topic := r.Header.Get(family + "Topic")
	if action := r.Header.Get(family + "Action"); action != "" && topic != "" {
		topic += "." + action
	}
	return only(Item{
		Type: topic,
		Key:  keyOr(headerID(r.Header, family+"Event-Id"), r.Body),
		// An order that is paid at once is created and paid with the same bytes: by the body alone one of the
		// two would be lost. Who caught a request could repeat it once for each topic, and the topic of the
		// first is no better proven.
		Identity: digest(topic, string(r.Body)),
		Data:     r.Body,
	})
}
