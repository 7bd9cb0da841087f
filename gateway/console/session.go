package console

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"hookloop/gateway/auth"
)

const (
	cookieName = "hookloop_session"
	// maxCookie is what browsers keep of a cookie, in bytes (RFC 6265, section 6.1), less its name
	// and attributes.
	maxCookie = 3900
	// linkLife is how long a link signs in: as long as it takes to open it.
	linkLife = 2 * time.Minute
	// maxForm bounds what is read of a form, in bytes.
	maxForm = 64 << 10
)

// What a sealed text is good for: a link is no cookie.
const (
	forSession = "session"
	forLink    = "link"
)

// newSeal hides tokens in cookies and links: who steals a cookie has a session, but no token to use
// elsewhere.
func newSeal(key []byte) (cipher.AEAD, error) {
	derived, err := hkdf.Key(sha256.New, key, nil, "hookloop console", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// sealed is a token, good for one purpose until a time.
func (c *Console) sealed(token, purpose string, until time.Time) string {
	plain := binary.BigEndian.AppendUint64(nil, uint64(until.Unix())) //nolint:gosec // not before 1970
	return base64.RawURLEncoding.EncodeToString(c.seal.Seal(nil, nil, append(plain, token...), []byte(purpose)))
}

var errSealed = errors.New("not sealed by us, or too old")

// unsealed is the token in a sealed text.
func (c *Console) unsealed(text, purpose string) (token string, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return "", errSealed
	}
	plain, err := c.seal.Open(nil, nil, raw, []byte(purpose))
	if err != nil || len(plain) < 8 {
		return "", errSealed
	}
	if until := time.Unix(int64(binary.BigEndian.Uint64(plain)), 0); c.cfg.Now().After(until) { //nolint:gosec // we wrote it
		return "", errSealed
	}
	return string(plain[8:]), nil
}

// sessionLife bounds a session; a token that ends earlier ends it earlier.
const sessionLife = 12 * time.Hour

// begin signs a browser in, or says why it cannot.
func (c *Console) begin(w http.ResponseWriter, r *http.Request, token string) error {
	if _, err := c.cfg.Verify(r.Context(), token); err != nil {
		return err
	}
	value := c.sealed(token, forSession, c.cfg.Now().Add(sessionLife))
	if len(value) > maxCookie {
		return errors.New("the token is too long for a session: use one that names fewer tenants")
	}
	http.SetCookie(w, sessionCookie(r, value, int(sessionLife.Seconds())))
	return nil
}

// sessionCookie stays with this site: Lax, so that a link from a chat leads to a page and not to
// the sign-in.
func sessionCookie(r *http.Request, value string, seconds int) *http.Cookie {
	return &http.Cookie{
		Name: cookieName, Value: value, Path: Path, MaxAge: seconds, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https"),
	}
}

// visitor is who a browser is signed in as.
func (c *Console) visitor(r *http.Request) (token string, who auth.Principal, err error) {
	cookie, err := r.Cookie(cookieName)
	if err != nil {
		return "", who, err
	}
	if token, err = c.unsealed(cookie.Value, forSession); err != nil {
		return "", who, err
	}
	who, err = c.cfg.Verify(r.Context(), token)
	return token, who, err
}

func (c *Console) askToken(w http.ResponseWriter, r *http.Request) {
	form := c.signInForm(within(r.URL.Query().Get("next")), "")
	if c.oidc != nil && r.URL.Query().Has("out") {
		form.SignOut = OIDCPath + "/out"
	}
	c.render(w, r, http.StatusOK, "sign-in", view{Title: "Sign in", Body: form})
}

type signInForm struct {
	Next, Problem string
	Provider      string // the address where a provider's sign-in begins; empty: there is none
	SignOut       string // where its own session ends, for a person who has signed out here; empty: they have not
}

func (c *Console) signIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	form := c.signInForm(within(r.PostFormValue("next")), "")
	token := strings.TrimSpace(r.PostFormValue("token"))
	if token == "" {
		form.Problem = "Paste a token first."
	} else if err := c.begin(w, r, token); err != nil {
		form.Problem = "You are not signed in: " + err.Error() + "."
	}
	if form.Problem != "" {
		c.render(w, r, http.StatusUnauthorized, "sign-in", view{Title: "Sign in", Body: form})
		return
	}
	http.Redirect(w, r, form.Next, http.StatusSeeOther)
}

func signOut(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, sessionCookie(r, "", -1))
	http.Redirect(w, r, Path+"/sign-in?out", http.StatusSeeOther)
}

// link makes a link that signs a browser in, for a person who has a token: `hookloop console` opens
// it. The token itself never stands in an address, which browsers keep.
func (c *Console) link(w http.ResponseWriter, r *http.Request) {
	token, err := auth.Bearer(r.Header.Get("Authorization"))
	if err == nil {
		_, err = c.cfg.Verify(r.Context(), token)
	}
	w.Header().Set("Cache-Control", "no-store")
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	enter := Path + "/enter?code=" + c.sealed(token, forLink, c.cfg.Now().Add(linkLife))
	if next := r.URL.Query().Get("next"); next != "" {
		enter += "&next=" + url.QueryEscape(within(next))
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"path": enter})
}

// enter signs in the browser that opens a link.
func (c *Console) enter(w http.ResponseWriter, r *http.Request) {
	next := within(r.URL.Query().Get("next"))
	token, err := c.unsealed(r.URL.Query().Get("code"), forLink)
	if err == nil {
		err = c.begin(w, r, token)
	}
	if err != nil {
		c.render(w, r, http.StatusUnauthorized, "sign-in", view{Title: "Sign in", Body: c.signInForm(next,
			"This link signs in for two minutes only. Ask for another, or paste a token.")})
		return
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
}

// within is a path of the console, and no other place that a link may have named.
func within(next string) string {
	u, err := url.Parse(next)
	inside := err == nil && !u.IsAbs() && u.Host == "" && path.Clean(u.Path) == u.Path
	if !inside || u.Path != Path && !strings.HasPrefix(u.Path, Path+"/") {
		return Path
	}
	return u.RequestURI()
}
