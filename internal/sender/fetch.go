package sender

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

const (
	// maxDocument bounds a document, in bytes. Keys and certificates have a few KiB.
	maxDocument = 64 << 10
	// fetchTimeout is short: a third party waits for our answer meanwhile, and comes again.
	fetchTimeout = 5 * time.Second
	// issuerHost has what its certificates were issued with at http:// addresses alone. Nobody need
	// trust them: a chain of certificates proves itself.
	issuerHost = "cacerts.digicert.com"
)

// FetcherConfig says how documents are fetched.
type FetcherConfig struct {
	AllowLoopback bool   // let 127.0.0.0/8 and ::1 through, without TLS too; for development only
	UserAgent     string // empty: "Hookloop"
}

// Fetcher gets public documents: the keys and certificates third parties publish. It follows no
// redirect and keeps nothing. It is safe for concurrent use.
type Fetcher struct {
	allowLoopback bool
	userAgent     string
	transport     *http.Transport
}

// NewFetcher prepares a Fetcher; nothing is dialled before the first Get.
func NewFetcher(cfg FetcherConfig) *Fetcher {
	if cfg.UserAgent == "" {
		cfg.UserAgent = "Hookloop"
	}
	return &Fetcher{
		allowLoopback: cfg.AllowLoopback,
		userAgent:     cfg.UserAgent,
		transport:     newTransport(cfg.AllowLoopback),
	}
}

// Close gives up idle connections.
func (f *Fetcher) Close() { f.transport.CloseIdleConnections() }

// Get gives the body of a 200. Its errors name the host and what went wrong, and nothing else of the
// URL.
func (f *Fetcher) Get(ctx context.Context, rawURL string) ([]byte, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" || u.User != nil {
		return nil, errors.New("fetch: the URL cannot be fetched") // not err, which quotes the URL
	}
	if !f.allowed(u) {
		return nil, fmt.Errorf("fetch from %s: only https is allowed", u.Hostname())
	}
	within, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	var p progress
	body, err := f.get(p.watch(within), u)
	switch {
	case err == nil:
		return body, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("fetch from %s: %w", u.Hostname(), ctx.Err())
	}
	return nil, fmt.Errorf("fetch from %s: %s", u.Hostname(), fetchFailure(err, p.late(fetchTimeout)))
}

func (f *Fetcher) allowed(u *url.URL) bool {
	switch u.Scheme {
	case "https":
		return true
	case "http":
		return u.Host == issuerHost || f.allowLoopback && isLoopback(u.Hostname())
	}
	return false
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// answerError says why there is no document, in words that quote nothing of the URL or the answer.
type answerError string

func (e answerError) Error() string { return string(e) }

func (f *Fetcher) get(ctx context.Context, u *url.URL) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, answerError("the URL cannot be fetched")
	}
	req.Header.Set("User-Agent", f.userAgent)
	resp, err := f.transport.RoundTrip(req) // unlike a Client, follows no redirect
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		drain(resp)
		return nil, answerError(fmt.Sprintf("answered %d", resp.StatusCode))
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument+1))
	if err != nil && ctx.Err() == nil {
		return nil, answerError("the document broke off")
	}
	if err != nil {
		return nil, err
	}
	if len(body) > maxDocument {
		return nil, answerError(fmt.Sprintf("the document exceeds %d KiB", maxDocument>>10))
	}
	return body, nil
}

// fetchFailure is classify's sentence, where no endpoint is meant.
func fetchFailure(err error, late string) string {
	if wrong, ok := errors.AsType[answerError](err); ok {
		return wrong.Error()
	}
	if errors.Is(err, errAddress) {
		return "its address is not a public one"
	}
	_, sentence := classify(err, late)
	return sentence
}
