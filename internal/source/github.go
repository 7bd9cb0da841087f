package source

import (
	"cmp"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash"
	"net/http"
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

func (s *github) Verify(_ context.Context, r Request) error {
	return verifyHub(s.Secrets, s.AllowSHA1, r)
}

func (s *github) head(r Request) error {
	_, _, err := hubSignature(s.AllowSHA1, r.Header)
	return err
}

// verifyHub is for the third parties that sign the body as PubSubHubbub had it.
func verifyHub(secrets Secrets, allowSHA1 bool, r Request) error {
	h, given, err := hubSignature(allowSHA1, r.Header)
	if err != nil {
		return err
	}
	return secrets.verify(h, given, r.Body)
}

// hubSignature reads an X-Hub-Signature, a hash's name and hex. The SHA-1 signature counts only
// where there is no other: a wrong SHA-256 is wrong.
func hubSignature(allowSHA1 bool, from http.Header) (h func() hash.Hash, given []byte, err error) {
	h, prefix, header := sha256.New, "sha256=", from.Get("X-Hub-Signature-256")
	if header == "" && allowSHA1 {
		h, prefix, header = sha1.New, "sha1=", from.Get("X-Hub-Signature")
	}
	encoded, ok := strings.CutPrefix(header, prefix)
	given, err = hex.DecodeString(encoded)
	if !ok || err != nil || len(given) == 0 {
		return nil, nil, unverified("the X-Hub-Signature-256 header is missing or not sha256= and hex")
	}
	return h, given, nil
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
