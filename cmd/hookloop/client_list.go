package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/spf13/pflag"
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
		return usage("--limit must lie between 1 and %d; --all gives everything", largestPage)
	}
	return nil
}

// listOf is what every list of the API answers.
type listOf[T any] struct {
	Data       []T     `json:"data"`
	NextCursor *string `json:"next_cursor"` // nil: that was all
}

func (l listOf[T]) next() string {
	if l.NextCursor == nil {
		return ""
	}
	return *l.NextCursor
}

// list asks for one page, or for all of them and makes them one.
func (c *gatewayClient) list(ctx context.Context, path string, query url.Values, p pageOptions) ([]byte, error) {
	whole := listOf[json.RawMessage]{Data: []json.RawMessage{}}
	limit, cursor := p.limit, p.cursor
	if p.all {
		limit = largestPage
	}
	if p.limit > 0 {
		query.Set("limit", strconv.Itoa(limit))
	}
	for {
		if cursor != "" {
			query.Set("cursor", cursor)
		}
		answer, err := c.call(ctx, apiRequest{method: http.MethodGet, path: path, query: query})
		if err != nil || !p.all {
			return answer, err
		}
		page, err := decode[listOf[json.RawMessage]](answer)
		if err != nil {
			return nil, err
		}
		whole.Data = append(whole.Data, page.Data...)
		switch next := page.next(); next {
		case "":
			return json.Marshal(whole)
		case cursor:
			return nil, fmt.Errorf("the gateway's list does not end: %s gave the same cursor twice", path)
		default:
			cursor = next
		}
	}
}

// moreHint tells people how a list goes on; it does not stand among the lines of the list.
func moreHint(w io.Writer, command, cursor string) {
	if cursor != "" {
		fmt.Fprintf(w, "There is more: %s --cursor %s, or --all\n", command, oneLine(cursor))
	}
}
