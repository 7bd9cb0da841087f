package source

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"hookloop/internal/webhook"
)

// googleChannel is Google's notification channels: Calendar, Drive, Directory and others. They sign
// nothing and show a token that we chose when the channel was opened. A holder of the token can say
// anything, so an event is a reason to ask Google what changed, and no more.
type googleChannel struct {
	Token    Secret                  `json:"token,omitzero"` // of every channel that is not listed
	Channels map[string]googleListed `json:"channels,omitempty"`
}

// googleListed is a channel of which we know more.
type googleListed struct {
	Token      Secret `json:"token"`
	ResourceID string `json:"resource_id,omitempty"`
	// Expiration is in seconds since 1970; 0: what the channel says itself.
	Expiration int64 `json:"expiration,omitempty"`
}

// maxChannelID is Google's bound.
const maxChannelID = 64

func (s *googleChannel) check() error {
	if !s.Token.given() && len(s.Channels) == 0 {
		return webhook.Invalidf("config.token", "is missing, and so is channels: one of them is needed")
	}
	if err := s.Token.checkGiven("config.token"); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(s.Channels)) {
		if id == "" || len(id) > maxChannelID {
			return webhook.Invalidf("config.channels", "has an id that is empty or longer than %d bytes", maxChannelID)
		}
		field := "config.channels." + id
		if err := s.Channels[id].Token.check(field + ".token"); err != nil {
			return err
		}
		if s.Channels[id].Expiration < 0 {
			return webhook.Invalidf(field+".expiration", "must be a time in seconds since 1970")
		}
	}
	return nil
}

func (s *googleChannel) Verify(_ context.Context, r Request) error {
	id := r.Header.Get("X-Goog-Channel-Id")
	channel, listed := s.Channels[id]
	if !listed {
		channel.Token = s.Token
	}
	switch {
	case !printable(id) || len(id) > maxChannelID:
		return forbidden("the X-Goog-Channel-Id is missing or not one")
	case channel.Token.Reveal() == "":
		return forbidden("the channel is not known")
	case !equal(r.Header.Get("X-Goog-Channel-Token"), channel.Token.Reveal()):
		return forbidden("the token is not the channel's")
	case channel.ResourceID != "" && r.Header.Get("X-Goog-Resource-Id") != channel.ResourceID:
		return forbidden("the resource is not the channel's")
	case channel.expired(r):
		return &Refusal{Status: http.StatusGone, Reason: "the channel has expired"}
	}
	return nil
}

// head is all there is to verify.
func (s *googleChannel) head(r Request) error { return s.Verify(context.Background(), r) }

func forbidden(reason string) error {
	return &Refusal{Status: http.StatusForbidden, Reason: reason}
}

func (c googleListed) expired(r Request) bool {
	if c.Expiration != 0 && !r.Now.Before(time.Unix(c.Expiration, 0)) {
		return true
	}
	at, err := http.ParseTime(r.Header.Get("X-Goog-Channel-Expiration"))
	return err == nil && !r.Now.Before(at)
}

// Read finds at most one event: a channel begins with a message that says only that it works. The
// key is Google's numbering, which nothing protects.
func (s *googleChannel) Read(r Request) (Received, error) {
	state := r.Header.Get("X-Goog-Resource-State")
	if state == "sync" {
		return Received{}, nil
	}
	number := r.Header.Get("X-Goog-Message-Number")
	if _, err := strconv.ParseUint(number, 10, 64); err != nil {
		return Received{}, unreadable("the X-Goog-Message-Number is not a number")
	}
	if state == "" {
		return Received{}, unreadable("the X-Goog-Resource-State is missing")
	}
	return only(Item{
		Type: googleService(r.Header.Get("X-Goog-Resource-Uri")) + "." + state,
		Key:  r.Header.Get("X-Goog-Channel-Id") + ":" + number,
		Data: channelFacts(r),
	})
}

// googleService is whose resource it is. The path of a resource begins with it.
func googleService(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return "channel"
	}
	service, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	return cmp.Or(service, "channel")
}

// channelFacts writes down what the headers say, the token excepted: all there is, most of the
// time. A body is the resource as it is now, or was.
func channelFacts(r Request) json.RawMessage {
	var facts []webhook.Member
	for _, f := range [][2]string{
		{"channel_id", "X-Goog-Channel-Id"},
		{"channel_expiration", "X-Goog-Channel-Expiration"},
		{"message_number", "X-Goog-Message-Number"},
		{"resource_id", "X-Goog-Resource-Id"},
		{"resource_uri", "X-Goog-Resource-Uri"},
		{"resource_state", "X-Goog-Resource-State"},
		{"changed", "X-Goog-Changed"},
	} {
		if value := r.Header.Get(f[1]); value != "" {
			facts = append(facts, webhook.Member{Name: f[0], Value: webhook.Quote(value)})
		}
	}
	if json.Valid(r.Body) {
		facts = append(facts, webhook.Member{Name: "body", Value: r.Body})
	}
	return objectOf(facts)
}
