package sender_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
	"hookloop/internal/sender"
	"hookloop/internal/webhook"
)

func TestAddressGuard(t *testing.T) {
	t.Parallel()
	guard := sender.NewAddressGuard(false)
	for what, hosts := range map[string]string{
		"private":              "10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1",
		"loopback":             "127.0.0.1 127.255.255.254 [::1]",
		"link-local":           "169.254.0.1 [fe80::1] [fe80::1%eth0]",
		"cloud metadata":       "169.254.169.254 169.254.170.2 [fd00:ec2::254] [fd20:ce::254] 100.100.100.200 192.0.0.192 168.63.129.16",
		"CGNAT":                "100.64.0.1 100.127.255.255",
		"multicast":            "224.0.0.1 239.255.255.255 [ff02::1] [ff0e::1]",
		"unspecified":          "0.0.0.0 0.1.2.3 [::]",
		"broadcast, reserved":  "255.255.255.255 240.0.0.1",
		"special, benchmark":   "192.0.0.1 192.0.2.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 192.88.99.1",
		"IPv4-mapped":          "[::ffff:127.0.0.1] [::ffff:10.0.0.1] [::ffff:169.254.169.254] [::ffff:7f00:1]",
		"IPv4-compatible":      "[::127.0.0.1] [::a00:1]",
		"IPv4-translated":      "[::ffff:0:10.0.0.1]",
		"NAT64":                "[64:ff9b::7f00:1] [64:ff9b::a9fe:a9fe] [64:ff9b::808:808] [64:ff9b:1::a00:1]",
		"6to4":                 "[2002:7f00:1::] [2002:a00:1::1] [2002:a9fe:a9fe::]",
		"Teredo":               "[2001::1] [2001:0:7f00:1::]",
		"ULA, site-local":      "[fc00::1] [fd12:3456::1] [fec0::1]",
		"documentation, other": "[2001:db8::1] [3fff::1] [2001:20::1] [100::1] [5f00::1] [4000::1]",
		"a zone":               "[2606:4700::1%eth0]",
	} {
		for host := range strings.FieldsSeq(hosts) {
			require.ErrorIs(t, guard(network(host), host+":443", nil), sender.ErrAddress, "%s: %s", what, host)
		}
	}
	for host := range strings.FieldsSeq("8.8.8.8 1.1.1.1 100.63.255.255 100.128.0.1 172.32.0.1 [2606:4700::1] [2a00:1450::1]") {
		for _, port := range []string{"80", "443", "8080", "25"} {
			require.NoError(t, guard(network(host), host+":"+port, nil), host)
		}
	}
	for _, odd := range []string{"", "localhost:80", "8.8.8.8", "127.1:80", "0x7f000001:80", "2130706433:80"} {
		require.ErrorIs(t, guard("tcp4", odd, nil), sender.ErrAddress, odd)
	}
	require.ErrorIs(t, guard("udp4", "8.8.8.8:53", nil), sender.ErrAddress)
}

func TestAllowLoopbackAllowsNothingElse(t *testing.T) {
	t.Parallel()
	guard := sender.NewAddressGuard(true)
	for host := range strings.FieldsSeq("127.0.0.1 127.255.255.254 [::1] 8.8.8.8") {
		require.NoError(t, guard(network(host), host+":8080", nil), host)
	}
	for host := range strings.FieldsSeq("10.0.0.1 169.254.169.254 0.0.0.0 128.0.0.0.1 [::] [::2] [::ffff:127.0.0.1] [64:ff9b::7f00:1] [fe80::1] 168.63.129.16") {
		require.ErrorIs(t, guard(network(host), host+":8080", nil), sender.ErrAddress, host)
	}
}

func TestDialIsRefused(t *testing.T) {
	t.Parallel()
	srv := endpointtest.Start(t, endpointtest.Config{})
	port := srv.URL[strings.LastIndex(srv.URL, ":"):]
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "127.1"} {
		s, err := sender.New(sender.Config{}) // one for each: an address that is not dialled opens the breaker
		require.NoError(t, err)
		t.Cleanup(s.Close)
		a, err := s.Send(t.Context(), delivery("http://"+host+port), 1)
		require.NoError(t, err)
		if host != "127.1" { // a host name to Go, and one that hardly resolves
			require.Equal(t, webhook.FailureAddress, a.Failure, host)
		}
		require.Zero(t, a.StatusCode)
		require.NotContains(t, a.Error, "127")
	}
	require.Empty(t, srv.Receipts())
}

func network(host string) string {
	if strings.HasPrefix(host, "[") {
		return "tcp6"
	}
	return "tcp4"
}

func TestAllowNetworksAllowNothingElse(t *testing.T) {
	t.Parallel()
	guard := sender.NewAddressGuard(false, netip.MustParsePrefix("10.20.0.0/16"), netip.MustParsePrefix("fd12::/16"))
	for host := range strings.FieldsSeq("10.20.0.1 10.20.255.254 [fd12::1] 8.8.8.8") {
		require.NoError(t, guard(network(host), host+":8080", nil), host)
	}
	for host := range strings.FieldsSeq("10.21.0.1 10.19.255.255 127.0.0.1 169.254.169.254 [fd13::1] [::1] [::ffff:10.20.0.1] 168.63.129.16") {
		require.ErrorIs(t, guard(network(host), host+":8080", nil), sender.ErrAddress, host)
	}
}

// TestSeveralNetworks: each of them counts, wherever it stands in the list.
func TestSeveralNetworks(t *testing.T) {
	t.Parallel()
	networks := []netip.Prefix{
		netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.99.0.0/16"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("fd00:1::/32"),
	}
	for _, loopback := range []bool{true, false} {
		guard := sender.NewAddressGuard(loopback, networks...)
		for _, address := range []string{"127.0.0.1:80", "10.99.1.1:80", "[::1]:80", "[fd00:1::1]:80", "8.8.8.8:80"} {
			require.NoError(t, guard(map[bool]string{true: "tcp6", false: "tcp4"}[address[0] == '['], address, nil), address)
		}
		for _, address := range []string{"10.98.1.1:80", "169.254.169.254:80", "[fd00:2::1]:80"} {
			require.Error(t, guard(map[bool]string{true: "tcp6", false: "tcp4"}[address[0] == '['], address, nil), address)
		}
	}
}
