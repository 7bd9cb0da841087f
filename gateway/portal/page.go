package portal

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"hookloop/api"
	"hookloop/client"
	"hookloop/gateway/auth"
	"hookloop/gateway/console"
	"hookloop/internal/webhook"
)

//go:embed templates/*.html
var templates embed.FS

//go:embed static
var files embed.FS

// shared are files of the console that the portal serves as well.
var shared = []string{"console.css", "htmx.min.js"}

func parse(now func() time.Time) (map[string]*template.Template, error) {
	names, err := fs.Glob(templates, "templates/*.html")
	if err != nil {
		return nil, err
	}
	pages := map[string]*template.Template{}
	for _, name := range names {
		page := strings.TrimSuffix(path.Base(name), ".html")
		if strings.HasPrefix(page, "_") {
			continue
		}
		if pages[page], err = template.New(path.Base(name)).Funcs(console.Words(now)).Funcs(functions).ParseFS(templates, "templates/_*.html", name); err != nil {
			return nil, err
		}
	}
	return pages, nil
}

// view is what a page is made of.
type view struct {
	Title string
	Base  string // where the tenant's pages begin
	Here  string // this page's own address
	Home  bool   // there is a list of endpoints to go back to
	Said  string // what became of the button that was pressed
	Who   auth.Principal
	Live  bool // the page looks for news by itself
	Body  any
}

// Can says whether the link has a scope.
func (v view) Can(scope string) bool { return v.Who.Holds(scope) }

// visit is one request with a token.
type visit struct {
	w    http.ResponseWriter
	r    *http.Request
	api  *client.Client
	view view
}

// visited answers those who bring a token with a page, and others with the shell.
func (p *Portal) visited(page func(*visit) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		tenant := tenantOf(r)
		if r.Header.Get("Authorization") == "" {
			p.showShell(w, r, tenant)
			return
		}
		v := &visit{w: w, r: r, view: view{Base: Path + "/" + tenant, Here: r.URL.RequestURI()}}
		token, err := auth.Bearer(r.Header.Get("Authorization"))
		if err == nil {
			v.view.Who, err = p.cfg.Verify(r.Context(), token)
		}
		switch {
		case err == nil && (!v.view.Who.IsConfined() || v.view.Who.Tenants[0] != tenant):
			err = errOther
		case err == nil:
			v.view.Home = v.view.Who.Owner != "" || len(v.view.Who.Endpoints) > 1
			if v.api, err = console.Ask(p.cfg.API, r.Host, tenant, token, "hookloop-portal"); err == nil {
				err = page(v)
			}
		}
		if err != nil {
			p.fail(v, err)
		}
	}
}

// errOther is about a token that opens no portal, or another tenant's.
var errOther = webhook.Errorf(api.OutOfReach, "this link does not open this page")

// tenantOf is the tenant in an address of the portal; empty: there is none.
func tenantOf(r *http.Request) string {
	tenant, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, Path+"/"), "/")
	if webhook.CheckTenant(tenant) != nil {
		return ""
	}
	return tenant
}

func (p *Portal) write(w http.ResponseWriter, status int, page string, data any) {
	var b bytes.Buffer
	if err := p.pages[page].Execute(&b, data); err != nil {
		p.cfg.Logger.Error("portal page", slog.String("page", page), slog.Any("error", err))
		http.Error(w, "this page cannot be shown", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// show answers with a page, which the shell's script puts into its place. By itself it runs
// nothing.
func (p *Portal) show(v *visit, status int, page, title string, body any) error {
	v.view.Title, v.view.Body = title, body
	if v.r.Method == http.MethodPost {
		v.w.Header().Set("HX-Push-Url", "false") // the address stays that of a page
	}
	guard(v.w.Header(), alone)
	p.write(v.w, status, page, v.view)
	return nil
}

type problemPage struct {
	Text   string
	Fields []string
	Ended  bool // the link opens nothing any more
}

// fail shows what the API refused, or why the link opens nothing.
func (p *Portal) fail(v *visit, err error) {
	status, shown := http.StatusBadGateway, problemPage{Text: "This cannot be answered right now. Try again in a moment."}
	refused, isRefusal := errors.AsType[*client.Error](err)
	said, isWebhook := errors.AsType[*webhook.Error](err)
	switch {
	case isRefusal && refused.Code != "":
		status, shown.Text = refused.Status, refused.Detail
		for _, field := range refused.Errors {
			shown.Fields = append(shown.Fields, field.Field+" "+field.Message)
		}
	case isWebhook && said.Code == api.OutOfReach:
		status, shown.Text = http.StatusForbidden, said.Error()
	case isWebhook:
		status, shown.Text = http.StatusUnauthorized, said.Error()
	default:
		p.cfg.Logger.WarnContext(v.r.Context(), "portal", slog.Any("error", err))
	}
	title := "This did not work"
	if status == http.StatusUnauthorized || errors.Is(err, errOther) {
		title, shown.Ended = "This link opens nothing any more", true
	}
	_ = p.show(v, status, "problem", title, shown)
}

func (p *Portal) nothing(v *visit) error {
	return p.show(v, http.StatusNotFound, "problem", "Not found", problemPage{Text: "There is nothing at this address."})
}

// assets is the fingerprint of all static files.
var assets = func() string {
	h := sha256.New()
	for _, name := range append([]string{"portal.css", "portal.js"}, shared...) {
		b, _ := asset(name)
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}()

func asset(name string) ([]byte, error) {
	if slices.Contains(shared, name) {
		return console.Asset(name)
	}
	return files.ReadFile("static/" + name)
}

func static(w http.ResponseWriter, r *http.Request) {
	name := path.Base(r.PathValue("file"))
	content, err := asset(name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	if r.URL.Query().Get("v") == assets {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
}
