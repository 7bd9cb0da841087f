// Command mautic shows Mautic and a second application joined by Hookloop in both directions, and
// that what Hookloop itself wrote is not taken for news when Mautic tells of it. It plays both
// applications and needs nothing but a running `hookloop dev`. README.md tells the story.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// patience is far above the second or two that all of this takes.
const patience = time.Minute

func main() {
	data := flag.String("data", ".hookloop", "`folder` of 'hookloop dev'")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *data, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mautic:", err)
		os.Exit(1)
	}
}

// run tells the story once. Nothing of it stays behind in Hookloop, even if it breaks off.
func run(ctx context.Context, data string, out io.Writer) (err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	h, err := connect(data)
	if err != nil {
		return err
	}
	s := &stage{hookloop: h}
	defer func() { err = errors.Join(err, s.clear(context.WithoutCancel(ctx))) }()
	if err := s.build(ctx); err != nil {
		return err
	}
	return (&story{stage: s, out: out}).tell(ctx)
}
