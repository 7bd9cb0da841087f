package source

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// stripe signs "<t>.<body>" with the endpoint's secret as it is written, whsec_ and all: it is not
// the Base64 that Standard Webhooks has behind the same prefix.
type stripe struct {
	Secrets   Secrets   `json:"secrets"`
	Tolerance tolerance `json:"tolerance,omitempty"`
}

func (s *stripe) check() error {
	return cmp.Or(s.Secrets.check("config.secrets"), s.Tolerance.check("config.tolerance"))
}

func (s *stripe) Verify(_ context.Context, r Request) error {
	stamp, given, err := s.given(r)
	if err != nil {
		return err
	}
	if !s.Secrets.signedWith(sha256.New, given, []byte(stamp+"."), r.Body) {
		return unverified("no signature matches")
	}
	return nil
}

func (s *stripe) head(r Request) error {
	_, _, err := s.given(r)
	return err
}

// given is what the head says: when it was signed, and the signatures.
func (s *stripe) given(r Request) (stamp string, given [][]byte, err error) {
	stamp, given, err = stripeSignature(r.Header.Get("Stripe-Signature"))
	switch {
	case err != nil:
		return stamp, given, err
	case len(given) == 0:
		return stamp, given, unverified("no signature matches")
	}
	return stamp, given, s.Tolerance.fresh(stamp, r.Now)
}

// stripeSignature reads "t=1759999995,v1=<hex>,v1=<hex>,v0=<hex>". There is one v1 for each secret
// while one is replaced; v0 and names still to come are passed over, and so is a v1 that is not
// hex.
func stripeSignature(header string) (stamp string, given [][]byte, err error) {
	for item := range strings.SplitSeq(header, ",") {
		name, value, ok := strings.Cut(item, "=")
		if !ok || strings.Contains(value, "=") {
			return "", nil, unverified("the Stripe-Signature header is missing or malformed")
		}
		switch name {
		case "t":
			stamp = value
		case "v1":
			if mac, err := hex.DecodeString(value); err == nil {
				given = append(given, mac)
			}
		}
	}
	return stamp, given, nil
}

// Read takes snapshot and thin events alike; both have an id and a type.
func (s *stripe) Read(r Request) (Received, error) {
	event := readObject(r.Body)
	if event == nil {
		return Received{}, unreadable("the body is not a JSON object")
	}
	key := keyOr(event.text("id"), r.Body)
	return only(Item{Type: event.text("type"), Key: key, Identity: identity(key, event.text("type")), Data: r.Body})
}
