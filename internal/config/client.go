package config

import (
	"net"
	"net/netip"
)

// Client says which gateway the commands talk to. Empty fields are found in dev.json.
type Client struct {
	Gateway string `env:"HOOKLOOP_GATEWAY"` // base URL
	Tenant  string `env:"HOOKLOOP_TENANT"`
	Token   string `env:"HOOKLOOP_TOKEN"`
	Own     string // base URL of the gateway whose tokens this environment can sign, or that it starts; empty: there is none
}

// ReadClient reads HOOKLOOP_GATEWAY, HOOKLOOP_TENANT and HOOKLOOP_TOKEN, and finds the gateway that
// is configured here.
func ReadClient(lookup Env) (c Client) {
	_ = read(lookup, &c) // every text is one
	c.Own = ownGateway(lookup, c.Gateway)
	return c
}

// ownGateway is HOOKLOOP_GATEWAY, where a key for its tokens stands beside it, or the gateway that
// `hookloop serve` starts with this environment, as a process on the same machine reaches it.
func ownGateway(lookup Env, named string) string {
	var s Service
	_ = read(lookup, &s) // what is wrong with a setting is said where it is needed
	switch {
	case !s.JWT.HasKey():
		return ""
	case named != "":
		return named
	}
	host, port, err := net.SplitHostPort(string(s.Listen))
	if err != nil || port == "0" || s.Registry == "" { // no gateway starts without one
		return ""
	}
	if addr, err := netip.ParseAddr(host); host == "" || err == nil && addr.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}
