// Package apidocs is the OpenAPI document as a page to read and to try calls on: Swagger UI, from
// files in the binary. The gateway serves it at /docs. The files in static are those of
// swagger-ui-dist 5.35.0 from npm, without their source maps, made small by gzip -9n.
package apidocs

import (
	"crypto/rand"
	"embed"
	"html/template"
	"net/http"
	"path"
)

// Path is where the gateway serves the page.
const Path = "/docs"

//go:embed static/*.gz
var files embed.FS

// page starts Swagger UI. It keeps no token: who reloads the page enters it again.
var page = template.Must(template.New("docs").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Hookloop's HTTP API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<main id="api"><noscript>This page needs JavaScript; <a href="/openapi.json">openapi.json</a> says the same.</noscript></main>
<script nonce="{{.}}" src="/docs/swagger-ui-bundle.js"></script>
<script nonce="{{.}}">SwaggerUIBundle({url: "/openapi.json", dom_id: "#api", deepLinking: true, docExpansion: "list", tryItOutEnabled: true, validatorUrl: null})</script>
</body>
</html>
`))

// Handler answers below Path. Nothing is asked of another host.
func Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+Path, show)
	mux.HandleFunc("GET "+Path+"/{file}", file)
	return mux
}

func show(w http.ResponseWriter, _ *http.Request) {
	nonce := rand.Text()
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	// Swagger UI styles its elements one by one, so styles cannot be held to a nonce.
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'nonce-"+nonce+"'; style-src 'self' 'unsafe-inline'; "+
		"img-src 'self' data:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	_ = page.Execute(w, nonce)
}

// file gives one of Swagger UI's. Every browser that runs it takes gzip.
func file(w http.ResponseWriter, r *http.Request) {
	types := map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
	name := path.Base(r.PathValue("file"))
	content, err := files.ReadFile("static/" + name + ".gz")
	if err != nil {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", types[path.Ext(name)])
	h.Set("Content-Encoding", "gzip")
	h.Set("Cache-Control", "public, max-age=3600")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(content)
}
