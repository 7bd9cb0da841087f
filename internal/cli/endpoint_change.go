package cli

import (
	"encoding/json"

	"github.com/spf13/cobra"

	"hookloop/api"
	"hookloop/client"
	"hookloop/internal/terminal"
)

func newEndpointCreate(o *options) *cobra.Command {
	var e endpointFlags
	var s secretFlags
	var key string
	c := &cobra.Command{
		Use:   "create",
		Short: "Create an endpoint",
		Long: `Create an endpoint, and show its secret. Hookloop draws one, unless you bring yours ("whsec_" and the
base64 of 24 to 64 bytes).

Without --type it takes every event of the tenant; --type "order.*" takes every type below order. What
Hookloop says of endpoints and deliveries goes only to those that name it, --type "endpoint.*".

Without --schedule an attempt that failed is made again after 5s, 5m, 30m, 2h, 5h, 10h, 14h, 20h and 24h.
An endpoint that has failed for --approval-after is held until a person decides; see 'hookloop approval
--help'.

An --application that is a source as well (see 'hookloop source --help') does not get its own changes
back, unless with --echo. With --echo-key and --echo-value what is sent to it is remembered for a day:
when it reports that value as its own news, that is not delivered.

An API that cannot be taught webhooks is sent what it wants instead: --request-method, --request-path
and --request-body.`,
		Example: `  hookloop endpoint create --url http://127.0.0.1:9000/
  hookloop endpoint create --url https://crm.example.com/hooks --type contact.updated --type contact.deleted \
      --header 'X-Team: sales' --metadata customer=4711 --schedule 0s,5s,5m,1h --rate-limit 10/s
  hookloop endpoint create --url https://crm.example.com/api/contacts --type contact.updated --application crm \
      --request-method PATCH --request-path '[.data.id]' --request-body '.data | {email}' \
      --echo-key .data.id --echo-value '.data | {email}'`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runEndpointCreate(c, o, e, s, key) },
	}
	e.register(c.Flags())
	s.register(c.Flags())
	c.Flags().StringVar(&key, "key", "", keyUsage)
	return c
}

// keyUsage says what --key of a command that makes something is for.
const keyUsage = "Idempotency-Key: the command can be repeated with the same flags, and makes one"

func runEndpointCreate(c *cobra.Command, o *options, e endpointFlags, s secretFlags, key string) error {
	if e.url == "" {
		return terminal.Usage("--url is required; see %s --help", c.CommandPath())
	}
	change, err := e.change(c.Flags())
	if err != nil {
		return err
	}
	secret, err := s.read(c)
	if err != nil {
		return err
	}
	endpoint, err := fromChange(change)
	if err != nil {
		return err
	}
	endpoint.Secret = secret
	g, err := o.connect(c)
	if err != nil {
		return err
	}
	return show(g, keyed(g.Endpoints.Create(endpoint), key), showCreated)
}

// fromChange is an endpoint that is made as a change of none: the fields of both are the same.
func fromChange(change api.EndpointChange) (e api.NewEndpoint, err error) {
	fields, err := json.Marshal(change)
	if err != nil {
		return e, err
	}
	return e, json.Unmarshal(fields, &e)
}

// keyed makes a call with an Idempotency-Key, if there is one.
func keyed[T any](call client.Call[T], key string) client.Call[T] {
	if key == "" {
		return call
	}
	return call.IdempotencyKey(key)
}

func newEndpointUpdate(o *options) *cobra.Command {
	var e endpointFlags
	c := &cobra.Command{
		Use:   "update ID",
		Short: "Change an endpoint",
		Long: `Change an endpoint. What no flag names stays; a header or an entry of the metadata is added to those
there are. --clear goes back to the default, or removes an entry. Deliveries under way keep their schedule,
but go to the new URL. A new secret comes from 'hookloop endpoint rotate'.`,
		Example: `  hookloop endpoint update ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --timeout 5s --header 'X-Team: sales' --rate-limit 10 --burst 20
  hookloop endpoint update ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --clear schedule --clear headers.X-Team
  hookloop endpoint update ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --approval-after 6h --clear approval.timeout
  hookloop endpoint update ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --clear request --clear echo`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			change, err := e.change(c.Flags())
			if err != nil {
				return err
			}
			if change == (api.EndpointChange{}) {
				return terminal.Usage("there is nothing to change; see %s --help", c.CommandPath())
			}
			g, err := o.connect(c)
			if err != nil {
				return err
			}
			return show(g, g.Endpoints.Update(args[0], change), showEndpoint)
		},
	}
	e.register(c.Flags())
	c.Flags().StringArrayVar(&e.clear, "clear", nil, "`field` to set back, repeatable: "+clearableOfEndpoint.String())
	return c
}
