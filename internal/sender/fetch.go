package sender

import (
	"cmp"
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
	// maxDocument bounds a document, in bytes. Keys and certificates have a few KiB; those of an
	// issuer of the operator's own may stand beside many certificates.
	maxDocument    = 64 << 10
	maxOwnDocument = 1 << 20
	// fetchTimeout is short: a third party waits for our answer meanwhile, and comes again.
	fetchTimeout = 5 * time.Second
	// issuerHost has what its certificates were issued with at http:// addresses alone. They need
	// no trust: a chain of certificates proves itself.
	issuerHost = "cacerts.digicert.com"
)

// FetcherConfig says how documents are fetched.
type FetcherConfig struct {
	AllowLoopback bool   // let 127.0.0.0/8 and ::1 through, without TLS too; for development only
	OwnAddresses  bool   // the operator chose the URLs: they may lie inside, lack TLS, redirect, and go through the environment's proxy
	UserAgent     string // empty: "Hookloop"
}

// Fetcher gets public documents: the keys and certificates third parties publish. It follows no
// redirect, but between addresses of the operator's own, and keeps nothing. It is safe for
// concurrent use.
type Fetcher struct {
	allowLoopback bool
	own           bool
	most          int64
	userAgent     string
	transport     *http.Transport
	do            func(*http.Request) (*http.Response, error)
}

// NewFetcher prepares a Fetcher; nothing is dialled before the first Get.
func NewFetcher(cfg FetcherConfig) *Fetcher {
	cfg.UserAgent = cmp.Or(cfg.UserAgent, "Hookloop")
	f := &Fetcher{allowLoopback: cfg.AllowLoopback, own: cfg.OwnAddresses, most: maxDocument, userAgent: cfg.UserAgent}
	if !f.own {
		f.transport = newTransport(cfg.AllowLoopback)
		f.do = f.transport.RoundTrip // unlike a Client, follows no redirect
		return f
	}
	f.most = maxOwnDocument
	f.transport = &http.Transport{
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxResponseHeaderBytes: maxResponseHeaders, IdleConnTimeout: fetchTimeout,
	}
	f.do = (&http.Client{Transport: f.transport}).Do
	return f
}

// Client asks addresses in other ways, as protocols do that a library speaks. An answer ends after
// as long, and is as large, as a document may be. It follows no redirect: what is posted may be
// secret.
func (f *Fetcher) Client() *http.Client {
	return &http.Client{
		Transport: bounded{f.transport, f.most, f.userAgent}, Timeout: fetchTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// bounded cuts answers off that are larger than most bytes.
type bounded struct {
	http.RoundTripper

	most      int64
	userAgent string
}

// RoundTrip asks as ourselves.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", b.userAgent)
	resp, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		resp.Body = http.MaxBytesReader(nil, resp.Body, b.most)
	}
	return resp, err
}

// Close gives up idle connections.
func (f *Fetcher) Close() { f.transport.CloseIdleConnections() }

// Get gives the body of a 200. Its errors name the host and what went wrong, and nothing else of
// the URL.
func (f *Fetcher) Get(ctx context.Context, rawURL string) ([]byte, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" || u.User != nil && !f.own {
		return nil, errors.New("fetch: the URL cannot be fetched") // not err, which quotes the URL
	}
	if !f.allowed(u) {
		return nil, fmt.Errorf("fetch from %s: only https is allowed", u.Hostname())
	}
	within, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	var p phase
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
		return f.own || u.Host == issuerHost || f.allowLoopback && isLoopback(u.Hostname())
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
	resp, err := f.do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		drain(resp)
		return nil, answerError(fmt.Sprintf("answered %d", resp.StatusCode))
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, f.most+1))
	if err != nil && ctx.Err() == nil {
		return nil, answerError("the document broke off")
	}
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > f.most {
		return nil, answerError(fmt.Sprintf("the document exceeds %d KiB", f.most>>10))
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
