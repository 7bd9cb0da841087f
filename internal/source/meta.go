package source

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
)

// meta is Facebook, Instagram, Messenger and WhatsApp. They sign the body with the app's secret:
// the bytes they send, in which they escape more than JSON asks for. VerifyToken is ours, for the
// handshake.
type meta struct {
	Secrets     Secrets `json:"secrets"`
	VerifyToken Secret  `json:"verify_token"`
	AllowSHA1   bool    `json:"allow_sha1,omitempty"` // of what comes without the SHA-256 signature
	repeats
}

func (s *meta) check() error {
	return cmp.Or(s.Secrets.check("config.secrets"), s.VerifyToken.check("config.verify_token"), s.checkRepeats())
}

func (s *meta) Verify(_ context.Context, r Request) error {
	if r.Method == http.MethodGet {
		return s.verifyHandshake(r.Query)
	}
	return verifyHub(s.Secrets, s.AllowSHA1, r)
}

func (s *meta) head(r Request) error {
	if r.Method == http.MethodGet {
		return s.verifyHandshake(r.Query)
	}
	_, _, err := hubSignature(s.AllowSHA1, r.Header)
	return err
}

func (s *meta) verifyHandshake(query string) error {
	q, err := url.ParseQuery(query)
	if err != nil || q.Get("hub.mode") != "subscribe" || !equal(q.Get("hub.verify_token"), s.VerifyToken.Reveal()) {
		return &Refusal{Status: http.StatusForbidden, Reason: "the verify token or the mode does not match"}
	}
	return nil
}

// Read gives the challenge back as plain text: it is a stranger's, and must not be read as a page.
func (s *meta) Read(r Request) (Received, error) {
	if r.Method != http.MethodGet {
		items, err := metaEvents(r.Body, s.sameFor(metaWindow))
		return Received{Items: items}, err
	}
	q, err := url.ParseQuery(r.Query)
	if err != nil || q.Get("hub.challenge") == "" {
		return Received{}, unreadable("there is no hub.challenge in the query")
	}
	return Received{Answer: Answer{ContentType: "text/plain", Body: []byte(q.Get("hub.challenge"))}}, nil
}
