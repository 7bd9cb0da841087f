package source_test

import (
	"encoding/json"
	"hash/crc32"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/source"
)

func TestPayPalConfigs(t *testing.T) {
	t.Parallel()
	requireBadConfigs(t, "paypal", map[string]string{
		`{}`:                                   "config.webhook_id",
		`{"webhook_id":""}`:                    "config.webhook_id",
		`{"webhook_id":"a|b"}`:                 "config.webhook_id",
		`{"webhook_id":7}`:                     "config.webhook_id",
		`{"webhook_id":"a","certificates":{}}`: "config.certificates",
	})
	requireShown(t, "paypal", paypalConfig, paypalConfig)
	for _, junk := range []string{"junk", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"} {
		_, err := source.New(source.Config{Fetch: &shelf{}, PayPalCAs: []byte(junk)})
		require.EqualError(t, err, "source: PayPalCAs holds no PEM certificates")
	}
}

func TestPayPalEvent(t *testing.T) {
	t.Parallel()
	w := newPayPal(t, nil)
	p, r := w.provider(t, w.root, w.issuer), w.send(t, receivedAt, paypalBody)
	require.NoError(t, p.Verify(t.Context(), r))
	received, err := p.Read(r)
	require.NoError(t, err)
	require.Equal(t, source.Received{
		Items: []source.Item{{
			Type: "PAYMENT.CAPTURE.COMPLETED", Key: "WH-1", Identity: `"WH-1" "PAYMENT.CAPTURE.COMPLETED"`, Data: json.RawMessage(paypalBody),
			Context: json.RawMessage(`{"transmission_id":"69cd13f0-d67a-11e5-baa3-778b53f4ae55","transmission_time":"2026-01-31T12:00:00Z"}`),
		}},
		Binding: &source.Binding{
			Name:    "transmission 69cd13f0-d67a-11e5-baa3-778b53f4ae55",
			Content: hashOf(paypalBody),
			For:     5 * 24 * time.Hour,
		},
	}, received)

	require.Equal(t, hashOf("{}"), requireOnly(t, p, post("{}")).Key)
	for _, body := range []string{"", "[]", "x", "{} {}"} {
		_, err := p.Read(post(body))
		requireStatus(t, http.StatusBadRequest, err)
	}
}

func TestPayPalRefusesWhatWasChanged(t *testing.T) {
	t.Parallel()
	w := newPayPal(t, nil)
	p := w.provider(t, w.root, w.issuer)
	for header, value := range map[string]string{
		"Paypal-Transmission-Id":   "69cd13f0-d67a-11e5-baa3-778b53f4ae56",
		"Paypal-Transmission-Time": receivedAt.Add(time.Second).UTC().Format(time.RFC3339),
		"Paypal-Transmission-Sig":  "AAAA",
	} {
		r := w.send(t, receivedAt, paypalBody)
		r.Header.Set(header, value)
		requireStatus(t, http.StatusUnauthorized, p.Verify(t.Context(), r))
	}
	r := w.send(t, receivedAt, paypalBody)
	r.Body = []byte(strings.Replace(paypalBody, "20.00", "99.00", 1))
	requireStatus(t, http.StatusUnauthorized, p.Verify(t.Context(), r))
	all, err := source.New(source.Config{Fetch: w, PayPalCAs: append(w.root.pem(), w.issuer.pem()...)})
	require.NoError(t, err)
	other, err := all.Provider("paypal", json.RawMessage(`{"webhook_id":"WEBHOOK_ID"}`))
	require.NoError(t, err)
	requireStatus(t, http.StatusUnauthorized, other.Verify(t.Context(), w.send(t, receivedAt, paypalBody)))
}

// These need no certificate to be refused, so none is fetched for them.
func TestPayPalHeaders(t *testing.T) {
	t.Parallel()
	w := newPayPal(t, nil)
	p := w.provider(t, w.root, w.issuer)
	at := func(d time.Duration) string { return receivedAt.Add(d).UTC().Format(time.RFC3339) }
	for header, values := range map[string][]string{
		"Paypal-Transmission-Id":  {"", "a b", "a\xff", strings.Repeat("a", 129)},
		"Paypal-Transmission-Sig": {"", "%", "AAAA AAAA"},
		"Paypal-Auth-Algo":        {"", "SHA1withRSA", "sha256withrsa", "none"},
		"Paypal-Transmission-Time": {
			"", "yesterday", "1769860800", "2026-01-31", "2026-01-31T12:00:00",
			at(-4*24*time.Hour - time.Second), at(5*time.Minute + time.Second), "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z",
		},
		"Paypal-Cert-Url": {
			"",
			"http://api.paypal.com/v1/notifications/certs/CERT-1",
			"HTTPS://api.paypal.com/v1/notifications/certs/CERT-1",
			"//api.paypal.com/v1/notifications/certs/CERT-1",
			"https://www.paypal.com/v1/notifications/certs/CERT-1",
			"https://API.paypal.com/v1/notifications/certs/CERT-1",
			"https://api.paypal.com./v1/notifications/certs/CERT-1",
			"https://api.paypal.com.evil.example/v1/notifications/certs/CERT-1",
			"https://evil.example/https://api.paypal.com/v1/notifications/certs/CERT-1",
			"https://evilapi.paypal.com/v1/notifications/certs/CERT-1",
			"https://api.sandboxXpaypal.com/v1/notifications/certs/CERT-1",
			"https://api-m-m.paypal.com/v1/notifications/certs/CERT-1",
			"https://api.paypal.com@evil.example/v1/notifications/certs/CERT-1",
			"https://user@api.paypal.com/v1/notifications/certs/CERT-1",
			"https://api.paypal.com:8443/v1/notifications/certs/CERT-1",
			"https://api.paypal.com:/v1/notifications/certs/CERT-1",
			`https://api.paypal.com\@evil.example/v1/notifications/certs/CERT-1`,
			"https://api.paypal.com/v1/notifications/certs/",
			"https://api.paypal.com/v1/notifications/certs",
			"https://api.paypal.com/v1/notifications/certs/../../../evil",
			"https://api.paypal.com/v1/notifications/certs/..",
			"https://api.paypal.com/v1/notifications/certs/a..b",
			"https://api.paypal.com/v1/notifications/certs/%2e%2e/evil",
			"https://api.paypal.com/v1/notifications/certs/CERT-1/../../evil",
			"https://api.paypal.com/evil?/v1/notifications/certs/CERT-1",
			"https://api.paypal.com/v1/notifications/certs/CERT-1?x=1",
			"https://api.paypal.com/v1/notifications/certs/CERT-1?",
			"https://api.paypal.com/v1/notifications/certs/CERT-1#",
			"https://api.paypal.com/v1/notifications/certs/CERT-1\n",
			" https://api.paypal.com/v1/notifications/certs/CERT-1",
			"https://api.paypal.com/v1/notifications/certs/" + strings.Repeat("C", 256),
		},
	} {
		for _, value := range values {
			r := w.send(t, receivedAt, paypalBody)
			r.Header.Set(header, value)
			requireStatus(t, http.StatusUnauthorized, p.Verify(t.Context(), r))
		}
	}
	require.Empty(t, w.fetches())
}

func TestPayPalCertificateAddresses(t *testing.T) {
	t.Parallel()
	w := newPayPal(t, nil)
	p := w.provider(t, w.root, w.issuer)
	for _, url := range []string{
		"https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-a5cafa77",
		"https://api-m.paypal.com/v1/notifications/certs/CERT-1",
		"https://api.sandbox.paypal.com/v1/notifications/certs/CERT-1",
		"https://api-m.sandbox.paypal.com/v1/notifications/certs/CERT_1.pem",
		"https://api.paypal.com:443/v1/notifications/certs/CERT-1",
	} {
		w.documents[url] = w.leaf.pem()
		r := w.send(t, receivedAt, paypalBody)
		r.Header.Set("Paypal-Cert-Url", url)
		require.NoError(t, p.Verify(t.Context(), r))
		require.Equal(t, []string{url}, w.fetches())
	}
}

func TestPayPalTimes(t *testing.T) {
	t.Parallel()
	w := newPayPal(t, nil)
	p := w.provider(t, w.root, w.issuer)
	r := w.send(t, receivedAt, paypalBody)
	for now, genuine := range map[time.Duration]bool{
		0:                          true,
		4 * 24 * time.Hour:         true,
		4*24*time.Hour + 1:         false,
		-5 * time.Minute:           true,
		-5*time.Minute - 1:         false,
		100 * 365 * 24 * time.Hour: false,
	} {
		r.Now = receivedAt.Add(now)
		if err := p.Verify(t.Context(), r); genuine {
			require.NoError(t, err, now)
		} else {
			requireStatus(t, http.StatusUnauthorized, err)
		}
	}
}

// A CRC-32 proves nothing: four bytes at the right place make any body fit the signature of
// another.
func TestPayPalTellsForgedBodiesByTheTransmission(t *testing.T) {
	t.Parallel()
	w := newPayPal(t, nil)
	p := w.provider(t, w.root, w.issuer)
	genuine := w.send(t, receivedAt, paypalBody)
	forged := genuine
	forged.Body = forge(`{"id":"WH-2","event_type":"PAYMENT.CAPTURE.COMPLETED","resource":{"amount":"9999.00"}}`, crc32.ChecksumIEEE(genuine.Body))
	require.NoError(t, p.Verify(t.Context(), forged), "the weakness is PayPal's")
	a, err := p.Read(genuine)
	require.NoError(t, err)
	b, err := p.Read(forged)
	require.NoError(t, err)
	require.Equal(t, a.Binding.Name, b.Binding.Name)
	require.NotEqual(t, a.Binding.Content, b.Binding.Content)
	require.Greater(t, a.Binding.For, 4*24*time.Hour+10*time.Minute, "remembered for longer than the signature is good for")
}

// forge appends blanks of four kinds until the CRC-32 is sum. It solves for which of 64 places hold
// a tab instead of a blank: the CRC is linear in them.
func forge(body string, sum uint32) []byte {
	const places = 64
	b := []byte(body + strings.Repeat(" ", places))
	base := crc32.ChecksumIEEE(b)
	type vector struct {
		effect uint32
		places uint64
	}
	var basis [32]*vector
	reduce := func(v vector) vector {
		for bit := range 32 {
			if v.effect>>bit&1 == 1 && basis[bit] != nil {
				v.effect ^= basis[bit].effect
				v.places ^= basis[bit].places
			}
		}
		return v
	}
	for i := range places {
		b[len(body)+i] = '\t'
		v := reduce(vector{effect: base ^ crc32.ChecksumIEEE(b), places: 1 << i})
		b[len(body)+i] = ' '
		if v.effect != 0 {
			bit := 0
			for v.effect>>bit&1 == 0 {
				bit++
			}
			basis[bit] = &v
		}
	}
	for i := range places {
		if reduce(vector{effect: base ^ sum}).places>>i&1 == 1 {
			b[len(body)+i] = '\t'
		}
	}
	return b
}

func FuzzPayPal(f *testing.F) {
	w := newPayPal(f, nil)
	p := w.provider(f, w.root, w.issuer)
	good := w.send(f, receivedAt, paypalBody)
	f.Add(paypalCertURL, good.Header.Get("Paypal-Transmission-Time"), good.Header.Get("Paypal-Transmission-Sig"), []byte(paypalBody))
	f.Add("https://api.paypal.com@evil.example/v1/notifications/certs/CERT-1", "2026-01-31T12:00:00+99:99", "====", []byte("{"))
	f.Fuzz(func(t *testing.T, url, stamp, signature string, body []byte) {
		r := post(string(body), "Paypal-Transmission-Id", "1", "Paypal-Transmission-Time", stamp, "Paypal-Cert-Url", url,
			"Paypal-Auth-Algo", "SHA256withRSA", "Paypal-Transmission-Sig", signature)
		require.Error(t, p.Verify(t.Context(), r), "a signature cannot be guessed")
		for _, fetched := range w.fetches() {
			require.Regexp(t, `^https://api(-m)?(\.sandbox)?\.paypal\.com(:443)?/v1/notifications/certs/[^/?#%]+$`, fetched)
		}
		received, err := p.Read(r)
		if err != nil {
			requireStatus(t, http.StatusBadRequest, err)
			return
		}
		require.True(t, json.Valid(received.Items[0].Data))
		require.NotEmpty(t, received.Items[0].ID())
	})
}
