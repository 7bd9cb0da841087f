// Package client is the typed Go client of Hookloop's HTTP API, for applications and tools;
// `hookloop event send` and its siblings are built on it. It knows the paths, repeats what may be
// repeated, walks lists and waits for ends. What the answers mean is said by the types of package
// api, which are the gateway's own.
//
// A [Client] speaks for one tenant and is safe for concurrent use:
//
//	hooks, err := client.New(client.Config{URL: "https://hooks.example.com", Tenant: "acme", Token: token})
//	accepted, err := hooks.Events.Send(api.NewEvent{Type: "order.paid", Data: order}).IdempotencyKey("order-4711-paid").Do(ctx)
//	event, err := hooks.Events.WaitDelivered(ctx, accepted.ID)
//
// Every method describes a call; its Do makes it, and its JSON gives the answer as it came.
package client

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Timeout bounds one request, its answer included, unless Config.HTTP says otherwise.
const Timeout = 30 * time.Second

// Config says where the gateway is, and for whom the client speaks.
type Config struct {
	// URL is the gateway's base URL, like "https://hooks.example.com".
	URL    string
	Tenant string
	// Token is a bearer token. It is sent to URL only: redirects are not followed.
	Token string
	// UserAgent names the program; empty: "hookloop-go".
	UserAgent string
	// Attempts is how often a call is made that may be repeated, while the gateway cannot be
	// reached or refuses it for now; 0: 4, 1: no repeats.
	Attempts int
	// HTTP makes the requests; nil: a client with Timeout that follows no redirects.
	HTTP *http.Client
}

// Client is a tenant's view of a gateway.
type Client struct {
	Events    Events
	Endpoints Endpoints
	Sources   Sources
	Approvals Approvals
	Audit     Audit
	Portal    Portal
	Subjects  Subjects

	scope scope

	transport *transport
}

// New checks the configuration; it asks the gateway nothing.
func New(c Config) (*Client, error) {
	switch err := CheckURL(c.URL); {
	case err != nil:
		return nil, err
	case c.Tenant == "":
		return nil, errors.New("a client needs a tenant")
	case c.Token == "":
		return nil, errors.New("a client needs a token")
	}
	t := &transport{
		base: strings.TrimRight(c.URL, "/"), token: c.Token, agent: cmp.Or(c.UserAgent, "hookloop-go"), attempts: cmp.Or(c.Attempts, 4), http: c.HTTP,
	}
	if t.http == nil {
		t.http = &http.Client{Timeout: Timeout, CheckRedirect: stay}
	}
	return t.client(c.Tenant), nil
}

// For is the same client for another tenant, if the token allows for that one too.
func (c *Client) For(tenant string) *Client { return c.transport.client(tenant) }

// URL is the gateway's base URL, without a slash at its end.
func (c *Client) URL() string { return c.transport.base }

func (t *transport) client(tenant string) *Client {
	s := scope{transport: t, path: tenants + url.PathEscape(tenant)}
	return &Client{Events: Events{s}, Endpoints: Endpoints{s}, Sources: Sources{s}, Approvals: Approvals{s}, Audit: Audit{s}, Portal: Portal{s}, Subjects: Subjects{s}, scope: s, transport: t}
}

// tenants is what the paths of all tenants begin with.
const tenants = "/v1/tenants/"

// scope is where the paths of a tenant begin.
type scope struct {
	transport *transport
	path      string
}

// stay keeps the token from going where it was not meant to go; the gateway sends no redirects.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// CheckURL says why a text is not a gateway's base URL. The error does not quote it: it may hold a
// password.
func CheckURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New(`the gateway must be a URL like "https://hooks.example.com"`)
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("the gateway's URL must not hold a user, a query or a fragment")
	}
	return nil
}
