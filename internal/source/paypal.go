package source

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"hash/crc32"
	"net/http"
	"strconv"
	"strings"
	"time"

	"hookloop/internal/webhook"
)

// paypal signs with the key of a certificate that it publishes. WebhookID is part of what is signed
// and of no request: it keeps out what PayPal signed for others. "WEBHOOK_ID" is PayPal's
// simulator, which any of them may aim at us.
type paypal struct {
	WebhookID string `json:"webhook_id"`

	certificates *paypalCertificates
}

const (
	// maxTransmissionAge is the three days for which PayPal repeats what failed, and one more.
	maxTransmissionAge = 4 * 24 * time.Hour
	// maxTransmissionLead is how far PayPal's clock may be ahead of ours.
	maxTransmissionLead = 5 * time.Minute
	// rememberTransmission is longer than the same signature can be used.
	rememberTransmission = 5 * 24 * time.Hour
	// maxTransmissionID bounds what is remembered of each; PayPal's have 36 bytes.
	maxTransmissionID = 128
)

func (s *paypal) check() error {
	if s.WebhookID == "" || strings.Contains(s.WebhookID, "|") {
		return webhook.Invalidf("config.webhook_id", "must be the id PayPal gave the webhook")
	}
	return nil
}

func (s *paypal) Verify(ctx context.Context, r Request) error {
	t, err := readTransmission(r.Header, r.Now)
	if err != nil {
		return err
	}
	key, err := s.certificates.key(ctx, s.WebhookID, t.certURL, r.Now)
	if err != nil {
		return err
	}
	hash := sha256.Sum256([]byte(t.signed(s.WebhookID, r.Body)))
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, hash[:], t.signature) != nil {
		return unverified("the signature does not match")
	}
	return nil
}

func (s *paypal) head(r Request) error {
	_, err := readTransmission(r.Header, r.Now)
	return err
}

// transmission is what the headers say of one delivery.
type transmission struct {
	id, time, certURL string
	signature         []byte
}

// readTransmission refuses what needs no certificate to be refused, so that no stranger can make us
// fetch one for it.
func readTransmission(h http.Header, now time.Time) (transmission, error) {
	t := transmission{
		id:      h.Get("Paypal-Transmission-Id"),
		time:    h.Get("Paypal-Transmission-Time"),
		certURL: h.Get("Paypal-Cert-Url"),
	}
	signature := h.Get("Paypal-Transmission-Sig")
	if t.id == "" || t.time == "" || t.certURL == "" || signature == "" {
		return transmission{}, unverified("a Paypal-Transmission-Id, -Time, -Sig or Paypal-Cert-Url header is missing")
	}
	if !printable(t.id) || len(t.id) > maxTransmissionID {
		return transmission{}, unverified("the Paypal-Transmission-Id is not one")
	}
	if h.Get("Paypal-Auth-Algo") != "SHA256withRSA" {
		return transmission{}, unverified("the Paypal-Auth-Algo is not SHA256withRSA")
	}
	var err error
	if t.signature, err = base64.StdEncoding.DecodeString(signature); err != nil {
		return transmission{}, unverified("the Paypal-Transmission-Sig is not Base64")
	}
	return t, t.inTime(now)
}

// inTime bounds how long a request can be sent again. PayPal's own libraries do not look at the
// time.
func (t transmission) inTime(now time.Time) error {
	at, err := time.Parse(time.RFC3339, t.time)
	switch {
	case err != nil:
		return unverified("the Paypal-Transmission-Time is not a time")
	case now.Sub(at) > maxTransmissionAge:
		return unverified("the transmission is too old")
	case at.Sub(now) > maxTransmissionLead:
		return unverified("the transmission lies in the future")
	}
	return nil
}

// signed is what PayPal signs. Of the body it is a CRC-32 only: see Read.
func (t transmission) signed(webhookID string, body []byte) string {
	sum := strconv.FormatUint(uint64(crc32.ChecksumIEEE(body)), 10)
	return strings.Join([]string{t.id, t.time, webhookID, sum}, "|")
}

// Read finds one event. One who caught a request can write another body of the same CRC-32 under
// the same signature, so a transmission is bound to the body it first came with.
func (s *paypal) Read(r Request) (Received, error) {
	event := readObject(r.Body)
	if event == nil {
		return Received{}, unreadable("the body is not a JSON object")
	}
	key := keyOr(event.text("id"), r.Body)
	return Received{
		// The simulator gives one id to events of several types.
		Items: []Item{{Type: event.text("event_type"), Key: key, Identity: identity(key, event.text("event_type")), Data: r.Body, Context: contextOf(r.Header, paypalFacts...)}},
		Binding: &Binding{
			Name:    "transmission " + r.Header.Get("Paypal-Transmission-Id"),
			Content: digest(string(r.Body)),
			For:     rememberTransmission,
		},
	}, nil
}

// paypalFacts stand in headers alone.
var paypalFacts = []fact{
	{"transmission_id", "Paypal-Transmission-Id"},
	{"transmission_time", "Paypal-Transmission-Time"},
}
