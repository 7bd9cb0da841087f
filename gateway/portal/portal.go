// Package portal is what the owners of endpoints look at: how their endpoint does, each delivery
// with its attempts, what was sent and answered; and the buttons to resend, to send a test, to
// rotate the secret, to pause. It knows nothing that the HTTP API does not tell and may nothing
// that the link or token does not allow that opened it: each page asks the API, in this process,
// with that. The gateway serves it below /portal.
//
// There are no cookies. What comes without a token is answered with a shell, the same for all; its
// script has the token from the fragment of the address, which browsers send nowhere, and asks for
// the page with it. So a frame in another site's page works where cookies of others are blocked,
// two links in one browser do not meet, and no other site can make a browser press a button.
package portal

import (
	"cmp"
	"context"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"hookloop/gateway/auth"
	"hookloop/internal/webhook"
)

// Path is where the gateway serves the portal; behind it follows a tenant.
const Path = "/portal"

// Config is what a portal is made of. API, Verify and Settings are required.
type Config struct {
	API      http.Handler // answers /v1/
	Verify   func(ctx context.Context, token string) (auth.Principal, error)
	Settings func(ctx context.Context, tenant string) (webhook.PortalSettings, error)
	Version  string
	Now      func() time.Time // nil: time.Now
	Logger   *slog.Logger     // nil: says nothing
}

// Portal answers the requests of browsers.
type Portal struct {
	cfg     Config // with its defaults
	kept    *lru.Cache[string, keptSettings]
	pages   map[string]*template.Template
	handler http.Handler
}

const (
	// settingsFresh is how long a tenant's settings count without being read anew.
	settingsFresh = 5 * time.Second
	// keptTenants bounds those whose settings are remembered.
	keptTenants = 1000
)

type keptSettings struct {
	webhook.PortalSettings

	readAt time.Time
}

// New builds a portal and names what is missing.
func New(c Config) (*Portal, error) {
	switch {
	case c.API == nil:
		return nil, errors.New("portal: API is missing")
	case c.Verify == nil:
		return nil, errors.New("portal: Verify is missing")
	case c.Settings == nil:
		return nil, errors.New("portal: Settings is missing")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	kept, err := lru.New[string, keptSettings](keptTenants)
	if err != nil {
		return nil, err
	}
	p := &Portal{cfg: c, kept: kept}
	if p.pages, err = parse(c.Now); err != nil {
		return nil, err
	}
	p.handler = p.routes()
	return p, nil
}

// ServeHTTP answers below Path.
func (p *Portal) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }

func (p *Portal) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Path+"/-/{file}", static) // no tenant is called "-"
	const (
		tenant   = Path + "/{tenant}"
		endpoint = tenant + "/endpoints/{endpoint}"
		event    = endpoint + "/events/{event}"
	)
	for pattern, page := range map[string]func(*visit) error{
		"GET " + tenant:               p.home,
		"GET " + endpoint:             p.endpoint,
		"GET " + endpoint + "/verify": p.verifying,
		"POST " + endpoint + "/{act}": p.actOnEndpoint,
		"GET " + event:                p.event,
		"GET " + event + "/request":   p.request,
		"POST " + event + "/{act}":    p.actOnEvent,
		tenant + "/":                  p.nothing,
		Path + "/":                    p.nothing,
	} {
		mux.HandleFunc(pattern, p.visited(page))
	}
	return mux
}
