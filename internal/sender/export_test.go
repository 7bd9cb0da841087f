package sender

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
)

// The pure parts, for tables in sender_test.
var (
	Classify        = classify
	NewAddressGuard = newAddressGuard
	RetryAfter      = retryAfter
	Clean           = clean
	ErrAddress      = errAddress
	NewTransport    = newTransport
)

// Trust lets tests serve TLS under a certificate of their own. Call it before the first Send.
func (s *Sender) Trust(roots *x509.CertPool) {
	s.transport.transport().TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
}

// Renewing gives the present transport of a sender that makes them so.
func Renewing(fresh func() *http.Transport) (present func() *http.Transport) {
	return newRenewing(fresh).transport
}
