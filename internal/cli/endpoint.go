package cli

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"hookloop/internal/terminal"
)

func newEndpoint(version string) *cobra.Command {
	o := clientOptions{version: version}
	c := newGroup("endpoint", "Manage endpoints: who gets which events, signed how",
		`Manage endpoints: who gets which events, signed how.

An endpoint is a consumer's URL with a secret that signs what is sent there (Standard Webhooks).`, &o,
		newEndpointCreate(&o), newEndpointList(&o), newEndpointGet(&o), newEndpointUpdate(&o), newEndpointDelete(&o),
		newEndpointSecret(&o), newEndpointRotate(&o), newEndpointTest(&o), newEndpointRecover(&o),
		newEndpointPause(&o), newEndpointResume(&o))
	c.Example = `  hookloop endpoint create --url http://127.0.0.1:9000/ --type contact.updated
  hookloop endpoint list
  hookloop endpoint test ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --wait
  hookloop endpoint recover ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --since 24h`
	return c
}

func endpointPath(id string) string { return "/endpoints/" + url.PathEscape(id) }

func newEndpointList(o *clientOptions) *cobra.Command {
	var p pageOptions
	c := &cobra.Command{
		Use:     "list",
		Short:   "List endpoints, the oldest first",
		Long:    `List the tenant's endpoints, the oldest first.`,
		Example: `  hookloop endpoint list --all --json`,
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return runEndpointList(c, o, p) },
	}
	p.register(c.Flags())
	return c
}

func runEndpointList(c *cobra.Command, o *clientOptions, p pageOptions) error {
	if err := p.check(); err != nil {
		return err
	}
	get := func(ctx context.Context, gateway *gatewayClient) ([]byte, error) {
		return gateway.list(ctx, "/endpoints", url.Values{}, p)
	}
	return o.ask(c, get, as(func(w io.Writer, page listOf[endpointView]) error {
		t := terminal.Columns(w)
		terminal.Row(t, "ID", "STATE", "URL", "EVENT TYPES")
		for _, e := range page.Data {
			terminal.Row(t, e.ID, e.State, e.URL, e.types())
		}
		if err := t.Flush(); err != nil {
			return err
		}
		moreHint(c.ErrOrStderr(), c.CommandPath(), page.next())
		return nil
	}))
}

func newEndpointGet(o *clientOptions) *cobra.Command {
	return &cobra.Command{
		Use:   "get ID",
		Short: "Show an endpoint",
		Long: `Show an endpoint, without its secret. Schedule, time-out and approval are those that hold, defaults
included. The breaker is that of the worker beside the gateway; each worker has its own.`,
		Example: `  hookloop endpoint get ep_01jzc8k0a2n4p6r8s0t2v4w6x8`,
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return o.run(c, apiRequest{method: http.MethodGet, path: endpointPath(args[0])}, as(showEndpoint))
		},
	}
}

func newEndpointDelete(o *clientOptions) *cobra.Command {
	return &cobra.Command{
		Use:     "delete ID",
		Short:   "Delete an endpoint",
		Long:    `Delete an endpoint and its secret. Its deliveries under way end as cancelled.`,
		Example: `  hookloop endpoint delete ep_01jzc8k0a2n4p6r8s0t2v4w6x8`,
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			get := func(ctx context.Context, gateway *gatewayClient) ([]byte, error) {
				_, err := gateway.call(ctx, apiRequest{method: http.MethodDelete, path: endpointPath(args[0])})
				return []byte(`{"id":` + string(quoteJSON(args[0])) + `,"deleted":true}`), err
			}
			return o.ask(c, get, func(w io.Writer, _ []byte) error {
				_, err := io.WriteString(w, "deleted "+terminal.OneLine(args[0])+"\n")
				return err
			})
		},
	}
}

func newEndpointTest(o *clientOptions) *cobra.Command {
	var wait waitOptions
	c := &cobra.Command{
		Use:   "test ID",
		Short: "Send a test event to one endpoint",
		Long: `Send an event of type hookloop.test to one endpoint, whatever types it takes: signed and retried like
any other.`,
		Example: `  hookloop endpoint test ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --wait`,
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := wait.check(c); err != nil {
				return err
			}
			return accept(c, o, apiRequest{method: http.MethodPost, path: endpointPath(args[0]) + "/test"}, wait)
		},
	}
	wait.register(c.Flags())
	return c
}

// endpointView is what the gateway tells of an endpoint.
type endpointView struct {
	ID          string            `json:"id"`
	URL         string            `json:"url"`
	State       string            `json:"state"`
	StateReason string            `json:"state_reason"`
	EventTypes  []string          `json:"event_types"`
	Description string            `json:"description"`
	Headers     map[string]string `json:"headers"`
	Metadata    map[string]string `json:"metadata"`
	Schedule    []string          `json:"schedule"`
	Timeout     string            `json:"timeout"`
	RateLimit   *rateView         `json:"rate_limit"` // nil: none
	Approval    *approvalPolicy   `json:"approval"`   // nil: not known
	Application string            `json:"application"`
	Echo        *echoView         `json:"echo"`    // nil: neither
	Request     *requestShape     `json:"request"` // nil: the envelope
	Breaker     string            `json:"breaker"` // empty: not known
	Secret      string            `json:"secret"`
}

func (e endpointView) types() string {
	if len(e.EventTypes) == 0 {
		return "all"
	}
	return strings.Join(e.EventTypes, ", ")
}
