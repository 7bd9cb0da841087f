package sender

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"code.dny.dev/ssrf"

	"hookloop/internal/webhook"
)

// maxResponseHeaders bounds the headers of an answer, in bytes.
const maxResponseHeaders = 64 << 10

// newTransport makes the one transport that all attempts share for a while.
//
// What an endpoint can make us hold during one attempt is bounded by 2 MiB: 64 KiB of headers,
// which become up to 1.7 MiB when they are thousands, the kept body (4 KiB and one header value), 8
// KiB of buffers, and over HTTP/2 64 KiB of unread body (Go's default is 4 MiB). However long the
// body, it takes less than 256 KiB. The guard limits how many attempts are in flight.
//
// No proxy is taken from the environment: the address guard would check the proxy's address and let
// the endpoint's pass unseen.
func newTransport(allowLoopback bool, inside ...netip.Prefix) *http.Transport {
	allowed := newAddressGuard(allowLoopback, inside...)
	dialer := &net.Dialer{
		Timeout: webhook.MaxTimeout, // dials outlive their attempt, for the next one to use
		Control: func(network, address string, c syscall.RawConn) error {
			dropLate(c)
			return allowed(network, address, c)
		},
	}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    webhook.MaxTimeout,
		ForceAttemptHTTP2:      true, // a DialContext of our own would switch it off
		DisableCompression:     true, // what is never asked for compressed never inflates
		MaxResponseHeaderBytes: maxResponseHeaders,
		MaxIdleConns:           1024,
		MaxIdleConnsPerHost:    128, // many endpoints share a host
		// Node, Apache and uvicorn hang up after 5 s. A POST that meets the hang-up is a failed
		// attempt, so we let go first; under load connections are busy again long before.
		IdleConnTimeout: 4 * time.Second,
		HTTP2: &http.HTTP2Config{
			MaxReceiveBufferPerStream:     64 << 10,
			MaxReceiveBufferPerConnection: 1 << 20,
			SendPingTimeout:               webhook.DefaultTimeout, // finds dead connections that traffic keeps from idling out
			PingTimeout:                   5 * time.Second,
		},
	}
}

var errAddress = errors.New("not a public address")

// newAddressGuard checks the very address a connection is about to be made to, after DNS and for
// every candidate, so no name can lead inside, nor change its mind between check and use. Any port
// is fine.
//
// ssrf refuses every IPv4 range of IANA's special registry, and of IPv6 all but the public 2000::/3
// without its special ranges: IPv4-mapped, NAT64, 6to4 and Teredo forms cannot smuggle an address
// in. A network with a NAT64 prefix of its own inside 2000::/3 must filter on its gateway.
func newAddressGuard(allowLoopback bool, inside ...netip.Prefix) func(network, address string, _ syscall.RawConn) error {
	options := []ssrf.Option{
		ssrf.WithAnyPort(),
		ssrf.WithDeniedV4Prefixes(netip.MustParsePrefix("168.63.129.16/32")), // Azure's platform address: public in form, inside in fact
	}
	if allowLoopback {
		inside = append(slices.Clone(inside), netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"))
	}
	var v4, v6 []netip.Prefix // together: of two options of ssrf, the second takes the first's place
	for _, p := range inside {
		if p.Addr().Is4() {
			v4 = append(v4, p)
		} else {
			v6 = append(v6, p)
		}
	}
	guardian := ssrf.New(append(options, ssrf.WithAllowedV4Prefixes(v4...), ssrf.WithAllowedV6Prefixes(v6...))...)
	return func(network, address string, c syscall.RawConn) error {
		if guardian.Safe(network, address, c) != nil {
			return errAddress // without the address: what a name means inside is not the owner's to learn
		}
		return nil
	}
}
