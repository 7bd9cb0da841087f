package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// healthBody bounds what is shown of an answer: it is a line.
const healthBody = 1 << 10

func newHealth() *cobra.Command {
	var patience time.Duration
	c := &cobra.Command{
		Use:   "health [url]",
		Short: "Ask a gateway or a worker whether it can do its work",
		Long: `Ask for a URL, http://127.0.0.1:8080/readyz if none is given, and exit 0 if the answer is 2xx, 1 if not.
It is for health checks of containers, which have no other program to ask with.`,
		Example: `  hookloop health
  hookloop health http://127.0.0.1:8081/readyz`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			url := "http://127.0.0.1:8080/readyz"
			if len(args) > 0 {
				url = args[0]
			}
			ctx, cancel := context.WithTimeout(c.Context(), patience)
			defer cancel()
			said, err := askHealth(ctx, url)
			if errors.Is(err, context.DeadlineExceeded) {
				err = fmt.Errorf("%s: no answer within %s", url, patience)
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), said)
			return err
		},
	}
	c.Flags().DurationVar(&patience, "timeout", 3*time.Second, "how long to wait for the answer")
	return c
}

func askHealth(ctx context.Context, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return "", usage("%q is not a URL", url)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, healthBody))
	if err != nil {
		return "", fmt.Errorf("%s: %w", url, err)
	}
	said := strings.TrimSpace(string(body))
	if resp.StatusCode/100 != 2 {
		return "", fmt.Errorf("%s: %d: %s", url, resp.StatusCode, said)
	}
	return said, nil
}
