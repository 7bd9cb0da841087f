package wellformed

import (
	"net/netip"
	"net/url"
	"strings"

	"hookloop/internal/webhook"
)

// Origin takes what a browser would say of a page, and nothing that a policy would read
// otherwise: no wildcards, no blanks, no path. It stands in a header.
func Origin(field, origin string) error {
	u, err := url.Parse(origin)
	if err != nil || origin != u.Scheme+"://"+u.Host || len(origin) > 255 {
		return webhook.Invalidf(field, "must be an origin like https://app.example.com, without a path")
	}
	host := u.Hostname()
	address, _ := netip.ParseAddr(host)
	local := host == "localhost" || address.IsLoopback()
	switch {
	case u.Scheme != "https" && (u.Scheme != "http" || !local):
		return webhook.Invalidf(field, "must begin with https://; for development, http://localhost may be named")
	case address.Zone() != "", !address.IsValid() && strings.ContainsFunc(host, notHostName), host == "":
		return webhook.Invalidf(field, "must name a host in lower-case ASCII, without wildcards")
	case !isPort(u), strings.HasPrefix(u.Port(), "0"):
		return webhook.Invalidf(field, "must name a port between 1 and 65535, or none")
	}
	return nil
}

func notHostName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '.'
}
