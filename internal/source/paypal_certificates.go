package source

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"
)

const (
	keptCertificates = 128            // PayPal has a handful
	keepCertificate  = 24 * time.Hour // as long as PayPal says that they may be kept
	keptMisses       = 1024
	// keepMiss is how long a certificate that was not found is not asked for again: with the fetch
	// itself, one counts half a minute after it is there.
	keepMiss = 20 * time.Second
	// newAddresses a second and at once is what a sender that knows the address of a source can
	// make us fetch: it is easy to think of addresses of the right form. Each webhook has as many,
	// so that a flood at one keeps no other's certificate out. What was ever found is fetched again
	// without asking.
	newAddresses  = 10
	newAtOnce     = 50
	keptWebhooks  = 1024
	maxCertURL    = 256
	certificateCN = "messageverificationcerts"
)

var (
	// certURL is matched against the address as it came: no parser has a say in which host it
	// names.
	certURL = regexp.MustCompile(`^https://api(-m)?(\.sandbox)?\.paypal\.com(:443)?/v1/notifications/certs/[A-Za-z0-9_-][A-Za-z0-9._-]*$`)
	// issuerURL is where DigiCert, who issues PayPal's certificates, has its own.
	issuerURL = regexp.MustCompile(`^https?://cacerts\.digicert\.com/[A-Za-z0-9_-][A-Za-z0-9._-]*$`)
)

// paypalCertificates fetches PayPal's certificates, keeps them, and trusts those that lead to a
// root. Only what lies at PayPal's own addresses is ever asked for: a right certificate of another
// owner proves nothing.
type paypalCertificates struct {
	fetch         Fetcher
	roots         *x509.CertPool // nil: the system's
	intermediates []*x509.Certificate

	flight    singleflight.Group
	found     *lru.Cache[string, found]
	missed    *lru.Cache[string, time.Time]
	asking    sync.Mutex
	strangers *lru.Cache[string, *rate.Limiter] // of new addresses, by webhook id
}

type found struct {
	certificates []*x509.Certificate
	at           time.Time
}

// newPaypalCertificates trusts the self-signed certificates of authorities, and uses the others to
// get there.
func newPaypalCertificates(f Fetcher, authorities []byte) (*paypalCertificates, error) {
	c := &paypalCertificates{fetch: f}
	c.strangers, _ = lru.New[string, *rate.Limiter](keptWebhooks)
	c.found, _ = lru.New[string, found](keptCertificates) // fails for no size above zero
	c.missed, _ = lru.New[string, time.Time](keptMisses)
	if len(bytes.TrimSpace(authorities)) == 0 {
		return c, nil
	}
	all, err := readCertificates(authorities)
	if err != nil {
		return nil, errors.New("source: PayPalCAs holds no PEM certificates")
	}
	for _, ca := range all {
		if !bytes.Equal(ca.RawSubject, ca.RawIssuer) {
			c.intermediates = append(c.intermediates, ca)
			continue
		}
		if c.roots == nil {
			c.roots = x509.NewCertPool()
		}
		c.roots.AddCert(ca)
	}
	return c, nil
}

// key is the public key of the certificate at an address, if PayPal stands behind both. webhookID
// names the webhook whose request has the address.
func (c *paypalCertificates) key(ctx context.Context, webhookID, url string, now time.Time) (*rsa.PublicKey, error) {
	if len(url) > maxCertURL || !certURL.MatchString(url) || strings.Contains(url, "..") {
		return nil, unverified("the Paypal-Cert-Url is not one of PayPal's")
	}
	served, err := c.get(ctx, webhookID, url, now)
	if err != nil {
		return nil, err
	}
	leaf := served[0]
	name := leaf.Subject.CommonName
	if !strings.HasPrefix(name, certificateCN) || !strings.HasSuffix(name, ".paypal.com") {
		return nil, unverified("the certificate is not one for PayPal's webhooks")
	}
	key, ok := leaf.PublicKey.(*rsa.PublicKey)
	if !ok {
		return nil, unverified("the certificate has no RSA key")
	}
	return key, c.trust(ctx, webhookID, leaf, served[1:], now)
}

// trust refuses a leaf that does not lead to a root. PayPal's answer may hold the leaf alone, so
// what is between is configured, or fetched from where the leaf says it is.
func (c *paypalCertificates) trust(ctx context.Context, webhookID string, leaf *x509.Certificate, between []*x509.Certificate, now time.Time) error {
	if now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
		return unverified("the certificate is not valid at this time")
	}
	if c.verify(leaf, between, now) == nil {
		return nil
	}
	issuers, err := c.issuers(ctx, webhookID, leaf, now)
	if err != nil {
		return err
	}
	err = c.verify(leaf, slices.Concat(between, issuers), now)
	if _, broken := errors.AsType[x509.SystemRootsError](err); broken {
		return unavailable(err)
	}
	if err != nil {
		return unverified("the certificate leads to no root that is trusted")
	}
	return nil
}

func (c *paypalCertificates) verify(leaf *x509.Certificate, between []*x509.Certificate, now time.Time) error {
	pool := x509.NewCertPool()
	for _, ca := range slices.Concat(between, c.intermediates) {
		pool.AddCert(ca)
	}
	_, err := leaf.Verify(x509.VerifyOptions{Roots: c.roots, Intermediates: pool, CurrentTime: now})
	return err
}

// issuers fetches what issued the leaf. It is not trusted for that: it is only a way to a root.
func (c *paypalCertificates) issuers(ctx context.Context, webhookID string, leaf *x509.Certificate, now time.Time) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for _, url := range leaf.IssuingCertificateURL {
		if len(url) > maxCertURL || !issuerURL.MatchString(url) {
			continue
		}
		issuers, err := c.get(ctx, webhookID, url, now)
		if err != nil {
			return nil, err
		}
		all = append(all, issuers...)
	}
	return all, nil
}

// get gives what lies at an address: at least one certificate.
func (c *paypalCertificates) get(ctx context.Context, webhookID, url string, now time.Time) ([]*x509.Certificate, error) {
	old, known := c.found.Get(url)
	if known && now.Sub(old.at) < keepCertificate {
		return old.certificates, nil
	}
	if at, ok := c.missed.Get(url); ok && now.Sub(at).Abs() < keepMiss {
		return nil, unavailable(errors.New("no certificate was found there a moment ago"))
	}
	if !known && !c.newAddress(webhookID, now) {
		return nil, unavailable(errors.New("too many new addresses of certificates"))
	}
	return shared(ctx, &c.flight, url, func(ctx context.Context) ([]*x509.Certificate, error) {
		return c.load(ctx, url, now)
	})
}

func (c *paypalCertificates) newAddress(webhookID string, now time.Time) bool {
	c.asking.Lock()
	defer c.asking.Unlock()
	limiter, known := c.strangers.Get(webhookID)
	if !known {
		limiter = rate.NewLimiter(newAddresses, newAtOnce)
		c.strangers.Add(webhookID, limiter)
	}
	return limiter.AllowN(now, 1)
}

func (c *paypalCertificates) load(ctx context.Context, url string, now time.Time) ([]*x509.Certificate, error) {
	document, err := c.fetch.Get(ctx, url)
	if err != nil {
		c.missed.Add(url, now)
		return nil, unavailable(err)
	}
	all, err := readCertificates(document)
	if err != nil { // PayPal has answered with empty documents; the next time it may not
		c.missed.Add(url, now)
		return nil, unavailable(err)
	}
	c.found.Add(url, found{certificates: all, at: now})
	return all, nil
}
