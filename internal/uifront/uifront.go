// Package uifront stands in front of a Temporal UI and passes everything through but its index
// page: there it adds a script with what the UI has no setting for, Hookloop's columns and, over
// plain HTTP, Hookloop's panel. `hookloop dev` puts it before the UI it embeds, `hookloop ui`
// before one elsewhere; who may ask, they decide.
package uifront

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
)

// The UI keeps which columns its list of workflows shows in the browser, and has no setting for the
// first visit. Ours begins with the search attributes, for they are what operators look for: a
// script of one line in the index page writes them into an empty store. A person who chooses other
// columns keeps them.

// columnsKey is where the UI keeps its columns, by namespace; TestUIShowsSearchAttributes holds it.
const columnsKey = "namespace-workflow-table-columns"

// policy is where the index page allows scripts; ours is added by its hash.
const policy = `content="script-src `

// maxPage bounds the index page, in bytes. It has a few KiB.
const maxPage = 4 << 20

type uiColumn struct {
	Label string `json:"label"`
}

// columnScript fills the store of a browser that has none for this namespace.
func columnScript(namespace string, attributes []string) string {
	columns := []uiColumn{{"Status"}}
	for _, name := range attributes {
		columns = append(columns, uiColumn{name})
	}
	columns = append(columns, uiColumn{"Type"}, uiColumn{"Workflow ID"}, uiColumn{"Start"}, uiColumn{"End"})
	choice, _ := json.Marshal(columns) // strings always marshal
	name, _ := json.Marshal(namespace) // likewise
	key, _ := json.Marshal(columnsKey) // likewise
	return fmt.Sprintf(`{const k=%s,n=%s,s=JSON.parse(localStorage.getItem(k)||"{}");`+
		`if(!s[n]){s[n]=%s;localStorage.setItem(k,JSON.stringify(s))}}`, key, name, choice)
}

// withScript adds the script to an index page, and its hash to the page's policy. A page without
// one it leaves alone: the UI then works, with its own columns.
func withScript(page []byte, script string) []byte {
	if !bytes.Contains(page, []byte(policy)) {
		return page
	}
	sum := sha256.Sum256([]byte(script))
	hash := "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "' "
	page = bytes.Replace(page, []byte(policy), []byte(policy+hash), 1)
	return bytes.Replace(page, []byte("<body>"), []byte("<body><script>"+script+"</script>"), 1)
}

// methodOverrides make another method of a POST. The UI's gateway to gRPC heeds the first
// (CVE-2026-37236), and nothing that the UI asks for needs one.
var methodOverrides = []string{"X-Http-Method-Override", "X-Http-Method", "X-Method-Override"}

// hashed says whether a path names a file whose content is in its name: the UI's scripts and
// styles, some megabytes (https://svelte.dev/docs/kit/configuration#appDir).
func hashed(path string) bool { return strings.Contains(path, "/_app/immutable/") }

// keep lets a browser keep such a file. The UI itself says nothing of that, and gives a cookie with
// each, so every page would load all of them anew.
func keep(r *http.Response) {
	if r.StatusCode != http.StatusOK || !hashed(r.Request.URL.Path) {
		return
	}
	r.Header.Del("Set-Cookie")
	r.Header.Set("Vary", "Accept-Encoding")
	r.Header.Set("Cache-Control", "public, max-age=31536000, immutable") // a year, the most that is heeded
}

// Config is what a front is made of. UI is required.
type Config struct {
	UI        *url.URL    // where the UI is
	Namespace string      // whose list of workflows shows Columns
	Columns   []string    // search attributes, shown first
	Panel     string      // the URL of the console's panel, to be shown over plain HTTP; empty: none is
	ErrorLog  *log.Logger // of browsers and UIs that went away; nil: the standard one
}

// New makes a front.
func New(c Config) http.Handler {
	say := log.Printf
	if c.ErrorLog != nil {
		say = c.ErrorLog.Printf
	}
	script := columnScript(c.Namespace, c.Columns) + panelScript(c.Panel)
	return &httputil.ReverseProxy{
		ErrorLog: c.ErrorLog,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			if r.Context().Err() == nil { // else the browser has gone, as it does at each new page
				say("the Temporal UI: %v", err)
			}
			w.WriteHeader(http.StatusBadGateway)
		},
		FlushInterval: -1, // as it comes
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(c.UI)
			r.Out.Host = r.In.Host // the UI compares it with the origin
			if !hashed(r.In.URL.Path) {
				r.Out.Header.Del("Accept-Encoding") // a zipped page could not be edited
			}
			for _, name := range methodOverrides {
				r.Out.Header.Del(name)
			}
		},
		ModifyResponse: func(r *http.Response) error {
			if !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") {
				keep(r)
				return nil
			}
			page, err := io.ReadAll(io.LimitReader(r.Body, maxPage))
			if err != nil {
				return err
			}
			_ = r.Body.Close()
			page = withScript(page, script)
			r.Body = io.NopCloser(bytes.NewReader(page))
			r.Header.Set("Content-Length", strconv.Itoa(len(page)))
			return nil
		},
	}
}
