package gateway

import (
	"crypto/rand"
	"regexp"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"hookloop/internal/webhook"
)

const (
	eventPrefix    = webhook.EventPrefix
	endpointPrefix = webhook.EndpointPrefix
	sourcePrefix   = webhook.SourcePrefix
)

var (
	eventID    = regexp.MustCompile("^" + eventPrefix + "[0-9a-z]{26}$")
	endpointID = regexp.MustCompile("^" + endpointPrefix + "[0-9a-z]{26}$")
	sourceID   = regexp.MustCompile("^" + sourcePrefix + "[0-9a-z]{26}$")
)

// newID draws an id that sorts by the time it was drawn.
func newID(prefix string, now time.Time) string {
	return prefix + strings.ToLower(ulid.MustNew(ulid.Timestamp(now), rand.Reader).String())
}

// checkKey refuses an Idempotency-Key that could not be told apart in a log.
func checkKey(key string) error {
	if key == "" || len(key) > 255 || strings.ContainsFunc(key, func(r rune) bool { return r < 0x21 || r > 0x7e }) {
		return webhook.Invalidf("Idempotency-Key", "must be 1 to 255 visible ASCII characters")
	}
	return nil
}

func noSuchEvent() error    { return webhook.Errorf(webhook.NotFound, "there is no such event") }
func noSuchEndpoint() error { return webhook.Errorf(webhook.NotFound, "there is no such endpoint") }
func noSuchSource() error   { return webhook.Errorf(webhook.NotFound, "there is no such source") }
