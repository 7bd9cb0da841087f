package sender

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"hookloop/internal/webhook"
)

// maxDrain bounds what is read past the kept body to get the connection back for the next attempt.
// Beyond, a new connection is cheaper than the bytes.
const maxDrain = 16 << 10

// minCredential is how long a word of an endpoint's own header must be to be looked for in its
// answer. Shorter ones are no secrets, and taking them out would only garble the answer.
const minCredential = 8

// readAnswer keeps the beginning of the response body, without the endpoint's own header values: an
// endpoint that echoes its request would write them into the history for good. A body that breaks
// off or is too slow is worth keeping, too; the error says so, after read bytes.
func readAnswer(resp *http.Response, own map[string]string) (kept string, read int, err error) {
	if switched(resp) {
		return "", 0, nil
	}
	words := secretWords(own)
	longest := 0
	for _, w := range words {
		longest = max(longest, len(w))
	}
	limit := webhook.MaxResponseBody + longestEscape*longest
	raw, err := io.ReadAll(io.LimitReader(resp.Body, int64(limit)))
	text := string(raw)
	for _, w := range words {
		text = strings.ReplaceAll(text, w, "***")
	}
	if len(words) > 0 && repeats(text, words) {
		return notKept, len(raw), err
	}
	if len(raw) == limit { // the end may hold the beginning of a word the limit cut in two
		text = text[:max(0, len(text)-longestEscape*longest)]
	}
	return clean(text), len(raw), err
}

// longestEscape is how much longer a word may be that is escaped: \u0041 stands for A.
const longestEscape = 6

// brokenBody is the sentence for a body that did not come whole. The status before it is the answer
// all the same: an endpoint that takes an event may be slow to say more.
func brokenBody(status, read int, err error, timeout time.Duration) string {
	slow, ok := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, context.DeadlineExceeded), ok && slow.Timeout():
		return fmt.Sprintf("answered %d, but its body is too slow: %d bytes within %s", status, read, timeout)
	case errors.Is(err, context.Canceled):
		return fmt.Sprintf("answered %d; the worker stopped after %d bytes of its body", status, read)
	}
	return fmt.Sprintf("answered %d, but its body broke off after %d bytes", status, read)
}

func secretWords(own map[string]string) []string {
	var words []string
	for _, value := range own {
		for w := range strings.FieldsSeq(value) {
			if len(w) >= minCredential {
				words = append(words, w)
			}
		}
	}
	return words
}

// clean makes text safe for JSON, terminals and histories, of at most MaxResponseBody bytes. A
// replaced byte takes three instead of the six of its JSON escape.
func clean(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, string(utf8.RuneError)), "\r\n", "\n")
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return utf8.RuneError
		}
		return r
	}, text)
	return webhook.Cut(text, webhook.MaxResponseBody)
}

// drain reads a body to its end so that the connection can be used again, unless that is far.
func drain(resp *http.Response) {
	if switched(resp) {
		return
	}
	_, _ = io.CopyN(io.Discard, resp.Body, maxDrain) // a failure costs the connection only
}

// switched says whether the body is a bare connection. The sender asks for none; no deadline ends
// it, and it must not be read.
func switched(resp *http.Response) bool { return resp.StatusCode == http.StatusSwitchingProtocols }

// retryAfter reads a Retry-After header: seconds, or a date to count from now. What it cannot read
// is no wish; what it can is at most webhook.MaxRetryAfter.
func retryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if value == "" {
		return 0
	}
	var wait time.Duration
	seconds, err := strconv.ParseUint(value, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange), err == nil && seconds >= uint64(webhook.MaxRetryAfter/time.Second):
		return webhook.MaxRetryAfter
	case err == nil:
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), webhook.MaxRetryAfter)
}

// directive reads a webhook-delivery header. An unknown value asks for nothing.
func directive(value string) webhook.Directive {
	switch d := webhook.Directive(strings.ToLower(strings.TrimSpace(value))); d {
	case webhook.DirectiveAbort, webhook.DirectiveDisable:
		return d
	}
	return ""
}
