package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strconv"

	"github.com/spf13/pflag"

	"hookloop/internal/terminal"
)

// largestPage is the most the gateway gives at once.
const largestPage = 250

// pageOptions are the flags of a command that lists.
type pageOptions struct {
	limit  int // 0: the list has pages of its own
	cursor string
	all    bool
}

func (p *pageOptions) register(f *pflag.FlagSet) {
	f.IntVar(&p.limit, "limit", 50, "how many at most")
	f.StringVar(&p.cursor, "cursor", "", "go on where a list ended")
	f.BoolVar(&p.all, "all", false, "the whole list, however long")
}

func (p *pageOptions) check() error {
	if p.limit < 1 || p.limit > largestPage {
		return terminal.Usage("--limit must lie between 1 and %d; --all gives everything", largestPage)
	}
	return nil
}

// listOf is what every list of the API answers.
type listOf[T any] struct {
	Data       []T     `json:"data"`
	NextCursor *string `json:"next_cursor"` // nil: that was all

	Encrypted bool `json:"encrypted,omitempty"` // of an audit: some of it did not open
}

func (l listOf[T]) next() string {
	if l.NextCursor == nil {
		return ""
	}
	return *l.NextCursor
}

// list asks for one page, or for all of them and makes them one.
func (c *gatewayClient) list(ctx context.Context, path string, query url.Values, p pageOptions) ([]byte, error) {
	limit := p.limit
	if p.all {
		limit = largestPage
	}
	if p.limit > 0 {
		query.Set("limit", strconv.Itoa(limit))
	}
	if p.cursor != "" {
		query.Set("cursor", p.cursor)
	}
	if !p.all {
		return c.call(ctx, apiRequest{method: http.MethodGet, path: path, query: query})
	}
	whole := listOf[json.RawMessage]{Data: []json.RawMessage{}}
	for page, err := range c.pages(ctx, path, query) {
		if err != nil {
			return nil, err
		}
		whole.Data, whole.Encrypted = append(whole.Data, page.Data...), whole.Encrypted || page.Encrypted
	}
	return json.Marshal(whole)
}

// pages asks for one page of a list after the other, to its end or the first error.
func (c *gatewayClient) pages(ctx context.Context, path string, query url.Values) iter.Seq2[listOf[json.RawMessage], error] {
	return func(yield func(listOf[json.RawMessage], error) bool) {
		for {
			var page listOf[json.RawMessage]
			answer, err := c.call(ctx, apiRequest{method: http.MethodGet, path: path, query: query})
			if err == nil {
				page, err = decode[listOf[json.RawMessage]](answer)
			}
			next := page.next()
			if err == nil && next != "" && next == query.Get("cursor") {
				err = fmt.Errorf("the gateway's list does not end: %s gave the same cursor twice", path)
			}
			if !yield(page, err) || err != nil || next == "" {
				return
			}
			query.Set("cursor", next)
		}
	}
}

// moreHint tells people how a list goes on; it does not stand among the lines of the list.
func moreHint(w io.Writer, command, cursor string) {
	if cursor != "" {
		fmt.Fprintf(w, "There is more: %s --cursor %s, or --all\n", command, terminal.OneLine(cursor))
	}
}
