package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/textproto"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"hookloop/internal/terminal"
)

// endpointFlags are the fields of an endpoint as flags. Only what was given is sent.
type endpointFlags struct {
	url         string
	types       []string
	description string
	headers     []string
	metadata    []string
	schedule    string
	timeout     time.Duration
	rate        rateFlags
	approval    approvalFlags
	echo        echoFlags
	request     requestShape
	clear       []string
}

func (e *endpointFlags) register(f *pflag.FlagSet) {
	f.StringVar(&e.url, "url", "", "where deliveries go")
	f.StringArrayVar(&e.types, "type", nil, "an event `type` it takes, repeatable, like order.paid or order.*; none: every type")
	f.StringVar(&e.description, "description", "", "for people")
	f.StringArrayVar(&e.headers, "header", nil, "`'Name: value'` sent with every attempt, repeatable")
	f.StringArrayVar(&e.metadata, "metadata", nil, "`key=value` of your own, never sent, repeatable")
	f.StringVar(&e.schedule, "schedule", "", "the wait before each attempt, like `0s,5s,5m`")
	f.DurationVar(&e.timeout, "timeout", 15*time.Second, "of one attempt, 1s to 30s")
	e.rate.register(f)
	e.approval.register(f)
	e.echo.register(f)
	e.request.register(f)
}

// fields is the body of the request: what the flags changed, and null for what --clear names.
func (e *endpointFlags) fields(flags *pflag.FlagSet) (map[string]any, error) {
	all := map[string]any{}
	if flags.Changed("url") {
		all["url"] = e.url
	}
	if flags.Changed("type") {
		all["event_types"] = e.types
	}
	if flags.Changed("description") {
		all["description"] = e.description
	}
	if flags.Changed("timeout") {
		all["timeout"] = e.timeout.String()
	}
	if flags.Changed("schedule") {
		waits, err := parseSchedule(e.schedule)
		if err != nil {
			return nil, err
		}
		all["schedule"] = waits
	}
	if err := e.rate.field(flags, all); err != nil {
		return nil, err
	}
	e.approval.field(flags, all)
	e.request.field(flags, all)
	if err := e.echo.field(flags, all); err != nil {
		return nil, err
	}
	if err := e.pairs(all); err != nil {
		return nil, err
	}
	return all, e.cleared(all)
}

func (e *endpointFlags) pairs(all map[string]any) error {
	headers, err := parsePairs("header", ":", e.headers)
	if err != nil {
		return err
	}
	metadata, err := parsePairs("metadata", "=", e.metadata)
	if err != nil {
		return err
	}
	for name, pairs := range map[string]map[string]any{"headers": headers, "metadata": metadata} {
		if len(pairs) > 0 {
			all[name] = pairs
		}
	}
	return nil
}

func parsePairs(flag, between string, given []string) (map[string]any, error) {
	pairs := map[string]any{}
	for _, s := range given {
		key, value, ok := strings.Cut(s, between)
		if key = strings.TrimSpace(key); !ok || key == "" {
			return nil, terminal.Usage("--%s %q lacks the %q between name and value", flag, s, between)
		}
		if between == ":" {
			value = textproto.TrimString(value)
		}
		pairs[key] = value
	}
	return pairs, nil
}

func parseSchedule(s string) ([]string, error) {
	var waits []string
	for part := range strings.SplitSeq(s, ",") {
		d, err := time.ParseDuration(strings.TrimSpace(part))
		if err != nil {
			return nil, terminal.Usage("--schedule must be durations separated by commas, like 0s,5s,5m; %q is none", part)
		}
		waits = append(waits, d.String())
	}
	return waits, nil
}

func newEndpointCreate(o *clientOptions) *cobra.Command {
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
when it reports that value as its own news, that goes to nobody.

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

func runEndpointCreate(c *cobra.Command, o *clientOptions, e endpointFlags, s secretFlags, key string) error {
	if e.url == "" {
		return terminal.Usage("--url is required; see %s --help", c.CommandPath())
	}
	fields, err := e.fields(c.Flags())
	if err != nil {
		return err
	}
	secret, err := s.read(c)
	if err != nil {
		return err
	}
	if secret != "" {
		fields["secret"] = secret
	}
	body, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	return o.run(c, apiRequest{method: http.MethodPost, path: "/endpoints", body: body, idempotencyKey: key}, as(showCreated))
}

func newEndpointUpdate(o *clientOptions) *cobra.Command {
	var e endpointFlags
	c := &cobra.Command{
		Use:   "update ID",
		Short: "Change an endpoint",
		Long: `Change an endpoint. What no flag names stays; a header or an entry of the metadata is added to those
there are. --clear goes back to the default, or removes an entry. The three --request-… flags are one
setting: those not given go back to their default, if one is. Deliveries under way keep their schedule,
but go to the new URL. A new secret comes from 'hookloop endpoint rotate'.`,
		Example: `  hookloop endpoint update ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --timeout 5s --header 'X-Team: sales' --rate-limit 10 --burst 20
  hookloop endpoint update ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --clear schedule --clear headers.X-Team
  hookloop endpoint update ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --approval-after 6h --clear approval.timeout
  hookloop endpoint update ep_01jzc8k0a2n4p6r8s0t2v4w6x8 --clear request --clear echo`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			fields, err := e.fields(c.Flags())
			if err != nil {
				return err
			}
			if len(fields) == 0 {
				return terminal.Usage("there is nothing to change; see %s --help", c.CommandPath())
			}
			body, err := json.Marshal(fields)
			if err != nil {
				return err
			}
			return o.run(c, apiRequest{method: http.MethodPatch, path: endpointPath(args[0]), body: body}, as(showEndpoint))
		},
	}
	e.register(c.Flags())
	c.Flags().StringArrayVar(&e.clear, "clear", nil, fmt.Sprintf("`field` to set back, repeatable: %s", clearableNames))
	return c
}
