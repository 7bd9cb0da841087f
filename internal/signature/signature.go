// Package signature signs and verifies by Standard Webhooks 1.0.0: the bytes signed are
// "<webhook-id>.<webhook-timestamp>.<body>", a v1 signature is their HMAC-SHA256. The sender signs
// with it, `hookloop listen` verifies with it. It knows nothing of HTTP requests or of storage.
package signature

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The headers of a signed delivery.
const (
	HeaderID        = "webhook-id"
	HeaderTimestamp = "webhook-timestamp" // seconds since 1970 of the attempt, not of the event
	HeaderSignature = "webhook-signature" // signatures separated by spaces
)

// Tolerance is how far a timestamp may lie from the verifier's clock, either way; the reference
// libraries use the same.
const Tolerance = 5 * time.Minute

// What Verify finds wrong.
var (
	ErrMissingHeader = errors.New("a webhook-id, webhook-timestamp or webhook-signature header is missing")
	ErrTimestamp     = errors.New("webhook-timestamp is not a number of seconds")
	ErrTooOld        = errors.New("webhook-timestamp is too old")
	ErrTooNew        = errors.New("webhook-timestamp lies in the future")
	ErrNoMatch       = errors.New("no signature matches")
)

// Sign gives the value of the webhook-signature header: one signature for each secret, in order.
func Sign(secrets []Secret, id string, at time.Time, body []byte) string {
	items := make([]string, len(secrets))
	for i, s := range secrets {
		items[i] = "v1," + base64.StdEncoding.EncodeToString(s.mac(id, unix(at), body))
	}
	return strings.Join(items, " ")
}

// Verify checks the three headers against body at time now. Any one matching pair of secret and v1
// signature is enough; signatures of other versions are passed over.
func Verify(secrets []Secret, h http.Header, body []byte, now time.Time) error {
	id, stamp, list := h.Get(HeaderID), h.Get(HeaderTimestamp), h.Get(HeaderSignature)
	if id == "" || stamp == "" || list == "" {
		return ErrMissingHeader
	}
	if err := checkTimestamp(stamp, now); err != nil {
		return err
	}
	// once, or a long list would have us hash body for each item
	expected := make([][]byte, len(secrets))
	for i, s := range secrets {
		expected[i] = s.mac(id, stamp, body)
	}
	for item := range strings.FieldsSeq(list) {
		version, encoded, _ := strings.Cut(item, ",")
		given, err := base64.StdEncoding.DecodeString(encoded)
		if version != "v1" || err != nil {
			continue
		}
		if slices.ContainsFunc(expected, func(mac []byte) bool { return hmac.Equal(given, mac) }) {
			return nil
		}
	}
	return ErrNoMatch
}

func checkTimestamp(stamp string, now time.Time) error {
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return fmt.Errorf("%w: %.32q", ErrTimestamp, stamp)
	}
	switch at := time.Unix(seconds, 0); {
	case at.Before(now.Add(-Tolerance)):
		return ErrTooOld
	case at.After(now.Add(Tolerance)):
		return ErrTooNew
	}
	return nil
}

func unix(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

func (s Secret) mac(id, stamp string, body []byte) []byte {
	h := hmac.New(sha256.New, s.bytes())
	_, _ = h.Write([]byte(id + "." + stamp + ".")) // a hash never fails
	_, _ = h.Write(body)
	return h.Sum(nil)
}
