// Package console is what operators look at: how endpoints do, which of them keep failing and why,
// what became of an event; and the buttons to decide. It knows nothing that the HTTP API does not
// tell and may nothing that the signed-in person's token does not allow: each page asks the API, in
// this process, with that token. The gateway serves it below /console.
package console

import (
	"cmp"
	"context"
	"crypto/cipher"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"hookloop/gateway/auth"
)

// Path is where the gateway serves the console.
const Path = "/console"

// Config is what a console is made of. API, Verify and Key are required.
type Config struct {
	API     http.Handler // answers /v1/
	Verify  func(ctx context.Context, token string) (auth.Principal, error)
	Key     []byte // seals sessions; the same for all gateways, or a person signs in again at each
	Version string
	UI      string           // the namespace's page in the Temporal UI, for links to histories; empty: no links
	Origins []string         // of the Temporal UIs that may frame the panel; empty: none may
	Now     func() time.Time // nil: time.Now
	OIDC    *OIDC            // where people sign in besides; nil: with a token alone
	Logger  *slog.Logger     // told why a sign-in at OIDC failed; nil: nothing is told
}

// Console answers the requests of browsers.
type Console struct {
	cfg     Config // with its defaults
	seal    cipher.AEAD
	origins string      // separated by blanks
	oidc    *oidcSignIn // nil: there is none
	pages   map[string]*template.Template
	handler http.Handler
}

// New builds a console and names what is missing.
func New(c Config) (*Console, error) {
	switch {
	case c.API == nil:
		return nil, errors.New("console: API is missing")
	case c.Verify == nil:
		return nil, errors.New("console: Verify is missing")
	case len(c.Key) == 0:
		return nil, errors.New("console: Key is missing")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	seal, err := newSeal(c.Key)
	if err != nil {
		return nil, err
	}
	to := &Console{cfg: c, seal: seal, origins: strings.Join(c.Origins, " ")}
	if c.OIDC != nil {
		to.oidc = newOIDCSignIn(*c.OIDC, c.Now)
	}
	if to.pages, err = to.parse(); err != nil {
		return nil, err
	}
	to.handler = to.routes()
	return to, nil
}

// ServeHTTP answers below Path. What changes something is refused when another site's page asks for
// it.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.handler.ServeHTTP(w, r) }

func (c *Console) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Path+"/static/{file}", static)
	mux.HandleFunc("GET "+Path+"/sign-in", c.askToken)
	mux.HandleFunc("POST "+Path+"/sign-in", c.signIn)
	mux.HandleFunc("POST "+Path+"/sign-out", signOut)
	mux.HandleFunc("POST "+Path+"/link", c.link)
	mux.HandleFunc("GET "+Path+"/enter", c.enter)
	if c.oidc != nil {
		mux.HandleFunc("GET "+OIDCPath+"/start", c.toProvider)
		mux.HandleFunc("GET "+OIDCPath+"/out", c.signOutThere)
		mux.HandleFunc("GET "+OIDCPath, c.fromProvider)
	}
	mux.HandleFunc("GET "+PanelPath, c.panel)
	mux.HandleFunc("GET "+Path+"/{$}", c.signedIn(c.home))
	mux.HandleFunc("GET "+Path, c.signedIn(c.home))

	const tenant = Path + "/t/{tenant}"
	for pattern, page := range map[string]func(*visit) error{
		"GET " + tenant:                                    c.overview,
		"GET " + tenant + "/endpoints":                     c.endpoints,
		"GET " + tenant + "/endpoints/{endpoint}":          c.endpoint,
		"GET " + tenant + "/endpoints/{endpoint}/attempts": c.attempts,
		"POST " + tenant + "/endpoints/{endpoint}/{act}":   c.actOnEndpoint,
		"GET " + tenant + "/events":                        c.events,
		"GET " + tenant + "/events/{event}":                c.event,
		"POST " + tenant + "/events/{event}/data":          c.data,
		"POST " + tenant + "/events/{event}/{act}":         c.actOnEvent,
		"GET " + tenant + "/undelivered":                   c.undelivered,
		"GET " + tenant + "/sources":                       c.sources,
		"GET " + tenant + "/audit":                         c.audit,
		Path + "/":                                         c.nothing,
	} {
		mux.HandleFunc(pattern, c.signedIn(page))
	}
	return http.NewCrossOriginProtection().Handler(mux)
}
