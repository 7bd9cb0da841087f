package cli

import (
	"net/textproto"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"hookloop/api"
	"hookloop/internal/terminal"
)

// endpointFlags are the fields of an endpoint as flags. Only what was given is sent.
type endpointFlags struct {
	url         string
	types       []string
	description string
	owner       string
	headers     []string
	metadata    []string
	schedule    string
	timeout     time.Duration
	rate        rateFlags
	approval    approvalFlags
	echo        echoFlags
	request     api.RequestShape
	clear       []string
}

func (e *endpointFlags) register(f *pflag.FlagSet) {
	f.StringVar(&e.url, "url", "", "where deliveries go")
	f.StringArrayVar(&e.types, "type", nil, "an event `type` it takes, repeatable, like order.paid or order.*; none: every type")
	f.StringVar(&e.description, "description", "", "for people")
	f.StringVar(&e.owner, "owner", "", "whose endpoint it is: the `id` of a customer in your app")
	f.StringArrayVar(&e.headers, "header", nil, "`'Name: value'` sent with every attempt, repeatable")
	f.StringArrayVar(&e.metadata, "metadata", nil, "`key=value` of your own, never sent, repeatable")
	f.StringVar(&e.schedule, "schedule", "", "the wait before each attempt, like `0s,5s,5m`")
	f.DurationVar(&e.timeout, "timeout", 15*time.Second, "of one attempt, 1s to 30s")
	e.rate.register(f)
	e.approval.register(f)
	e.echo.register(f)
	registerRequest(&e.request, f)
}

// change is what the flags changed, and what --clear names.
func (e *endpointFlags) change(flags *pflag.FlagSet) (c api.EndpointChange, err error) {
	put(flags, "url", &c.URL, e.url)
	put(flags, "type", &c.EventTypes, e.types)
	put(flags, "description", &c.Description, e.description)
	put(flags, "owner", &c.Owner, e.owner)
	put(flags, "timeout", &c.Timeout, api.Duration(e.timeout))
	if flags.Changed("schedule") {
		waits, err := parseSchedule(e.schedule)
		if err != nil {
			return c, err
		}
		c.Schedule = api.To(waits)
	}
	if err := e.rate.put(flags, &c); err != nil {
		return c, err
	}
	if err := e.echo.put(flags, &c); err != nil {
		return c, err
	}
	putRequest(e.request, flags, &c)
	if err := e.putEntries(flags, &c); err != nil {
		return c, err
	}
	return c, e.clearFields(&c)
}

// put puts into a change what a flag gave.
func put[T any](flags *pflag.FlagSet, flag string, to *api.Patch[T], value T) {
	if flags.Changed(flag) {
		*to = api.To(value)
	}
}

// putEntries puts into the change what is set, or cleared, entry by entry.
func (e *endpointFlags) putEntries(flags *pflag.FlagSet, c *api.EndpointChange) error {
	headers, err := parsePairs("header", ":", e.headers)
	if err != nil {
		return err
	}
	metadata, err := parsePairs("metadata", "=", e.metadata)
	if err != nil {
		return err
	}
	approval := e.approval.change(flags)
	for _, name := range e.clear {
		if field, key, isEntry := strings.Cut(name, "."); isEntry {
			if err := clearEntry(field, key, headers, metadata, &approval); err != nil {
				return err
			}
		}
	}
	if len(headers) > 0 {
		c.Headers = api.To(headers)
	}
	if len(metadata) > 0 {
		c.Metadata = api.To(metadata)
	}
	if approval != (api.ApprovalChange{}) {
		c.Approval = api.To(approval)
	}
	return nil
}

func parsePairs(flag, between string, given []string) (map[string]*string, error) {
	pairs := map[string]*string{}
	for _, s := range given {
		key, value, ok := strings.Cut(s, between)
		if key = strings.TrimSpace(key); !ok || key == "" {
			return nil, terminal.Usage("--%s %q lacks the %q between name and value", flag, s, between)
		}
		if between == ":" {
			value = textproto.TrimString(value)
		}
		pairs[key] = &value
	}
	return pairs, nil
}

func parseSchedule(s string) ([]api.Duration, error) {
	var waits []api.Duration
	for part := range strings.SplitSeq(s, ",") {
		d, err := time.ParseDuration(strings.TrimSpace(part))
		if err != nil {
			return nil, terminal.Usage("--schedule must be durations separated by commas, like 0s,5s,5m; %q is none", part)
		}
		waits = append(waits, api.Duration(d))
	}
	return waits, nil
}
