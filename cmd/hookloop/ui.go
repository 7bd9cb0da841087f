package main

import (
	"log"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hookloop/internal/ownhost"
	"hookloop/internal/terminal"
	"hookloop/internal/uifront"
	"hookloop/workflows"
)

// uiOptions are the flags of `hookloop ui`.
type uiOptions struct {
	listen, upstream, panel, namespace string
	origins                            []string
}

func newUI() *cobra.Command {
	var o uiOptions
	c := &cobra.Command{
		Use:   "ui",
		Short: "Stand in front of a Temporal UI, with Hookloop's panel and columns",
		Long: `Serve a Temporal UI that runs elsewhere, 2.55 or newer, as 'hookloop dev' serves its own: with Hookloop's columns
in the list of workflows and, over plain HTTP, Hookloop's panel on their pages. The UI's own configuration must have the
panel as an extension; docker-compose.yml has both. Over HTTPS the UI shows the panel by itself.

Like the UI, it does not ask who a browser belongs to. It answers to this machine's names and to --origin alone.`,
		Example: `  hookloop ui --upstream http://127.0.0.1:8080 --namespace hookloop --panel http://localhost:8081/console/panel`,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			quiet := log.New(c.ErrOrStderr(), "", log.LstdFlags)
			h, err := o.handler(quiet)
			if err != nil {
				return err
			}
			l, err := listenOn(c.Context(), "ui", "--listen", o.listen)
			if err != nil {
				return err
			}
			return serveHTTP(c.Context(), &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ErrorLog: quiet}, l)
		},
	}
	f := c.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:8233", "host:port to serve at")
	f.StringVar(&o.upstream, "upstream", "", "where the Temporal UI is, like http://temporal-ui:8080")
	f.StringVar(&o.panel, "panel", "", "where browsers find the panel: the gateway's address and /console/panel")
	f.StringVar(&o.namespace, "namespace", "default", "Temporal's namespace")
	f.StringSliceVar(&o.origins, "origin", nil, "where browsers find this, if not under this machine's name, like https://temporal.example.com")
	return c
}

// handler is the front, for browsers that name it as they may.
func (o uiOptions) handler(quiet *log.Logger) (http.Handler, error) {
	upstream, err := absolute("upstream", o.upstream)
	if err != nil {
		return nil, err
	}
	front := uifront.Config{UI: upstream, Namespace: o.namespace, Columns: workflows.SearchAttributes(), ErrorLog: quiet}
	if o.panel != "" {
		panel, err := absolute("panel", o.panel)
		if err != nil {
			return nil, err
		}
		if panel.Scheme == "http" { // over HTTPS the UI and the panel speak with one another
			front.Panel = panel.String()
		}
	}
	var hosts []string
	for _, origin := range o.origins {
		u, err := absolute("origin", origin)
		if err != nil {
			return nil, err
		}
		hosts = append(hosts, u.Host)
	}
	return ownhost.Only(uifront.New(front), func(r *http.Request) bool { return slices.Contains(hosts, r.Host) }), nil
}

func absolute(flag, text string) (*url.URL, error) {
	if text == "" {
		return nil, terminal.Usage("--%s is required; see hookloop ui --help", flag)
	}
	u, err := url.Parse(strings.TrimRight(text, "/"))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, terminal.Usage("--%s must be a URL like http://localhost:8080, not %q", flag, text)
	}
	return u, nil
}
