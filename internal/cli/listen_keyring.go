package cli

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"hookloop/api"
	"hookloop/client"
	"hookloop/internal/endpointtest"
	"hookloop/internal/signature"
)

// lookupTimeout bounds the search for secrets: the sender waits for our answer meanwhile.
const lookupTimeout = 2 * time.Second

var errNoEndpoint = errors.New("no endpoint has this URL")

// keyring knows the secrets to verify with, or finds them: endpoints may be created, and their
// secrets rotated, while we listen.
type keyring struct {
	connect  func() (*gateway, error) // anew each time: 'hookloop dev' may start, and restart, meanwhile
	endpoint string                   // the one to verify for; empty: those at addr
	addr     net.Addr
	fixed    bool // the secret was given, there is nothing to find

	mu      sync.Mutex // also keeps lookups one after the other
	secrets []signature.Secret
	asked   time.Time // when the last lookup began
	err     error     // what came of it
}

func (o listenOptions) keyring(c *cobra.Command, addr net.Addr, secret signature.Secret) *keyring {
	if !secret.IsZero() {
		return &keyring{fixed: true, secrets: []signature.Secret{secret}}
	}
	return &keyring{connect: func() (*gateway, error) { return o.connect(c) }, endpoint: o.endpoint, addr: addr}
}

// verify checks one receipt. If no known secret fits, it looks for new ones first.
func (k *keyring) verify(ctx context.Context, r endpointtest.Receipt) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	err := signature.Verify(k.secrets, r.Header, r.Body, r.At)
	if k.fixed || !errors.Is(err, signature.ErrNoMatch) {
		return err
	}
	// A delivery that arrived before the last lookup began shares its answer, so a
	// flood of bad signatures is not a flood of lookups.
	if !k.asked.After(r.At) {
		k.lookUp(ctx)
	}
	if len(k.secrets) == 0 {
		return k.err
	}
	return signature.Verify(k.secrets, r.Header, r.Body, r.At)
}

// start looks once before anything arrives, to tell people where they stand.
func (k *keyring) start(ctx context.Context) error {
	if k.fixed {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.lookUp(ctx)
	return k.err
}

// lookUp replaces the secrets by those of now. If the gateway does not answer, the old ones stay.
func (k *keyring) lookUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	k.asked = time.Now()
	secrets, err := k.find(ctx)
	if err == nil || errors.Is(err, errNoEndpoint) {
		k.secrets = secrets
	}
	k.err = explain(ctx, err)
}

func (k *keyring) find(ctx context.Context) ([]signature.Secret, error) {
	g, err := k.connect()
	if err != nil {
		return nil, err
	}
	ids := []string{k.endpoint}
	if k.endpoint == "" {
		if ids, err = g.endpointsAt(ctx, k.addr); err != nil {
			return nil, err
		}
	}
	var secrets []signature.Secret
	for _, id := range ids {
		said, err := g.Endpoints.Secret(id).Do(ctx)
		if err != nil {
			return nil, err
		}
		s, err := signature.ParseSecret(said.Secret)
		if err != nil {
			return nil, err
		}
		secrets = append(secrets, s)
	}
	if len(secrets) == 0 {
		return nil, errNoEndpoint
	}
	return secrets, nil
}

// endpointsAt gives the ids of the endpoints that lead to addr.
func (g *gateway) endpointsAt(ctx context.Context, addr net.Addr) (ids []string, err error) {
	for e, err := range g.Endpoints.List(api.EndpointQuery{PageQuery: api.PageQuery{Limit: client.MaxPage}}).All(ctx) {
		if err != nil {
			return nil, err
		}
		if leadsTo(e.URL, addr) {
			ids = append(ids, e.ID)
		}
	}
	return ids, nil
}

// leadsTo says whether a URL, whatever its path, names the address we listen at.
func leadsTo(raw string, addr net.Addr) bool {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" {
		return false
	}
	port := cmp.Or(u.Port(), "80")
	host, ownPort, err := net.SplitHostPort(addr.String())
	if err != nil || port != ownPort {
		return false
	}
	return u.Hostname() == host || isHere(u.Hostname()) && isHere(host)
}

// isHere says whether a host is this machine, or its name, as a container's; who listens at every
// address listens there too.
func isHere(host string) bool {
	if own, err := os.Hostname(); err == nil && strings.EqualFold(host, own) {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && (ip.IsLoopback() || ip.IsUnspecified())
}
