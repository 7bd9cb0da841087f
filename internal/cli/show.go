package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"hookloop/api"
	"hookloop/client"
	"hookloop/internal/terminal"
)

// with is what a command does that needs nothing but the gateway and its arguments.
func (o *options) with(run func(g *gateway, args []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		g, err := o.connect(c)
		if err != nil {
			return err
		}
		return run(g, args)
	}
}

// show makes one call and shows its answer: with --json as it came, else by display.
func show[T any](g *gateway, call client.Call[T], display func(io.Writer, T) error) error {
	answer, err := call.JSON(g.command.Context())
	if err != nil {
		return err
	}
	return showAnswer(g, answer, display)
}

func showAnswer[T any](g *gateway, answer json.RawMessage, display func(io.Writer, T) error) error {
	w := g.command.OutOrStdout()
	if g.asJSON {
		return terminal.RawJSON(w, answer)
	}
	var v T
	if err := client.Decode(answer, &v); err != nil {
		return err
	}
	return display(w, v)
}

// done makes a call that has no answer, and says what it did.
func done(g *gateway, call client.Call[client.None], id, what string) error {
	if _, err := call.Do(g.command.Context()); err != nil {
		return err
	}
	w := g.command.OutOrStdout()
	if g.asJSON {
		return terminal.JSON(w, map[string]any{"id": id, what: true})
	}
	return terminal.Say(w, "%s %s\n", what, id)
}

// pageFlags say how much of a list is shown.
type pageFlags struct {
	limit  int
	cursor string
	all    bool
	most   int // that the gateway gives at once
}

func (p *pageFlags) register(f *pflag.FlagSet) {
	f.IntVar(&p.limit, "limit", 50, "how many at most")
	f.StringVar(&p.cursor, "cursor", "", "go on where a list ended")
	f.BoolVar(&p.all, "all", false, "the whole list, however long")
}

func (p *pageFlags) check(*cobra.Command, []string) error {
	if p.limit < 1 || p.limit > p.most {
		return terminal.Usage("--limit must lie between 1 and %d; --all gives everything", p.most)
	}
	return nil
}

func (p *pageFlags) query() api.PageQuery {
	if p.all {
		return api.PageQuery{Limit: p.most, Cursor: p.cursor}
	}
	return api.PageQuery{Limit: p.limit, Cursor: p.cursor}
}

// showList shows a page of a list, or with all the whole list: with --json as it came, else by
// display.
func showList[T any](g *gateway, list client.List[T], all bool, display func(io.Writer, []T) error) error {
	ctx, w := g.command.Context(), g.command.OutOrStdout()
	if g.asJSON {
		answer, err := listJSON(ctx, list, all)
		if err != nil {
			return err
		}
		return terminal.RawJSON(w, answer)
	}
	page, err := read(ctx, list, all)
	if err != nil {
		return err
	}
	if err := display(w, page.Data); err != nil {
		return err
	}
	if next := page.Next(); next != "" { // it does not stand among the lines of the list
		fmt.Fprintf(g.command.ErrOrStderr(), "There is more: %s --cursor %s, or --all\n", g.command.CommandPath(), terminal.OneLine(next))
	}
	return nil
}

// listing makes c the command that shows a list: a page of it, or all.
func listing[T any](
	o *options, c *cobra.Command, list func(g *gateway, args []string, page api.PageQuery) client.List[T], display func(io.Writer, []T) error,
) *cobra.Command {
	return listingOf(o, c, client.MaxPage, list, display)
}

// listingOf is a listing of things of which the gateway gives no more than most at once.
func listingOf[T any](
	o *options, c *cobra.Command, most int, list func(g *gateway, args []string, page api.PageQuery) client.List[T], display func(io.Writer, []T) error,
) *cobra.Command {
	p := pageFlags{most: most}
	p.register(c.Flags())
	c.PreRunE = p.check
	c.RunE = o.with(func(g *gateway, args []string) error {
		return showList(g, list(g, args, p.query()), p.all, display)
	})
	return c
}

// read gives the first page of a list, or with all the whole list as one.
func read[T any](ctx context.Context, list client.List[T], all bool) (whole client.Page[T], err error) {
	whole.Data = []T{}
	for page, err := range list.Pages(ctx) {
		if err != nil {
			return whole, err
		}
		whole.Data, whole.NextCursor = append(whole.Data, page.Data...), page.NextCursor
		whole.Encrypted = whole.Encrypted || page.Encrypted
		if !all {
			break
		}
	}
	return whole, nil
}

// listJSON is read for programs: nothing is lost that this version of hookloop does not know.
func listJSON[T any](ctx context.Context, list client.List[T], all bool) (json.RawMessage, error) {
	if !all {
		return list.Page().JSON(ctx)
	}
	whole, err := read(ctx, list.Raw(), true)
	if err != nil {
		return nil, err
	}
	return json.Marshal(whole)
}
