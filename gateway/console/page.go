package console

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"hookloop/api"
	"hookloop/client"
	"hookloop/gateway/auth"
)

//go:embed templates/*.html
var templates embed.FS

// static has, beside our own, htmx.min.js of htmx.org 2.0.11 from npm.
//
//go:embed static
var files embed.FS

// view is what a page is made of.
type view struct {
	Title  string
	Tenant string // empty: none is chosen
	Now    time.Time
	Said   string // what became of the button that led here
	Body   any

	Who     auth.Principal
	Nonce   string
	Version string
	UI      string
	Assets  string // changes with the files, so that browsers may keep them for ever
	Live    bool   // the page looks for news by itself
	Here    string // this page's own address
	Panel   bool   // it is shown in the Temporal UI
	Back    string // where a button leads back to; empty: to the console's own page
	Origins string // of the Temporal UIs that may show it
}

// Base is where the tenant's pages begin.
func (v view) Base() string { return Path + "/t/" + v.Tenant }

// Can says whether the person's token has a scope.
func (v view) Can(scope string) bool { return v.Who.Holds(scope) }

// With is this page, asked for one thing more.
func (v view) With(key, value string) string { return with(v.Here, key, value) }

// Table says whether pictures are shown as tables.
func (v view) Table() bool { return strings.Contains(v.Here, "as=table") }

// oneTenant is the only tenant a token speaks for, or empty.
func oneTenant(who auth.Principal) string {
	if len(who.Tenants) == 1 && !who.EveryTenant() {
		return who.Tenants[0]
	}
	return ""
}

func (c *Console) parse() (map[string]*template.Template, error) {
	pages := map[string]*template.Template{}
	names, err := fs.Glob(templates, "templates/*.html")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		page := strings.TrimSuffix(path.Base(name), ".html")
		if page == "layout" || strings.HasPrefix(page, "_") {
			continue
		}
		t, err := template.New("layout.html").Funcs(c.functions()).ParseFS(templates, "templates/layout.html", "templates/_*.html", name)
		if err != nil {
			return nil, err
		}
		pages[page] = t
	}
	return pages, nil
}

// render writes a page whole or, if it cannot be made, an error.
func (c *Console) render(w http.ResponseWriter, r *http.Request, status int, page string, v view) {
	v.Nonce, v.Version, v.UI, v.Now, v.Assets, v.Here = rand.Text(), c.cfg.Version, c.cfg.UI, c.cfg.Now(), assets, r.URL.RequestURI()
	v.Origins = c.origins
	if said, ok := sentences[r.URL.Query().Get("said")]; ok {
		v.Said = said
	}
	var b bytes.Buffer
	if err := c.pages[page].Execute(&b, v); err != nil {
		http.Error(w, "this page cannot be shown: "+err.Error(), http.StatusInternalServerError)
		return
	}
	guard(w.Header(), v.Nonce, c.framers(v.Panel))
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// framers are the pages that may show one of ours in a frame.
func (c *Console) framers(panel bool) string {
	if !panel || c.origins == "" {
		return "'none'"
	}
	return c.origins
}

// guard lets a page run our own scripts and styles alone, in the frames of framers alone.
func guard(h http.Header, nonce, framers string) {
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'nonce-"+nonce+"'; style-src 'nonce-"+nonce+"'; "+
		"img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors "+framers)
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// assets is the fingerprint of all static files.
var assets = func() string {
	h := sha256.New()
	_ = fs.WalkDir(files, "static", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			b, _ := files.ReadFile(name)
			h.Write(b)
		}
		return err
	})
	return hex.EncodeToString(h.Sum(nil)[:8])
}()

func static(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("v") == assets {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	http.ServeFileFS(w, r, files, "static/"+path.Base(r.PathValue("file")))
}

// visit is one request of a signed-in person.
type visit struct {
	w    http.ResponseWriter
	r    *http.Request
	who  auth.Principal
	api  *client.Client // nil: without a tenant
	view view
}

// signedIn answers signed-in people, and sends others to sign in.
func (c *Console) signedIn(page func(*visit) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token, who, err := c.visitor(r)
		if err != nil {
			http.Redirect(w, r, Path+"/sign-in?next="+url.QueryEscape(nextOf(r)), http.StatusSeeOther)
			return
		}
		v := &visit{w: w, r: r, who: who, view: view{Who: who, Tenant: r.PathValue("tenant")}}
		if v.view.Tenant != "" {
			v.api, err = c.ask(r.Host, v.view.Tenant, token)
		}
		if err == nil {
			err = page(v)
		}
		if err != nil {
			c.fail(v, err)
		}
	}
}

// nextOf is where a person goes on who had to sign in: where they wanted to go, but never to a
// button.
func nextOf(r *http.Request) string {
	if r.Method != http.MethodGet {
		return Path
	}
	return r.URL.RequestURI()
}

// fail shows what the API refused.
func (c *Console) fail(v *visit, err error) {
	v.view.Title = "This did not work"
	status, shown := http.StatusBadGateway, problemPage{Text: "The gateway could not answer. Try again in a moment."}
	if refused, ok := errors.AsType[*client.Error](err); ok {
		status = refused.Status
		shown = problemPage{Status: refused.Status, Text: refused.Detail, Code: string(refused.Code)}
		for _, field := range refused.Errors {
			shown.Fields = append(shown.Fields, field.Field+" "+field.Message)
		}
	}
	v.view.Body = shown
	c.render(v.w, v.r, status, "problem", v.view)
}

type problemPage struct {
	Status     int
	Text, Code string
	Fields     []string
}

// show answers with a page.
func (c *Console) show(v *visit, page, title string, body any) error {
	v.view.Title, v.view.Body = title, body
	c.render(v.w, v.r, http.StatusOK, page, v.view)
	return nil
}

func (c *Console) nothing(v *visit) error {
	v.view.Title, v.view.Body = "Not found", problemPage{Status: http.StatusNotFound, Text: "There is nothing at this address."}
	c.render(v.w, v.r, http.StatusNotFound, "problem", v.view)
	return nil
}

// home leads to the tenant, or asks for one.
func (c *Console) home(v *visit) error {
	if tenant := cmp.Or(v.r.URL.Query().Get("tenant"), oneTenant(v.who)); tenant != "" {
		http.Redirect(v.w, v.r, Path+"/t/"+url.PathEscape(tenant), http.StatusSeeOther)
		return nil
	}
	tenants := slices.DeleteFunc(slices.Clone(v.who.Tenants), func(t string) bool { return t == api.EveryTenant })
	return c.show(v, "tenants", "Choose a tenant", tenants)
}
