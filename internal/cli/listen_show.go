package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"hookloop/internal/endpointtest"
	"hookloop/internal/signature"
	"hookloop/internal/terminal"
)

// receipts shows what arrives, one after the other also when it arrives at once.
type receipts struct {
	w      io.Writer
	asJSON bool
	raw    bool

	mu     sync.Mutex
	left   int           // until enough closes; 0: never
	enough chan struct{} // closed with the last one asked for
}

// receiptView is a receipt for machines: one line of JSON.
type receiptView struct {
	At       time.Time `json:"at"`
	ID       string    `json:"id"`
	Type     string    `json:"type"`
	Verified bool      `json:"verified"`
	Why      string    `json:"why,omitempty"` // not verified
	Status   int       `json:"status"`        // answered; 0: no answer
	Body     string    `json:"body"`          // as it came
}

// greet says where we listen and what we verify with.
func (s *receipts) greet(ctx context.Context, address string, keys *keyring) error {
	err := keys.start(ctx)
	if s.asJSON {
		return json.NewEncoder(s.w).Encode(map[string]string{"listening": address})
	}
	var b strings.Builder
	fmt.Fprintf(&b, "listening on %s   Ctrl-C stops\n", address)
	switch {
	case errors.Is(err, errNoEndpoint):
		fmt.Fprintf(&b, "No endpoint has this URL yet. Create one in another terminal:\n\n  hookloop endpoint create --url %s\n", address)
	case err != nil:
		fmt.Fprintf(&b, "Cannot verify yet: %s\n", terminal.OneLine(err.Error()))
	default:
		fmt.Fprintf(&b, "Verifying with %s.\n", keys)
	}
	_, err = io.WriteString(s.w, b.String())
	return err
}

// String says how many secrets there are and whence.
func (k *keyring) String() string {
	switch {
	case k.fixed:
		return "the secret given"
	case k.endpoint != "":
		return "the secret of " + terminal.OneLine(k.endpoint)
	}
	return "the secret of " + terminal.Count(len(k.secrets), "endpoint")
}

// add shows one receipt and what verifying it said.
func (s *receipts) add(r endpointtest.Receipt, verified error) {
	line := s.line(r, verified)
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = io.WriteString(s.w, line) // if our output was closed, nothing can be done
	if s.left--; s.left == 0 {
		close(s.enough)
	}
}

func (s *receipts) line(r endpointtest.Receipt, verified error) string {
	v := receiptView{
		At: r.At.UTC(), ID: r.ID, Type: typeOf(r.Body), Verified: verified == nil, Status: r.Status, Body: string(r.Body),
	}
	if verified != nil {
		v.Why = verified.Error()
	}
	if s.asJSON {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(v) // strings, numbers and a time always marshal
		return b.String()
	}
	return "\n" + v.headline(verified) + terminal.Printable(s.body(r.Body)) + "\n"
}

func (v receiptView) headline(verified error) string {
	mark := "✓ verified"
	switch {
	case verified == nil:
	case isForged(verified):
		mark = "✗ " + v.Why
	default:
		mark = "? not verified: " + v.Why
	}
	answered := "no answer"
	if v.Status != 0 {
		answered = strconv.Itoa(v.Status)
	}
	return terminal.OneLine(fmt.Sprintf("%s  %s  %s  %s  → %s", v.At.Local().Format("15:04:05.000"),
		cmp.Or(v.ID, "(no webhook-id)"), cmp.Or(v.Type, "(no type)"), mark, answered)) + "\n"
}

// isForged says whether the delivery is at fault, and not that we know no secret.
func isForged(err error) bool {
	return slices.ContainsFunc([]error{
		signature.ErrMissingHeader, signature.ErrTimestamp, signature.ErrTooOld, signature.ErrTooNew, signature.ErrNoMatch,
	}, func(e error) bool { return errors.Is(err, e) })
}

func (s *receipts) body(body []byte) string {
	var b bytes.Buffer
	if s.raw || json.Indent(&b, body, "", "  ") != nil {
		return string(body)
	}
	return b.String()
}

// typeOf reads the type of an event; empty when the body is none.
func typeOf(body []byte) string {
	var e struct {
		Type string `json:"type"`
	}
	_ = json.Unmarshal(body, &e) // what is no event is shown as well
	return e.Type
}
