package source

import (
	"cmp"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash"
	"strings"
)

// github signs the body, not the headers: neither the event's name nor the delivery's id is
// covered. Two deliveries of the same bytes are two events all the same: a member who is added,
// removed and added again makes the same bytes twice.
type github struct {
	Secrets   Secrets `json:"secrets"`
	AllowSHA1 bool    `json:"allow_sha1,omitempty"` // for old servers that know nothing better
	repeats
}

func (s *github) check() error {
	return cmp.Or(s.Secrets.check("config.secrets"), s.checkRepeats())
}

// Verify looks at the SHA-1 signature only where there is no other: a wrong SHA-256 is wrong.
func (s *github) Verify(_ context.Context, r Request) error {
	if header := r.Header.Get("X-Hub-Signature-256"); header != "" || !s.AllowSHA1 {
		return s.verify(sha256.New, "sha256=", header, r.Body)
	}
	return s.verify(sha1.New, "sha1=", r.Header.Get("X-Hub-Signature"), r.Body)
}

func (s *github) head(r Request) error {
	if header := r.Header.Get("X-Hub-Signature-256"); header != "" || !s.AllowSHA1 {
		_, err := hubSignature("sha256=", header)
		return err
	}
	_, err := hubSignature("sha1=", r.Header.Get("X-Hub-Signature"))
	return err
}

func (s *github) verify(h func() hash.Hash, prefix, header string, body []byte) error {
	given, err := hubSignature(prefix, header)
	if err != nil {
		return err
	}
	if !s.Secrets.signedWith(h, [][]byte{given}, body) {
		return unverified("the signature does not match")
	}
	return nil
}

// hubSignature reads an X-Hub-Signature, a hash's name and hex.
func hubSignature(prefix, header string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(header, prefix)
	given, err := hex.DecodeString(encoded)
	if !ok || err != nil || len(given) == 0 {
		return nil, unverified("the signature header is missing or malformed")
	}
	return given, nil
}

// Read takes a ping, which follows the making of a webhook, for an event too: it shows that the way
// is open.
func (s *github) Read(r Request) (Received, error) {
	data, err := githubPayload(r)
	if err != nil {
		return Received{}, err
	}
	payload := readObject(data)
	if payload == nil {
		return Received{}, unreadable("the payload is not a JSON object")
	}
	name := r.Header.Get("X-GitHub-Event")
	if action := payload.text("action"); action != "" && name != "" {
		name += "." + action
	}
	id, content := headerID(r.Header, "X-GitHub-Delivery"), digest(string(r.Body))
	i := Item{Type: name, Key: id, Identity: identity(id, content), Data: data, Context: contextOf(r.Header, githubFacts...)}
	if id == "" {
		i.Key, i.Identity, i.SameFor = content, content, s.sameFor(usualWindow)
	}
	return only(i)
}

// githubFacts stand in headers alone: which delivery, hook and installation it was.
var githubFacts = []fact{
	{"delivery_id", "X-GitHub-Delivery"},
	{"event", "X-GitHub-Event"},
	{"hook_id", "X-GitHub-Hook-Id"},
	{"installation_target_id", "X-GitHub-Hook-Installation-Target-Id"},
	{"installation_target_type", "X-GitHub-Hook-Installation-Target-Type"},
	{"enterprise_host", "X-GitHub-Enterprise-Host"},
}

// githubPayload is the body or, of a webhook with the content type "form", its field payload.
func githubPayload(r Request) (json.RawMessage, error) {
	if !isForm(r) {
		return r.Body, nil
	}
	f, err := readForm(r.Body)
	return json.RawMessage(f.get("payload")), err
}
