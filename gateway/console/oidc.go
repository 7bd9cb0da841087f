package console

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// OIDCPath is where a provider leads back to.
const OIDCPath = Path + "/oidc"

const (
	oidcCookie = "hookloop_oidc"
	// oidcLife is how long a person may take at the provider.
	oidcLife = 10 * time.Minute
	forOIDC  = "oidc"
	// maxNext bounds the page that waits for a person, in bytes: it travels in a cookie.
	maxNext = 1 << 10
)

// oidcVisit is what must be the same when a person comes back. It is sealed in a cookie.
type oidcVisit struct {
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"`
	Next     string `json:"next"`
}

// newOIDCVisit begins one that ends at a page of the console.
func newOIDCVisit(next string) oidcVisit {
	v := oidcVisit{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Next: within(next)}
	if len(v.Next) > maxNext {
		v.Next = Path
	}
	return v
}

// toProvider leads to where people sign in.
func (c *Console) toProvider(w http.ResponseWriter, r *http.Request) {
	v := newOIDCVisit(r.URL.Query().Get("next"))
	text, err := json.Marshal(v)
	if err != nil {
		c.notSignedIn(w, r, v.Next, err)
		return
	}
	p, err := c.oidc.find(r.Context())
	if err != nil {
		c.notSignedIn(w, r, v.Next, err)
		return
	}
	http.SetCookie(w, c.oidcState(r, c.sealed(string(text), forOIDC, c.cfg.Now().Add(oidcLife)), int(oidcLife.Seconds())))
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, c.oidc.client(p).AuthCodeURL(v.State, oidc.Nonce(v.Nonce), oauth2.S256ChallengeOption(v.Verifier)), http.StatusSeeOther)
}

// oidcState is the cookie that a person takes along to the provider.
func (c *Console) oidcState(r *http.Request, value string, seconds int) *http.Cookie {
	cookie := sessionCookie(r, value, seconds)
	cookie.Name, cookie.Path = oidcCookie, OIDCPath
	cookie.Secure = cookie.Secure || strings.HasPrefix(c.oidc.Redirect, "https:")
	return cookie
}

// fromProvider signs in a person who comes back.
func (c *Console) fromProvider(w http.ResponseWriter, r *http.Request) {
	v, err := c.oidcVisitOf(r)
	if err == nil {
		err = c.comeBack(w, r, v)
	}
	http.SetCookie(w, c.oidcState(r, "", -1))
	if err != nil {
		c.notSignedIn(w, r, v.Next, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, within(v.Next), http.StatusSeeOther)
}

var errOIDCVisit = errors.New("you took more than ten minutes, or began in another browser; begin again")

// oidcVisitOf finds out that it is this browser that began.
func (c *Console) oidcVisitOf(r *http.Request) (v oidcVisit, err error) {
	cookie, err := r.Cookie(oidcCookie)
	if err != nil {
		return v, errOIDCVisit
	}
	text, err := c.unsealed(cookie.Value, forOIDC)
	if err != nil || json.Unmarshal([]byte(text), &v) != nil {
		return v, errOIDCVisit
	}
	if subtle.ConstantTimeCompare([]byte(v.State), []byte(r.URL.Query().Get("state"))) != 1 {
		return oidcVisit{}, errOIDCVisit
	}
	return v, nil
}

// comeBack changes the provider's code into a session. The session holds the first of the
// provider's two tokens that the API believes.
func (c *Console) comeBack(w http.ResponseWriter, r *http.Request, v oidcVisit) error {
	access, id, err := c.oidc.exchange(r.Context(), r.URL.Query(), v)
	if err != nil {
		return err
	}
	notAccess := c.begin(w, r, access)
	if notAccess == nil {
		return nil
	}
	notID := c.begin(w, r, id)
	if notID == nil {
		return nil
	}
	return &oidcError{"your organisation's sign-in gave no token that counts here", errors.Join(notAccess, notID)}
}

// notSignedIn says what a person can do about it. The log has the cause.
func (c *Console) notSignedIn(w http.ResponseWriter, r *http.Request, next string, err error) {
	if told, ok := errors.AsType[*oidcError](err); ok {
		c.cfg.Logger.WarnContext(r.Context(), "sign-in at the OpenID Connect provider failed", slog.String("error", told.Cause()))
	}
	c.render(w, r, http.StatusUnauthorized, "sign-in", view{Title: "Sign in", Body: c.signInForm(within(next), "You are not signed in: "+err.Error()+".")})
}

// signOutThere leads to where the provider's own session ends: as long as it goes on, signing in
// again asks for no password.
func (c *Console) signOutThere(w http.ResponseWriter, r *http.Request) {
	there, err := c.oidc.endSession(r.Context())
	if err != nil {
		c.notSignedIn(w, r, Path, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, there, http.StatusSeeOther)
}

// signInForm offers the provider, where there is one. It is begun at the console's own address: the
// provider leads back there, and the cookie must be there.
func (c *Console) signInForm(next, problem string) signInForm {
	form := signInForm{Next: next, Problem: problem}
	if c.oidc != nil {
		form.Provider = c.oidc.Redirect + "/start?next=" + url.QueryEscape(next)
	}
	return form
}
