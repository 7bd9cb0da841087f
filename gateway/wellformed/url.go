// Package wellformed says whether what an app wants set could ever work: whether requests can be
// made to a URL and with those headers, whether expressions compile, whether browsers know an
// origin. It refuses what the bounds in api's types cannot; the gateway calls it before anything is
// kept.
package wellformed

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/net/idna"

	"hookloop/internal/webhook"
)

// maxURL bounds a URL, in bytes: an endpoint is read for every attempt, and has to stay small.
const maxURL = 2048

// Hosts says which hosts an endpoint may have.
type Hosts struct {
	Loopback bool           // this machine; for development
	Inside   []netip.Prefix // networks of the operator's own; empty: none
}

// URL is a URL as it will be called, or the reason why no attempt could ever be sent to it:
// blanks around it go, the host is written in ASCII (IDNA) and lower case, and what RFC 3986 wants
// encoded is percent-encoded. What is encoded already stays as it is, for the URL may be signed.
//
// Refusing is a courtesy to the person who typed it: what a name resolves to is only known when an
// attempt is dialled, and the sender's address guard decides then.
func (h Hosts) URL(raw string) (string, error) {
	raw = strings.TrimSpace(raw)
	head, rest := cutAuthority(raw)
	u, err := url.Parse(head)
	if err != nil || strings.ContainsFunc(raw, isControl) {
		return "", webhook.Invalidf("url", "is not a URL") // the cause would quote it, password and all
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return "", webhook.Invalidf("url", "must begin with http:// or https://")
	case u.Hostname() == "":
		return "", webhook.Invalidf("url", "must name a host")
	case u.User != nil:
		return "", webhook.Invalidf("url", "must not contain a user name or password; use headers")
	case strings.Contains(raw, "#"):
		return "", webhook.Invalidf("url", "must not contain a fragment")
	case !isPort(u):
		return "", webhook.Invalidf("url", "must name a port between 1 and 65535, or none")
	}
	host, err := asciiHost(u.Hostname())
	if err != nil {
		return "", err
	}
	normal := u.Scheme + "://" + authority(host, u.Port()) + percentEncoded(rest)
	if len(normal) > maxURL {
		return "", webhook.Invalidf("url", "has %d bytes, at most %d are allowed", len(normal), maxURL)
	}
	return normal, h.check(strings.TrimSuffix(host, "."))
}

// cutAuthority parts "https://example.com:8080" from the path and the query behind it.
func cutAuthority(raw string) (head, rest string) {
	scheme, behind, _ := strings.Cut(raw, "://")
	end := strings.IndexAny(behind, "/?")
	if end < 0 {
		return raw, ""
	}
	cut := len(scheme) + len("://") + end
	return raw[:cut], raw[cut:]
}

// mapping is how a browser looks a name up, but for labels with an underscore or a hyphen at their
// end: inside a network there are some.
var mapping = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.Transitional(false), idna.StrictDomainName(false))

// asciiHost writes a name as DNS and the Host header have it. Full-width letters, say, become those
// that are dialled; so the name is checked in that form.
func asciiHost(name string) (string, error) {
	if _, err := netip.ParseAddr(name); err == nil {
		return strings.ToLower(name), nil
	}
	ascii := strings.ToLower(name)
	if strings.ContainsFunc(name, func(r rune) bool { return r > unicode.MaxASCII }) {
		mapped, err := mapping.ToASCII(name)
		if err != nil {
			return "", webhook.Invalidf("url", "names a host that is not a domain name")
		}
		ascii = mapped
	}
	if len(ascii) > maxHost || strings.ContainsFunc(ascii, notInHost) {
		return "", webhook.Invalidf("url", "names a host that is not a domain name")
	}
	return ascii, nil
}

// maxHost is the length of a domain name with a dot at its end, in bytes.
const maxHost = 254

func notInHost(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.', r == '-', r == '_':
		return false
	}
	return true
}

// authority puts an IPv6 address between brackets.
func authority(host, port string) string {
	if strings.Contains(host, ":") {
		host = "[" + strings.ReplaceAll(host, "%", "%25") + "]"
	}
	if port == "" {
		return host
	}
	return host + ":" + port
}

// percentEncoded writes a path and a query in the characters RFC 3986 allows there (sections 3.3
// and 3.4). An escape stays one.
func percentEncoded(rest string) string {
	var b strings.Builder
	for i := range len(rest) {
		c := rest[i]
		if plain(c) || c == '%' && i+2 < len(rest) && isHex(rest[i+1]) && isHex(rest[i+2]) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func plain(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~!$&'()*+,;=:@/?", c) >= 0
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func isPort(u *url.URL) bool {
	if u.Port() == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && n > 0
}

func (h Hosts) check(host string) error {
	here := host == "localhost" || strings.HasSuffix(host, ".localhost")
	addr, err := netip.ParseAddr(host)
	if err == nil {
		addr = addr.Unmap()
		here = addr.IsLoopback()
	}
	switch {
	case here && h.Loopback, err == nil && h.allow(addr), err != nil && here && h.allow(loopback):
		return nil
	case here || err == nil && isInside(addr):
		return webhook.Invalidf("url", "names an address inside the network, which is not allowed here (operators: HOOKLOOP_ALLOW_NETWORKS)")
	}
	return nil
}

// allow says whether an address lies in a network that endpoints may lie in.
func (h Hosts) allow(a netip.Addr) bool {
	return slices.ContainsFunc(h.Inside, func(p netip.Prefix) bool { return p.Contains(a) })
}

var loopback = netip.MustParseAddr("127.0.0.1")

var carrierNAT = netip.MustParsePrefix("100.64.0.0/10")

func isInside(a netip.Addr) bool {
	return a.IsPrivate() || a.IsUnspecified() || a.IsMulticast() || a.IsLinkLocalUnicast() || carrierNAT.Contains(a)
}
