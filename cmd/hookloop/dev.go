//go:build !noembed

package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"hookloop/internal/cli"
	"hookloop/internal/devdir"
	"hookloop/internal/logs"
	"hookloop/internal/terminal"
)

type devOptions struct {
	data           string
	listen         string
	opsListen      string
	temporalListen string
	uiListen       string
	asJSON         bool
	verbose        bool
}

func newDev() *cobra.Command {
	var o devOptions
	c := &cobra.Command{
		Use:   "dev",
		Short: "Run everything in one process: Temporal, its UI, gateway and worker",
		Long: `Run everything in one process, without Docker: an embedded Temporal on SQLite, the Temporal UI,
the gateway and the worker. All data stays below --data-dir, and survives a restart or a crash.

Endpoints on this machine (127.0.0.1) are allowed here, and only here. When everything is ready,
<data-dir>/dev.json says where it is and holds a token with every scope, good for twelve hours and made
anew while it runs: the other commands find it. Everything listens on this machine alone, and answers
to its names alone: web pages that are open here cannot reach it under a name of theirs.
It keeps itself small, with room for what is under way; GOMEMLIMIT sets another bound.
On a terminal it shows a line for each event and each failed attempt; HOOKLOOP_LOG=text or json has it log instead.
HOOKLOOP_JWT_…, HOOKLOOP_PUBLIC_URL, HOOKLOOP_GOOGLE_KEYS_URL and HOOKLOOP_PAYPAL_CA_FILE hold as in
'hookloop serve'. Ctrl-C stops accepting events, lets attempts under way finish, and exits.`,
		Example: `  hookloop dev
  hookloop dev --data-dir /var/tmp/loop --listen 127.0.0.1:8090`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return devdir.DiskTrouble(runDev(c.Context(), o, c.OutOrStdout(), c.ErrOrStderr()), o.data)
		},
	}
	f := c.Flags()
	cli.DataDir(f, &o.data, devdir.Default, "`folder` for all data")
	f.StringVar(&o.listen, "listen", "127.0.0.1:8080", "address of the gateway")
	f.StringVar(&o.opsListen, "ops-listen", "", "address of /metrics; none: the gateway's")
	f.StringVar(&o.temporalListen, "temporal-listen", "127.0.0.1:7233", "address of Temporal")
	f.StringVar(&o.uiListen, "ui-listen", "127.0.0.1:8233", "address of the Temporal UI")
	f.BoolVar(&o.asJSON, "json", false, "say where everything is as JSON, without the token")
	f.BoolVar(&o.verbose, "verbose", false, "log every attempt and request")
	return c
}

func runDev(ctx context.Context, o devOptions, stdout, stderr io.Writer) error {
	data, err := devdir.Open(o.data)
	if err != nil {
		return err
	}
	defer func() { _ = data.Close() }()
	l, ops, err := devListen(ctx, o)
	if err != nil {
		return err
	}
	defer closeAll(l, ops)
	tuneGC()
	limitMemory(ctx)

	how, err := logs.OfDev(stderr)
	if err != nil {
		return err
	}
	log, started := logs.New(stderr, how, o.verbose), func() {}
	if !o.verbose {
		log, started = logs.HoldUntilStarted(log)
	}
	logs.CatchStandard(log)
	dev, err := startDev(ctx, o, l.Addr().String(), data, log)
	if err != nil {
		return err
	}
	defer dev.close()
	running, err := dev.announce(data, l.Addr().String())
	if err != nil {
		return err
	}
	started()
	defer func() { _ = os.Remove(devdir.RunningFile(data.Path())) }()
	if err := greet(stdout, running, o); err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { fmt.Fprintln(stderr, "stopping: attempts under way may take a few seconds to finish") })
	renewing, renewed := context.WithCancel(ctx)
	defer renewed()
	go dev.renew(renewing, data.Path(), running, log)
	return dev.run(ctx, l, ops)
}

func greet(w io.Writer, running devdir.Running, o devOptions) error {
	if o.asJSON {
		running.Token = ""
		return terminal.JSON(w, running)
	}
	there := ""
	if o.data != devdir.Default {
		there = " --data-dir " + o.data
	}
	_, err := fmt.Fprintf(w, `Hookloop is ready. Ctrl-C stops it.

  gateway      %[1]s   (API: /openapi.json)
  console      %[1]s/console   ('hookloop console%[5]s' prints a link that signs in)
  Temporal UI  %[2]s
  Temporal     %[3]s
  data         %[4]s   (dev.json in it has a token for every tenant)

Try, in other terminals:

  hookloop listen%[5]s
  hookloop endpoint create%[5]s --url http://127.0.0.1:9000/
  hookloop event send%[5]s --type contact.updated --data '{"id": 1}'

or without the CLI:

  curl -X POST %[1]s/v1/tenants/%[6]s/events -H "Authorization: Bearer $(hookloop token%[5]s)" \
       -H 'Content-Type: application/json' -d '{"type":"contact.updated","data":{"id":1}}'
`, running.Gateway, running.UI, running.Temporal, o.data, there, running.Tenant)
	return err
}
