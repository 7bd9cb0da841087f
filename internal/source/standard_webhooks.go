package source

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"hookloop/internal/signature"
	"hookloop/internal/webhook"
)

// standardWebhooks is any sender that keeps to Standard Webhooks, and Svix, from which it comes.
// Signed are "<id>.<time>.<body>", by HMAC-SHA256 (v1), by Ed25519 (v1a) or by both.
type standardWebhooks struct {
	Secrets    Secrets    `json:"secrets,omitempty"`
	PublicKeys publicKeys `json:"public_keys,omitempty"`
	Tolerance  tolerance  `json:"tolerance,omitempty"`
}

func (s *standardWebhooks) check() error {
	if len(s.Secrets) == 0 && len(s.PublicKeys) == 0 {
		return webhook.Invalidf("config", "must have at least one of secrets or public_keys")
	}
	if len(s.Secrets) > 0 {
		if err := s.Secrets.check("config.secrets"); err != nil {
			return err
		}
	}
	for i, secret := range s.Secrets {
		if decodeSecret(secret).Reveal() == "" {
			return webhook.Invalidf(fmt.Sprintf("config.secrets[%d]", i),
				`must be the Base64 of a key, with or without "whsec_" before it`)
		}
	}
	if err := s.PublicKeys.check("config.public_keys"); err != nil {
		return err
	}
	return s.Tolerance.check("config.tolerance")
}

// decodeSecret gives the key that whsec_<base64> stands for; an empty one when it stands for none.
func decodeSecret(s Secret) Secret {
	b, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(s.Reveal(), "whsec_"))
	if err != nil {
		return Secret{}
	}
	key := string(b)
	return Secret{signature.Hide(key)}
}

func (s *standardWebhooks) Verify(_ context.Context, r Request) error {
	if err := s.head(r); err != nil {
		return err
	}
	h := standardHeaders(r.Header)
	secrets := make(Secrets, len(s.Secrets))
	for i, secret := range s.Secrets {
		secrets[i] = decodeSecret(secret)
	}
	head := []byte(h.id + "." + h.stamp + ".")
	if secrets.signedWith(sha256.New, h.version("v1"), head, r.Body) || s.PublicKeys.signed(h.version("v1a"), head, r.Body) {
		return nil
	}
	return unverified("no signature matches")
}

func (s *standardWebhooks) head(r Request) error {
	h := standardHeaders(r.Header)
	switch {
	case h.id == "" || h.stamp == "" || h.signatures == "":
		return unverified("a webhook-id, webhook-timestamp or webhook-signature header is missing")
	case !printable(h.id) || strings.Contains(h.id, "."): // with a dot it would be open to doubt where the id ends
		return unverified("the webhook-id header is not one")
	case len(h.version("v1"))+len(h.version("v1a")) == 0:
		return unverified("no signature matches")
	}
	return s.Tolerance.fresh(h.stamp, r.Now)
}

// Read leaves the body whole: its members are the sender's own. Most have "type", as the standard
// recommends.
func (s *standardWebhooks) Read(r Request) (Received, error) {
	if !json.Valid(r.Body) {
		return Received{}, unreadable("the body is not JSON")
	}
	h := standardHeaders(r.Header)
	id := webhook.Member{Name: "webhook_id", Value: webhook.Quote(h.id)}
	return only(Item{Type: readObject(r.Body).text("type"), Key: h.id, Data: r.Body, Context: objectOf([]webhook.Member{id})})
}

type standardHeader struct{ id, stamp, signatures string }

// standardHeaders prefers Svix's own names, as its libraries do, where all three are there.
func standardHeaders(h http.Header) standardHeader {
	read := func(family string) standardHeader {
		return standardHeader{id: h.Get(family + "Id"), stamp: h.Get(family + "Timestamp"), signatures: h.Get(family + "Signature")}
	}
	if svix := read("Svix-"); svix.id != "" && svix.stamp != "" && svix.signatures != "" {
		return svix
	}
	return read("Webhook-")
}

// version picks the signatures of one version from "v1,<base64> v1a,<base64>". Others, and what is
// not Base64, are passed over.
func (h standardHeader) version(name string) [][]byte {
	var all [][]byte
	for item := range strings.FieldsSeq(h.signatures) {
		version, encoded, _ := strings.Cut(item, ",")
		if given, err := base64.StdEncoding.DecodeString(encoded); err == nil && version == name {
			all = append(all, given)
		}
	}
	return all
}
