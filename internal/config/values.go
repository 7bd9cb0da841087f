package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// The types of settings. Their errors go on where the variable's name stopped.

// Address is a host:port to listen on.
type Address string

// UnmarshalText refuses what has no port.
func (a *Address) UnmarshalText(text []byte) error {
	if _, _, err := net.SplitHostPort(string(text)); err != nil {
		return errors.New("must be host:port, like 127.0.0.1:8080")
	}
	*a = Address(text)
	return nil
}

// URL is an address of http or https, without a slash at its end; empty: none.
type URL string

// UnmarshalText refuses other schemes, and a query.
func (u *URL) UnmarshalText(text []byte) error {
	raw := strings.TrimRight(string(text), "/")
	if p, err := url.Parse(raw); err != nil || p.Host == "" || p.Scheme != "http" && p.Scheme != "https" || p.RawQuery != "" {
		return errors.New("must be a URL like https://hooks.example.com")
	}
	*u = URL(raw)
	return nil
}

// Issuer is a URL that is a name as well: a slash at its end belongs to it.
type Issuer string

// UnmarshalText refuses what is no URL, and http but on this machine: secrets are sent there.
func (i *Issuer) UnmarshalText(text []byte) error {
	var u URL
	if err := u.UnmarshalText(text); err != nil {
		return err
	}
	p, err := url.Parse(string(u))
	if err != nil {
		return err
	}
	ip, _ := netip.ParseAddr(p.Hostname())
	if p.Scheme != "https" && p.Hostname() != "localhost" && !ip.IsLoopback() {
		return errors.New("must begin with https://")
	}
	*i = Issuer(text)
	return nil
}

// Secret is kept as it is.
type Secret []byte

// UnmarshalText takes any text.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = Secret(text)
	return nil
}

// Words are what commas or blanks separate.
type Words []string

// UnmarshalText takes any text.
func (w *Words) UnmarshalText(text []byte) error {
	*w = strings.Fields(strings.ReplaceAll(string(text), ",", " "))
	return nil
}

// Retention is how long ended workflows are kept; zero: it stays as it is, or 30 days where nothing
// is.
type Retention time.Duration

// minRetention is Temporal's: shorter is refused by it.
const minRetention = 24 * time.Hour

// UnmarshalText refuses what Temporal would refuse.
func (r *Retention) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err != nil || d < minRetention {
		return fmt.Errorf("must be a duration of at least %s, like 720h", minRetention)
	}
	*r = Retention(d)
	return nil
}

// Age is how long something is kept.
type Age time.Duration

// UnmarshalText refuses what would keep next to nothing.
func (a *Age) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	if err != nil || d < time.Hour {
		return errors.New("must be a duration of at least 1h, like 720h")
	}
	*a = Age(d)
	return nil
}

// Rows is how many rows of something are kept.
type Rows int64

// UnmarshalText refuses what would keep next to nothing.
func (r *Rows) UnmarshalText(text []byte) error {
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || n < 1000 {
		return errors.New("must be a number of at least 1000, like 10000000")
	}
	*r = Rows(n)
	return nil
}

// Networks are networks inside that endpoints may lie in.
type Networks []netip.Prefix

// specialNetworks lead to this machine and to the metadata of clouds. They may be allowed by their
// names, but not because a wider network holds them: 0.0.0.0/0 would open them to every tenant.
var specialNetworks = []netip.Prefix{
	netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("fe80::/10"),
}

// UnmarshalText refuses a network that holds special ones and more.
func (n *Networks) UnmarshalText(text []byte) error {
	var all Words
	_ = all.UnmarshalText(text)
	for _, word := range all {
		p, err := netip.ParsePrefix(word)
		if err != nil {
			return errors.New("must list networks, like 10.20.0.0/16")
		}
		for _, special := range specialNetworks {
			if p.Bits() < special.Bits() && p.Overlaps(special) {
				return fmt.Errorf("lists %s, which holds %s and more; name the networks that endpoints lie in", p, special)
			}
		}
		*n = append(*n, p.Masked())
	}
	return nil
}

// Proxies are the addresses and networks whose X-Forwarded-For tells a client's address.
type Proxies []netip.Prefix

// UnmarshalText refuses the network of all addresses.
func (n *Proxies) UnmarshalText(text []byte) error {
	var all Words
	_ = all.UnmarshalText(text)
	for _, word := range all {
		p, err := netip.ParsePrefix(word)
		if err != nil {
			addr, err := netip.ParseAddr(word)
			if err != nil {
				return errors.New("must list addresses or networks, like 10.20.0.7 or 10.20.0.0/24")
			}
			p = netip.PrefixFrom(addr, addr.BitLen())
		}
		if p.Bits() == 0 {
			return errors.New("must not hold every address: any client could name itself")
		}
		*n = append(*n, p.Masked())
	}
	return nil
}
