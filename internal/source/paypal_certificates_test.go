package source_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/source"
)

func TestPayPalCertificatesMustBePayPals(t *testing.T) {
	t.Parallel()
	w := newPayPal(t, nil)
	yesterday, tomorrow := receivedAt.AddDate(0, 0, -1), receivedAt.AddDate(0, 0, 1)
	for name, c := range map[string]struct {
		leaf    func() authority
		genuine bool
	}{
		"live":           {func() authority { return issue(t, &w.issuer, paypalName, nil) }, true},
		"sandbox":        {func() authority { return issue(t, &w.issuer, "messageverificationcerts.sandbox.paypal.com", nil) }, true},
		"another name":   {func() authority { return issue(t, &w.issuer, "www.paypal.com", nil) }, false},
		"another's name": {func() authority { return issue(t, &w.issuer, "messageverificationcerts.paypal.com.evil.example", nil) }, false},
		"no name":        {func() authority { return issue(t, &w.issuer, "", nil) }, false},
		"expired": {func() authority {
			return issue(t, &w.issuer, paypalName, func(c *x509.Certificate) { c.NotAfter = yesterday })
		}, false},
		"not valid yet": {func() authority {
			return issue(t, &w.issuer, paypalName, func(c *x509.Certificate) { c.NotBefore = tomorrow })
		}, false},
		"of an elliptic curve":  {func() authority { return issueFor(t, ecKey(t), &w.issuer, paypalName, nil) }, false},
		"self-signed":           {func() authority { return issue(t, nil, paypalName, nil) }, false},
		"self-signed authority": {func() authority { return issue(t, nil, paypalName, isCA) }, false},
		"issued by a leaf":      {func() authority { return issue(t, &w.leaf, paypalName, nil) }, false},
		"to sign programs with": {func() authority {
			return issue(t, &w.issuer, paypalName, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning} })
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			leaf := c.leaf()
			own := &paypalWorld{leaf: leaf, documents: map[string][]byte{paypalCertURL: append(leaf.pem(), w.leaf.pem()...)}}
			err := own.provider(t, w.root, w.issuer).Verify(t.Context(), own.send(t, receivedAt, paypalBody))
			if c.genuine {
				require.NoError(t, err)
				return
			}
			requireStatus(t, http.StatusUnauthorized, err)
		})
	}
}

func TestPayPalChains(t *testing.T) {
	t.Parallel()
	at := func(urls ...string) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.IssuingCertificateURL = urls }
	}
	const elsewhere, wrong = "http://cacerts.digicert.com.evil.example/a.crt", "https://cacerts.digicert.com/other.crt"
	otherRoot := issue(t, nil, "Other Root", isCA)
	root := func(w *paypalWorld) []authority { return []authority{w.root} }
	other := func(*paypalWorld) []authority { return []authority{otherRoot} }
	for name, c := range map[string]struct {
		leaf    func(*x509.Certificate)
		trusted func(*paypalWorld) []authority
		served  func(*paypalWorld)
		genuine bool
		fetched []string // besides the leaf
	}{
		"the issuer is configured":   {at(issuerCertURL), func(w *paypalWorld) []authority { return []authority{w.issuer, w.root} }, nil, true, nil},
		"the issuer is served":       {at(issuerCertURL), root, func(w *paypalWorld) { w.documents[paypalCertURL] = append(w.leaf.pem(), w.issuer.pem()...) }, true, nil},
		"the issuer is fetched, DER": {at(issuerCertURL), root, func(w *paypalWorld) { w.documents[issuerCertURL] = w.issuer.certificate.Raw }, true, []string{issuerCertURL}},
		"the issuer is fetched, PEM": {at(elsewhere, issuerCertURL), root, func(w *paypalWorld) { w.documents[issuerCertURL] = w.issuer.pem() }, true, []string{issuerCertURL}},
		"another issuer is fetched":  {at(wrong), root, func(w *paypalWorld) { w.documents[wrong] = w.root.pem() }, false, []string{wrong}},
		"a fetched root is no root": {at(issuerCertURL), other, func(w *paypalWorld) {
			w.documents[issuerCertURL] = append(w.issuer.pem(), w.root.pem()...)
		}, false, []string{issuerCertURL}},
		"a served root is no root": {nil, other, func(w *paypalWorld) {
			w.documents[paypalCertURL] = bytes.Join([][]byte{w.leaf.pem(), w.issuer.pem(), w.root.pem()}, nil)
		}, false, nil},
		"its issuer is not named": {nil, root, nil, false, nil},
		"issued elsewhere":        {at(elsewhere, "https://cacerts.digicert.com/../a", "https://cacerts.digicert.com/a?b", "ftp://cacerts.digicert.com/a", "https://cacerts.digicert.com:81/a"), root, nil, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newPayPal(t, c.leaf)
			if c.served != nil {
				c.served(w)
			}
			err := w.provider(t, c.trusted(w)...).Verify(t.Context(), w.send(t, receivedAt, paypalBody))
			require.Equal(t, append([]string{paypalCertURL}, c.fetched...), w.fetches())
			if c.genuine {
				require.NoError(t, err)
				return
			}
			requireStatus(t, http.StatusUnauthorized, err)
		})
	}
}

func TestPayPalIssuerOutOfReach(t *testing.T) {
	t.Parallel()
	w := newPayPal(t, func(c *x509.Certificate) { c.IssuingCertificateURL = []string{issuerCertURL} })
	p := w.provider(t, w.root)
	require.ErrorIs(t, p.Verify(t.Context(), w.send(t, receivedAt, paypalBody)), source.ErrUnavailable)
	w.documents[issuerCertURL] = w.issuer.certificate.Raw
	require.NoError(t, p.Verify(t.Context(), w.send(t, receivedAt.Add(20*time.Second), paypalBody)))
	require.Equal(t, []string{paypalCertURL, issuerCertURL, issuerCertURL}, w.fetches())
	require.NoError(t, p.Verify(t.Context(), w.send(t, receivedAt.Add(time.Hour), paypalBody)))
	require.Empty(t, w.fetches(), "both are kept")
}

func TestPayPalBrokenCertificates(t *testing.T) {
	t.Parallel()
	w := newPayPal(t, nil)
	cut := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.leaf.certificate.Raw[:100]})
	key := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte("AAAA")})
	for _, document := range [][]byte{nil, []byte(" "), []byte("<html>"), cut, key, append(w.leaf.pem(), cut...)} {
		w.documents[paypalCertURL] = document
		err := w.provider(t, w.root, w.issuer).Verify(t.Context(), w.send(t, receivedAt, paypalBody))
		require.ErrorIs(t, err, source.ErrUnavailable)
	}
}

func TestPayPalCertificatesAreKept(t *testing.T) {
	t.Parallel()
	w := newPayPal(t, nil)
	p := w.provider(t, w.root, w.issuer)
	one := []string{paypalCertURL}
	delete(w.documents, paypalCertURL)
	for _, step := range []struct {
		after   time.Duration
		fetched []string
		served  bool // from now on
		found   bool
	}{
		{0, one, false, false},
		{19 * time.Second, nil, true, false}, // it was not there a moment ago
		{20 * time.Second, one, false, true},
		{24 * time.Hour, nil, false, true},
		{24*time.Hour + 20*time.Second, one, true, false},
		{25 * time.Hour, one, true, true},
	} {
		err := p.Verify(t.Context(), w.send(t, receivedAt.Add(step.after), paypalBody))
		if step.found {
			require.NoError(t, err, step.after)
		} else {
			require.ErrorIs(t, err, source.ErrUnavailable, step.after)
		}
		require.Equal(t, step.fetched, w.fetches(), step.after)
		delete(w.documents, paypalCertURL)
		if step.served {
			w.documents[paypalCertURL] = w.leaf.pem()
		}
	}
}

// A stranger can think of addresses that PayPal might have certificates at.
func TestPayPalFetchesNotForEveryStranger(t *testing.T) {
	t.Parallel()
	w := newPayPal(t, nil)
	all, err := source.New(source.Config{Fetch: w, PayPalCAs: append(w.root.pem(), w.issuer.pem()...)})
	require.NoError(t, err)
	p, err := all.Provider("paypal", json.RawMessage(paypalConfig))
	require.NoError(t, err)
	other, err := all.Provider("paypal", json.RawMessage(`{"webhook_id":"another"}`))
	require.NoError(t, err)
	require.NoError(t, p.Verify(t.Context(), w.send(t, receivedAt, paypalBody)))
	flood := func(at time.Time, n int) {
		for i := range n {
			r := w.send(t, at, "{}")
			r.Header.Set("Paypal-Cert-Url", fmt.Sprintf("%s-%d-%d", paypalCertURL, at.Unix(), i))
			require.ErrorIs(t, p.Verify(t.Context(), r), source.ErrUnavailable)
		}
	}
	w.fetches()
	flood(receivedAt, 200)
	require.Len(t, w.fetches(), 49)
	flood(receivedAt.Add(time.Second), 200)
	require.Len(t, w.fetches(), 10)
	stranger := w.send(t, receivedAt.Add(time.Second), "{}")
	stranger.Header.Set("Paypal-Cert-Url", paypalCertURL+"-other")
	require.ErrorIs(t, other.Verify(t.Context(), stranger), source.ErrUnavailable)
	require.Len(t, w.fetches(), 1, "a flood at one webhook keeps no other's certificate out")
	later := receivedAt.AddDate(0, 0, 2)
	flood(later, 200)
	w.fetches()
	require.NoError(t, p.Verify(t.Context(), w.send(t, later, paypalBody)), "what was found once is fetched again")
	require.Equal(t, []string{paypalCertURL}, w.fetches())
}

// fetcher is a function that fetches.
type fetcher func(ctx context.Context, url string) ([]byte, error)

func (f fetcher) Get(ctx context.Context, url string) ([]byte, error) { return f(ctx, url) }

func TestPayPalCertificatesAreFetchedOnceForAll(t *testing.T) {
	t.Parallel()
	w := newPayPal(t, nil)
	r := w.send(t, receivedAt, paypalBody)
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan struct{})
		all, err := source.New(source.Config{
			PayPalCAs: append(w.root.pem(), w.issuer.pem()...),
			Fetch: fetcher(func(ctx context.Context, url string) ([]byte, error) {
				<-answer
				return w.Get(ctx, url)
			}),
		})
		require.NoError(t, err)
		p, err := all.Provider("paypal", json.RawMessage(paypalConfig))
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		results := make(chan error, 3)
		go func() { results <- p.Verify(ctx, r) }()
		synctest.Wait()
		for range 2 {
			go func() { results <- p.Verify(t.Context(), r) }()
		}
		synctest.Wait()
		cancel()
		err = <-results
		require.ErrorIs(t, err, source.ErrUnavailable, "the first caller has gone")
		require.ErrorIs(t, err, context.Canceled)
		close(answer)
		require.NoError(t, <-results)
		require.NoError(t, <-results)
		require.Equal(t, []string{paypalCertURL}, w.fetches())
	})
}

// The certificates PayPal has really used lead to DigiCert's root, by way of what they name
// themselves.
func TestPayPalRealCertificates(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/vectors/paypal.json")
	require.NoError(t, err)
	var file vectorFile
	require.NoError(t, json.Unmarshal(raw, &file))
	for name, year := range map[string]int{"paypal_sandbox_2015": 2015, "paypal_sandbox_2017": 2018} {
		document, ok := file.PEM[name]
		require.True(t, ok, name)
		var fetched []string
		all, err := source.New(source.Config{
			PayPalCAs: []byte(file.PEM["digicert_ev_root"]),
			Fetch: fetcher(func(_ context.Context, url string) ([]byte, error) {
				fetched = append(fetched, url)
				switch url {
				case paypalCertURL:
					return []byte(document), nil
				case "http://cacerts.digicert.com/DigiCertSHA2ExtendedValidationServerCA.crt":
					return []byte(file.PEM["digicert_sha2_ev"]), nil
				}
				return nil, errors.New("not there")
			}),
		})
		require.NoError(t, err)
		p, err := all.Provider("paypal", json.RawMessage(paypalConfig))
		require.NoError(t, err)
		w := newPayPal(t, nil) // its signature does not match the real certificate
		err = p.Verify(t.Context(), w.send(t, time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC), paypalBody))
		require.EqualError(t, err, "the signature does not match", name)
		require.Len(t, fetched, 2)
	}
}
