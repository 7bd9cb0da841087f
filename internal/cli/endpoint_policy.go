package cli

import (
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"hookloop/api"
	"hookloop/internal/terminal"
	"hookloop/internal/webhook"
)

// approvalFlags are when people are asked about an endpoint, and how long they have, as flags.
type approvalFlags struct {
	after, timeout time.Duration
	named          bool
}

func (a *approvalFlags) register(f *pflag.FlagSet) {
	f.DurationVar(&a.after, "approval-after", webhook.DefaultApprovalAfter, "how long it may fail before it is held and a person decides")
	f.DurationVar(&a.timeout, "approval-timeout", webhook.DefaultApprovalTimeout, "how long people have to decide; then it is rejected")
	f.BoolVar(&a.named, "approval-named", false, "refuse a decision that does not say whose it is")
}

func (a *approvalFlags) change(flags *pflag.FlagSet) (change api.ApprovalChange) {
	put(flags, "approval-after", &change.After, api.Duration(a.after))
	put(flags, "approval-timeout", &change.Timeout, api.Duration(a.timeout))
	put(flags, "approval-named", &change.Named, a.named)
	return change
}

func describePolicy(a api.ApprovalPolicy) string {
	policy := "asked for after failing for " + a.After.String() + ", rejected after " + a.Timeout.String() + " without an answer"
	if a.Named {
		policy += ", by people who say who they are"
	}
	return policy
}

// rateFlags are an endpoint's rate limit as flags.
type rateFlags struct {
	limit string
	burst int
}

func (r *rateFlags) register(f *pflag.FlagSet) {
	f.StringVar(&r.limit, "rate-limit", "", "attempts at most, like `10/s`, 90/m or 500/h")
	f.IntVar(&r.burst, "burst", 0, "attempts that may go at once after a silence; one second's worth, if not given")
}

// put puts into the change what the flags changed.
func (r *rateFlags) put(flags *pflag.FlagSet, to *api.EndpointChange) error {
	var limit api.RateLimitChange
	if flags.Changed("rate-limit") {
		perSecond, err := parseRate(r.limit)
		if err != nil {
			return err
		}
		limit.PerSecond = api.To(perSecond)
	}
	put(flags, "burst", &limit.Burst, r.burst)
	if limit != (api.RateLimitChange{}) {
		to.RateLimit = api.To(limit)
	}
	return nil
}

// parseRate reads "10/s", or "10" for short, as a number a second.
func parseRate(s string) (float64, error) {
	number, unit, hasUnit := strings.Cut(s, "/")
	seconds, known := map[string]float64{"s": 1, "m": 60, "h": 3600}[unit]
	if !hasUnit {
		seconds, known = 1, true
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || !known || math.IsNaN(n) || math.IsInf(n, 0) || n <= 0 {
		return 0, terminal.Usage("--rate-limit must be a number of attempts a second, minute or hour, like 10/s, 90/m or 500/h; %q is none", s)
	}
	return n / seconds, nil
}

func describeRate(r api.RateLimit) string {
	return strconv.FormatFloat(r.PerSecond, 'g', 4, 64) + "/s, " + strconv.Itoa(r.Burst) + " at once"
}

// registerEcho adds the two jq expressions by which an echo is recognised.
func registerEcho(p *api.EchoPaths, f *pflag.FlagSet, over string) {
	f.StringVar(&p.Key, "echo-key", "", "`jq` over "+over+": which object it is about")
	f.StringVar(&p.Value, "echo-value", "", "`jq` over "+over+": the value that object has")
}

// echoGiven says whether they were given; the gateway takes both or neither.
func echoGiven(flags *pflag.FlagSet) (bool, error) {
	key, value := flags.Changed("echo-key"), flags.Changed("echo-value")
	if key != value {
		return false, terminal.Usage("--echo-key and --echo-value go together")
	}
	return key, nil
}

func echoRows(w io.Writer, p api.EchoPaths) {
	terminal.Row(w, "echo", "key "+p.Key)
	terminal.Row(w, "echo", "value "+p.Value)
}

// echoFlags say which application is behind an endpoint, and what of its own comes back to it.
type echoFlags struct {
	application string
	back        bool
	paths       api.EchoPaths
}

func (e *echoFlags) register(f *pflag.FlagSet) {
	f.StringVar(&e.application, "application", "", "the `name` of the application behind it: what sources of the same send is not delivered here")
	f.BoolVar(&e.back, "echo", false, "also what came from its own application")
	registerEcho(&e.paths, f, "the envelope")
}

// put puts into the change what the flags changed.
func (e *echoFlags) put(flags *pflag.FlagSet, to *api.EndpointChange) error {
	put(flags, "application", &to.Application, e.application)
	paths, err := echoGiven(flags)
	if err != nil {
		return err
	}
	switch back := flags.Changed("echo"); {
	case paths && back:
		return terminal.Usage("give --echo or --echo-key with --echo-value, not both")
	case paths:
		to.Echo = api.To(api.Echo{Paths: e.paths})
	case back:
		to.Echo = api.To(api.Echo{Back: e.back})
	}
	return nil
}

// registerRequest adds what an endpoint gets instead of the envelope.
func registerRequest(r *api.RequestShape, f *pflag.FlagSet) {
	f.StringVar(&r.Method, "request-method", "", "POST, PUT, PATCH or DELETE; POST, if not given")
	f.StringVar(&r.Path, "request-path", "", "`jq` over the envelope: a list of segments to add to the URL's path")
	f.StringVar(&r.Body, "request-body", "", "`jq` over the envelope: the JSON to send in its place")
}

// putRequest puts into the change what the flags changed.
func putRequest(r api.RequestShape, flags *pflag.FlagSet, to *api.EndpointChange) {
	var change api.RequestChange
	put(flags, "request-method", &change.Method, r.Method)
	put(flags, "request-path", &change.Path, r.Path)
	put(flags, "request-body", &change.Body, r.Body)
	if change != (api.RequestChange{}) {
		to.Request = api.To(change)
	}
}

func requestRows(w io.Writer, r api.RequestShape) {
	for _, part := range [][2]string{{"method", r.Method}, {"path", r.Path}, {"body", r.Body}} {
		if part[1] != "" {
			terminal.Row(w, "request", part[0]+" "+part[1])
		}
	}
}
