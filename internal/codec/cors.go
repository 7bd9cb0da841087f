package codec

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// allowedHeaders are those the Temporal UI sends: the namespace, and if told to
// (codec.passAccessToken) the person's access token and id token.
const allowedHeaders = "Content-Type, X-Namespace, Authorization, Authorization-Extras"

// cors decides which pages may read our answers. A browser asks first (the preflight), without any
// credentials, so that is answered before authorisation.
type cors map[string]bool // by origin

// newCORS refuses what would never match, and "*": tokens are for the pages of our UI alone.
func newCORS(origins []string) (cors, error) {
	c := cors{}
	for _, o := range origins {
		if !isOrigin(o) {
			return nil, fmt.Errorf("origin %q: must be as browsers write it, like https://temporal.example.com", o)
		}
		c[o] = true
	}
	return c, nil
}

// isOrigin says whether a browser may send this as the origin of a page.
func isOrigin(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || strings.Contains(s, "*") || s != strings.ToLower(u.Scheme+"://"+u.Host) {
		return false
	}
	return u.Scheme == "https" && u.Port() != "443" || u.Scheme == "http" && u.Port() != "80"
}

// allow tells the browser that the page may read the answer, a refusal too.
func (c cors) allow(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Origin") // to others, too: a cache must not give them each other's answer
	origin := r.Header.Get("Origin")
	if c[origin] {
		w.Header().Set("Access-Control-Allow-Origin", origin)
	}
}

// preflight answers whether the request itself may be sent.
func (c cors) preflight(w http.ResponseWriter, r *http.Request) {
	if !c[r.Header.Get("Origin")] {
		fail(w, http.StatusForbidden, "pages of this origin may not ask")
		return
	}
	header := w.Header()
	header.Set("Access-Control-Allow-Methods", "POST")
	header.Set("Access-Control-Allow-Headers", allowedHeaders)
	header.Set("Access-Control-Max-Age", "600") // or the UI would ask twice for everything it shows
	w.WriteHeader(http.StatusNoContent)
}
