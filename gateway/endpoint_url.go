package gateway

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"hookloop/internal/webhook"
)

// checkURL refuses what no attempt could ever be sent to. It is a courtesy to whoever typed it:
// what a name resolves to is only known when an attempt is dialled, and the sender's address guard
// decides then.
func (r rules) checkURL(raw string) error {
	if len(raw) > maxURL {
		return webhook.Invalidf("url", "has %d bytes, at most %d are allowed", len(raw), maxURL)
	}
	u, err := url.Parse(raw)
	if err != nil {
		return webhook.Invalidf("url", "is not a URL") // the cause would quote it, password and all
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return webhook.Invalidf("url", "must begin with http:// or https://")
	case u.Hostname() == "":
		return webhook.Invalidf("url", "must name a host")
	case u.User != nil:
		return webhook.Invalidf("url", "must not contain a user name or password; use headers")
	case strings.Contains(raw, "#"):
		return webhook.Invalidf("url", "must not contain a fragment")
	case !isPort(u):
		return webhook.Invalidf("url", "must name a port between 1 and 65535, or none")
	}
	return r.checkHost(strings.ToLower(u.Hostname()))
}

func isPort(u *url.URL) bool {
	if u.Port() == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && n > 0
}

func (r rules) checkHost(host string) error {
	here := host == "localhost" || strings.HasSuffix(host, ".localhost")
	addr, err := netip.ParseAddr(host)
	if err == nil {
		addr = addr.Unmap()
		here = addr.IsLoopback()
	}
	switch {
	case here && r.allowLoopback, err == nil && r.allows(addr), err != nil && here && r.allows(loopback):
		return nil
	case here || err == nil && isInside(addr):
		return webhook.Invalidf("url", "names an address inside the network, which nothing is ever sent to")
	}
	return nil
}

// allows says whether an address lies in a network that endpoints may lie in.
func (r rules) allows(a netip.Addr) bool {
	return slices.ContainsFunc(r.allowNetworks, func(p netip.Prefix) bool { return p.Contains(a) })
}

var loopback = netip.MustParseAddr("127.0.0.1")

var carrierNAT = netip.MustParsePrefix("100.64.0.0/10")

func isInside(a netip.Addr) bool {
	return a.IsPrivate() || a.IsUnspecified() || a.IsMulticast() || a.IsLinkLocalUnicast() || carrierNAT.Contains(a)
}
