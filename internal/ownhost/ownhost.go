// Package ownhost knows the names of this machine. `hookloop dev` serves without authentication, or
// trusts programs on this machine. A web page that is open in a browser here is such a program: it
// can point a name of its own at 127.0.0.1 (DNS rebinding), and the browser then takes us for the
// page's own server. But it sends that name as Host. The engine and the gateway ask this package;
// it imports none of ours.
package ownhost

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// IsOwn says whether a Host header names this machine: "localhost" or a loopback address, with a
// port or without.
func IsOwn(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	} else {
		host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// Only answers requests that name this machine, and those that also allows; the others get 403. A
// nil also allows none.
func Only(next http.Handler, also func(*http.Request) bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !IsOwn(r.Host) && (also == nil || !also(r)) {
			http.Error(w, "this is for browsers and programs on this machine, under its own name", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
