package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hookloop/api"
	"hookloop/internal/terminal"
)

// completeWithin bounds how long a shell waits for ids.
const completeWithin = 2 * time.Second

// completed is how many ids a shell is offered.
const completed = 100

// completeIDs lets shells complete the ids that a group's commands take, and the values of flags
// that have a few.
func (o *options) completeIDs(group *cobra.Command) {
	for _, c := range group.Commands() {
		for _, name := range strings.Fields(c.Use)[1:] {
			if kind := kindOf(group, name); kind != "" && c.ValidArgsFunction == nil {
				c.ValidArgsFunction = o.completeArgs(group)
			}
		}
		if c.Flag("endpoint") != nil {
			_ = c.RegisterFlagCompletionFunc("endpoint", o.completeFlag("endpoint"))
		}
		if c.Flag("provider") != nil {
			_ = c.RegisterFlagCompletionFunc("provider", cobra.FixedCompletions(providerNames(), cobra.ShellCompDirectiveNoFileComp))
		}
		if values := valuesOf(group.Name(), c.Name()); c.Flag("status") != nil && values != nil {
			_ = c.RegisterFlagCompletionFunc("status", cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
		}
	}
}

// valuesOf are what --status takes.
func valuesOf(group, command string) (values []string) {
	switch {
	case group == "approval":
		for _, s := range []api.ApprovalStatus{
			api.ApprovalWatching, api.ApprovalAwaiting, api.ApprovalProbing, api.ApprovalReleasing,
			api.ApprovalReleased, api.ApprovalRecovered, api.ApprovalRejected, api.ApprovalCancelled,
		} {
			values = append(values, string(s))
		}
	case command == "undelivered":
		values = []string{string(api.DeliveryPending), string(api.DeliveryRetrying), string(api.DeliveryHeld)}
	case group == "event":
		for _, s := range []api.EventStatus{api.EventDelivering, api.EventDelivered, api.EventFailed, api.EventUnmatched} {
			values = append(values, string(s))
		}
	}
	return values
}

// kindOf says whose id an argument is that a usage line calls ID, EVENT or ENDPOINT; empty: of
// none.
func kindOf(group *cobra.Command, name string) string {
	name = strings.Trim(strings.TrimSuffix(name, "..."), "[]")
	switch name {
	case "EVENT", "ENDPOINT":
		return strings.ToLower(name)
	case "ID":
		return group.Name()
	}
	return ""
}

func (o *options) completeArgs(group *cobra.Command) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		takes := strings.Fields(c.Use)[1:]
		if len(args) >= len(takes) {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return o.ids(c, kindOf(group, takes[len(args)]), begun)
	}
}

func (o *options) completeFlag(kind string) cobra.CompletionFunc {
	return func(c *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		return o.ids(c, kind, begun)
	}
}

// ids asks the gateway. One that does not answer completes nothing.
func (o *options) ids(c *cobra.Command, kind, begun string) (all []string, _ cobra.ShellCompDirective) {
	g, err := o.connect(c)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx := c.Context()
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, cancel := context.WithTimeout(ctx, completeWithin)
	defer cancel()
	offer := func(id, about string) {
		if strings.HasPrefix(id, begun) {
			all = append(all, terminal.OneLine(id)+"\t"+terminal.OneLine(about))
		}
	}
	switch kind {
	case "endpoint":
		page, _ := g.Endpoints.List(api.EndpointQuery{PageQuery: api.PageQuery{Limit: completed}}).Page().Do(ctx)
		for _, e := range page.Data {
			offer(e.ID, strings.TrimSpace(e.Host+" "+e.Description))
		}
	case "event":
		page, _ := g.Events.List(api.EventQuery{PageQuery: api.PageQuery{Limit: completed}}).Page().Do(ctx)
		for _, e := range page.Data {
			offer(e.ID, e.Type+", "+string(e.Status))
		}
	case "source":
		page, _ := g.Sources.List(api.PageQuery{Limit: completed}).Page().Do(ctx)
		for _, s := range page.Data {
			offer(s.ID, strings.TrimSpace(string(s.Provider)+" "+s.Name))
		}
	}
	return all, cobra.ShellCompDirectiveNoFileComp
}
