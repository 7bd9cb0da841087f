package sender

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"

	"hookloop/internal/webhook"
)

// classify names why there was no answer, for the metric and for a person; late is the sentence for
// an attempt whose time ran out. The sentences are ours: errors of net/http quote URLs, and URLs
// carry tokens.
func classify(err error, late string) (webhook.Failure, string) {
	if errors.Is(err, errAddress) {
		return webhook.FailureAddress, "the endpoint's address is not a public one"
	}
	if shape, ok := errors.AsType[*shapeError](err); ok {
		return webhook.FailureRequest, shape.Error()
	}
	if sentence := dnsFailure(err); sentence != "" {
		return webhook.FailureDNS, sentence
	}
	if sentence := tlsFailure(err); sentence != "" {
		return webhook.FailureTLS, sentence
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return webhook.FailureTimeout, late
	}
	if slow, ok := errors.AsType[net.Error](err); ok && slow.Timeout() {
		return webhook.FailureTimeout, "connection timed out"
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return webhook.FailureRefused, "connection refused"
	}
	if broken(err) && !tooManyHeaders(err) {
		return webhook.FailureReset, "connection broken before there was an answer"
	}
	return webhook.FailureOther, otherFailure(err)
}

func dnsFailure(err error) string {
	dns, ok := errors.AsType[*net.DNSError](err)
	switch {
	case !ok:
		return ""
	case dns.IsNotFound:
		return "the host name does not resolve"
	case dns.IsTimeout:
		return "the host name lookup timed out"
	}
	return "the host name lookup failed"
}

func tlsFailure(err error) string {
	if sentence := certificateFailure(err); sentence != "" {
		return sentence
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok || errors.Is(err, http.ErrSchemeMismatch) {
		return "the server does not speak TLS"
	}
	// crypto/tls hands an alert over as an OpError with one of these two names.
	if op, ok := errors.AsType[*net.OpError](err); ok && (op.Op == "remote error" || op.Op == "local error") {
		return "TLS handshake failed: " + strings.TrimPrefix(op.Err.Error(), "tls: ") // a fixed vocabulary
	}
	if strings.HasPrefix(err.Error(), "tls: ") {
		return "TLS handshake failed"
	}
	return ""
}

func certificateFailure(err error) string {
	if host, ok := errors.AsType[x509.HostnameError](err); ok {
		return "certificate is not valid for " + host.Host
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "certificate is signed by an unknown authority"
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		if invalid.Reason == x509.Expired {
			return "certificate has expired or is not valid yet"
		}
		return "certificate is not valid"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "certificate could not be verified"
	}
	return ""
}

// broken says whether the connection ended under the request. net/http keeps some of these errors
// to itself; their texts are all there is to know them by.
func broken(err error) bool {
	for _, known := range []error{
		syscall.ECONNRESET, syscall.ECONNABORTED, syscall.EPIPE, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed,
	} {
		if errors.Is(err, known) {
			return true
		}
	}
	for _, text := range []string{
		"http: server closed idle connection",
		"http2: server sent GOAWAY",
		"http2: client connection lost",
		"stream error: ",
	} {
		if strings.HasPrefix(err.Error(), text) {
			return true
		}
	}
	return false
}

func otherFailure(err error) string {
	switch text := err.Error(); {
	case errors.Is(err, errURL), errors.Is(err, errStatus):
		return text
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "no route to the host"
	case tooManyHeaders(err):
		return fmt.Sprintf("the answer's headers exceed %d KiB", maxResponseHeaders>>10)
	case strings.HasPrefix(text, "connection error: "): // net/http hangs up without more words
		return "the server broke a rule of HTTP/2, or sent far too many headers"
	case strings.Contains(text, "invalid header field"):
		return "one of the endpoint's own headers cannot be sent"
	}
	return "no valid HTTP answer"
}

// tooManyHeaders knows what net/http says over HTTP/1 and over HTTP/2, where it breaks the stream.
func tooManyHeaders(err error) bool {
	text := err.Error()
	return strings.Contains(text, "headers exceeded") || strings.Contains(text, "header list larger")
}
