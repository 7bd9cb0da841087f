package source

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
)

// slack signs "v0:<time>:<body>", of any kind of body: JSON of the Events API, the form of a slash
// command, or a form with JSON in it for what people click.
type slack struct {
	Secrets   Secrets   `json:"secrets"`
	Tolerance tolerance `json:"tolerance,omitempty"`
	repeats
}

func (s *slack) check() error {
	return cmp.Or(s.Secrets.check("config.secrets"), s.Tolerance.check("config.tolerance"), s.checkRepeats())
}

func (s *slack) Verify(_ context.Context, r Request) error {
	stamp, given, err := s.given(r)
	if err != nil {
		return err
	}
	return s.Secrets.verify(sha256.New, given, []byte("v0:"+stamp+":"), r.Body)
}

func (s *slack) head(r Request) error {
	_, _, err := s.given(r)
	return err
}

// given is what the head says: when it was signed, and the signature.
func (s *slack) given(r Request) (stamp string, given []byte, err error) {
	encoded, ok := strings.CutPrefix(r.Header.Get("X-Slack-Signature"), "v0=")
	given, err = hex.DecodeString(encoded)
	if !ok || err != nil || len(given) == 0 {
		return "", nil, unverified("the X-Slack-Signature header is missing or malformed")
	}
	stamp = r.Header.Get("X-Slack-Request-Timestamp")
	return stamp, given, s.Tolerance.fresh(stamp, r.Now)
}

func (s *slack) Read(r Request) (Received, error) {
	if isForm(r) {
		return s.form(r.Body)
	}
	outer := readObject(r.Body)
	switch {
	case outer == nil:
		return Received{}, unreadable("the body is not a JSON object")
	case outer.text("type") == "url_verification":
		return slackChallenge(outer)
	}
	i := s.item(outer.text("type"), outer.text("event_id"), r.Body, r.Body)
	if inner := readObject(outer["event"]).text("type"); inner != "" { // of an event_callback
		i.Type = inner
	}
	return only(i)
}

// slackChallenge answers the handshake that comes when the request URL is saved. It is no event.
func slackChallenge(outer object) (Received, error) {
	challenge := outer.text("challenge")
	if challenge == "" {
		return Received{}, unreadable("the url_verification has no challenge")
	}
	return Received{Answer: Answer{ContentType: "text/plain", Body: []byte(challenge)}}, nil
}

// item has an id, or is known by what it says.
func (s *slack) item(kind, id string, content []byte, data json.RawMessage) Item {
	if id == "" {
		return Item{Type: kind, Key: digest(string(content)), SameFor: s.sameFor(usualWindow), Data: data}
	}
	return Item{Type: kind, Key: id, Identity: identity(id, kind), Data: data}
}

func (s *slack) form(body []byte) (Received, error) {
	f, err := readForm(body)
	switch {
	case err != nil:
		return Received{}, err
	case f.get("payload") != "":
		return s.interaction([]byte(f.get("payload")))
	case f.get("command") != "":
		return only(s.item("slash_command:"+f.get("command"), f.get("trigger_id"), body, f.json()))
	case f.get("ssl_check") == "1": // Slack looks whether our certificate is good
		return Received{}, nil
	}
	return Received{}, unreadable("the form has neither a payload nor a command")
}

// interaction takes the JSON of a button, menu, shortcut or dialog.
func (s *slack) interaction(payload json.RawMessage) (Received, error) {
	o := readObject(payload)
	if o == nil {
		return Received{}, unreadable("the payload is not a JSON object")
	}
	return only(s.item(o.text("type"), o.text("trigger_id"), payload, payload))
}
