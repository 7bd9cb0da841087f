package source

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"hookloop/internal/webhook"
)

// x is X, once Twitter. It signs the body with the app's consumer secret and, in newer deliveries,
// with the OAuth 2.0 client secret as well; one of the two is enough. There is no time in it.
type x struct {
	ConsumerSecret Secret `json:"consumer_secret,omitzero"`
	ClientSecret   Secret `json:"client_secret,omitzero"`
	repeats
}

const (
	xSignature       = "X-Twitter-Webhooks-Signature"
	xSignatureOAuth2 = "X-Twitter-Webhooks-Signature-OAuth2"
)

func (s *x) check() error { return cmp.Or(s.checkSecrets(), s.checkRepeats()) }

func (s *x) checkSecrets() error {
	if !s.ConsumerSecret.given() && !s.ClientSecret.given() {
		return webhook.Invalidf("config.consumer_secret", "is missing, and so is client_secret: one of them is needed")
	}
	return cmp.Or(s.ConsumerSecret.checkGiven("config.consumer_secret"), s.ClientSecret.checkGiven("config.client_secret"))
}

func (s *x) Verify(_ context.Context, r Request) error {
	value, secret := s.signature(r.Header)
	message := r.Body
	if r.Method == http.MethodGet {
		if _, err := challenge(r.Query); err != nil {
			return err
		}
		if value == "" { // X does not say that it signs these
			return nil
		}
		message = []byte(r.Query)
	}
	given, err := xGiven(value)
	if err != nil {
		return err
	}
	return Secrets{secret}.verify(sha256.New, given, message)
}

func (s *x) head(r Request) error {
	if r.Method == http.MethodGet {
		_, err := challenge(r.Query)
		return err
	}
	value, _ := s.signature(r.Header)
	_, err := xGiven(value)
	return err
}

func xGiven(value string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(value, "sha256=")
	given, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || len(given) == 0 {
		return nil, unverified("there is no signature by a secret that is configured")
	}
	return given, nil
}

// signature finds the header to go by and the secret it is made with. The newer one counts wherever
// it can be checked.
func (s *x) signature(h http.Header) (value string, secret Secret) {
	if value := h.Get(xSignatureOAuth2); value != "" && s.ClientSecret.given() {
		return value, s.ClientSecret
	}
	if s.ConsumerSecret.given() {
		return h.Get(xSignature), s.ConsumerSecret
	}
	return "", Secret{}
}

// crcToken is what X asks to be signed. It signs events with the same secret and in the same way,
// so who could have us sign any text could have us sign an event: it must not look like JSON.
var crcToken = regexp.MustCompile(`^[A-Za-z0-9 +/=._~-]{1,256}$`)

func challenge(query string) (string, error) {
	values, err := url.ParseQuery(query)
	if token := values.Get("crc_token"); err == nil && crcToken.MatchString(token) {
		return token, nil
	}
	return "", &Refusal{Status: http.StatusBadRequest, Reason: "there is no crc_token in the query that could be X's"}
}

// Read answers a challenge, which X repeats every day: a wrong answer ends the webhook at once.
func (s *x) Read(r Request) (Received, error) {
	if r.Method != http.MethodGet {
		items, err := xEvents(r.Body, s.sameFor(xWindow))
		return Received{Items: items}, err
	}
	token, err := challenge(r.Query)
	if err != nil {
		return Received{}, err
	}
	secret := s.ConsumerSecret
	if !secret.given() {
		secret = s.ClientSecret
	}
	sum := mac(sha256.New, secret.bytes(), []byte(token))
	body, _ := json.Marshal(map[string]string{"response_token": "sha256=" + base64.StdEncoding.EncodeToString(sum)})
	return Received{Answer: Answer{ContentType: "application/json", Body: body}}, nil
}
