package source

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"strings"
)

// slack signs "v0:<time>:<body>", whatever the body is: JSON of the Events API, the form of a slash
// command, or a form with JSON in it for what people click.
type slack struct {
	Secrets   Secrets   `json:"secrets"`
	Tolerance tolerance `json:"tolerance,omitempty"`
}

func (s *slack) check() error {
	if err := s.Secrets.check("config.secrets"); err != nil {
		return err
	}
	return s.Tolerance.check("config.tolerance")
}

func (s *slack) Verify(_ context.Context, r Request) error {
	encoded, ok := strings.CutPrefix(r.Header.Get("X-Slack-Signature"), "v0=")
	given, err := hex.DecodeString(encoded)
	if !ok || err != nil {
		return unverified("the X-Slack-Signature header is missing or malformed")
	}
	stamp := r.Header.Get("X-Slack-Request-Timestamp")
	if err := s.Tolerance.fresh(stamp, r.Now); err != nil {
		return err
	}
	if !s.Secrets.signedBy([][]byte{given}, []byte("v0:"+stamp+":"), r.Body) {
		return unverified("the signature does not match")
	}
	return nil
}

func (s *slack) Read(r Request) (Received, error) {
	if isForm(r) {
		return slackForm(r.Body)
	}
	outer := readObject(r.Body)
	switch {
	case outer == nil:
		return Received{}, unreadable("the body is not a JSON object")
	case outer.text("type") == "url_verification":
		return slackChallenge(outer)
	}
	i := Item{Type: outer.text("type"), Key: keyOr(outer.text("event_id"), r.Body), Data: r.Body}
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

func slackForm(body []byte) (Received, error) {
	f, err := readForm(body)
	switch {
	case err != nil:
		return Received{}, err
	case f.get("payload") != "":
		return slackInteraction([]byte(f.get("payload")))
	case f.get("command") != "":
		return only(Item{
			Type: "slash_command:" + f.get("command"),
			Key:  keyOr(f.get("trigger_id"), body),
			Data: f.json(),
		})
	case f.get("ssl_check") == "1": // Slack looks whether our certificate is good
		return Received{}, nil
	}
	return Received{}, unreadable("the form has neither a payload nor a command")
}

// slackInteraction takes the JSON of a button, menu, shortcut or dialog.
func slackInteraction(payload json.RawMessage) (Received, error) {
	o := readObject(payload)
	if o == nil {
		return Received{}, unreadable("the payload is not a JSON object")
	}
	return only(Item{Type: o.text("type"), Key: keyOr(o.text("trigger_id"), payload), Data: payload})
}
