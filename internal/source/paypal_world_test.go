package source_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"hash/crc32"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/source"
)

const (
	paypalConfig  = `{"webhook_id":"1JE4291016473214C"}`
	paypalBody    = `{"id":"WH-1","event_type":"PAYMENT.CAPTURE.COMPLETED","resource":{"amount":"20.00"}}`
	paypalCertURL = "https://api.paypal.com/v1/notifications/certs/CERT-1"
	issuerCertURL = "http://cacerts.digicert.com/TestIssuer.crt"
)

// authority is a certificate and the key to it.
type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

func (a authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
}

// issue makes a certificate; a nil issuer makes it self-signed.
func issue(t testing.TB, issuer *authority, name string, change func(*x509.Certificate)) authority {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	return issueFor(t, key, issuer, name, change)
}

func issueFor(t testing.TB, key crypto.Signer, issuer *authority, name string, change func(*x509.Certificate)) authority {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    receivedAt.AddDate(-1, 0, 0), NotAfter: receivedAt.AddDate(1, 0, 0),
		BasicConstraintsValid: true,
	}
	if change != nil {
		change(template)
	}
	a := authority{key: key}
	if issuer == nil {
		issuer = &authority{certificate: template, key: key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer.certificate, key.Public(), issuer.key)
	require.NoError(t, err)
	a.certificate, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	return a
}

func isCA(c *x509.Certificate) { c.IsCA = true }

func ecKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return key
}

// paypalKeys are the keys of every world, by root, issuer and leaf: drawing one takes long.
var paypalKeys = sync.OnceValues(func() (keys [3]crypto.Signer, err error) {
	for i := range keys {
		if keys[i], err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			return keys, err
		}
	}
	return keys, nil
})

const paypalName = "messageverificationcerts.paypal.com"

// paypalWorld is PayPal, DigiCert and what they publish.
type paypalWorld struct {
	root, issuer, leaf authority

	mu        sync.Mutex
	documents map[string][]byte
	fetched   []string
}

// newPayPal has a leaf by an issuer by a root. The leaf's document holds the leaf alone.
func newPayPal(t testing.TB, change func(*x509.Certificate)) *paypalWorld {
	t.Helper()
	keys, err := paypalKeys()
	require.NoError(t, err)
	w := &paypalWorld{root: issueFor(t, keys[0], nil, "Test Root", isCA)}
	w.issuer = issueFor(t, keys[1], &w.root, "Test Issuer", isCA)
	w.leaf = issueFor(t, keys[2], &w.issuer, paypalName, change)
	w.documents = map[string][]byte{paypalCertURL: w.leaf.pem()}
	return w
}

func (w *paypalWorld) Get(_ context.Context, url string) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fetched = append(w.fetched, url)
	document, ok := w.documents[url]
	if !ok {
		return nil, errors.New("fetch from somewhere: answered 404")
	}
	return document, nil
}

// fetches is what was fetched since the last time.
func (w *paypalWorld) fetches() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.fetched
	w.fetched = nil
	return all
}

func (w *paypalWorld) provider(t testing.TB, authorities ...authority) source.Provider {
	t.Helper()
	var cas []byte
	for _, a := range authorities {
		cas = append(cas, a.pem()...)
	}
	all, err := source.New(source.Config{Fetch: w, PayPalCAs: cas})
	require.NoError(t, err)
	p, err := all.Provider("paypal", json.RawMessage(paypalConfig))
	require.NoError(t, err)
	return p
}

// send is a request signed with the leaf's key at some time, and received then.
func (w *paypalWorld) send(t testing.TB, at time.Time, body string) source.Request {
	t.Helper()
	stamp := at.UTC().Format(time.RFC3339)
	r := post(body,
		"Paypal-Transmission-Id", "69cd13f0-d67a-11e5-baa3-778b53f4ae55", "Paypal-Transmission-Time", stamp,
		"Paypal-Cert-Url", paypalCertURL, "Paypal-Auth-Algo", "SHA256withRSA", "Paypal-Auth-Version", "v2",
	)
	r.Now = at
	message := fmt.Sprintf("69cd13f0-d67a-11e5-baa3-778b53f4ae55|%s|1JE4291016473214C|%d", stamp, crc32.ChecksumIEEE([]byte(body)))
	hash := sha256.Sum256([]byte(message))
	signature, err := w.leaf.key.Sign(rand.Reader, hash[:], crypto.SHA256)
	require.NoError(t, err)
	r.Header.Set("Paypal-Transmission-Sig", base64.StdEncoding.EncodeToString(signature))
	return r
}
