// Command run is `make cluster`: the production shape on this machine, in processes, until Ctrl-C.
// It leaves nothing behind.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"hookloop/e2e/cluster"
)

func main() {
	roles := flag.String("roles", "gateway,gateway,worker,worker", "what to run: serve, gateway, worker, separated by commas")
	hookloop := flag.String("hookloop", "", "`program` to run; unset: built from this checkout, without the embedded engine")
	events := flag.Int("load", 0, "measure with so many events a round, beside bare workflows, and end")
	clients := flag.Int("clients", 32, "how many clients send them")
	lean := flag.Bool("lean", false, "drop the indexes of Temporal's lists that nothing asks for (hookloop migrate --lean-visibility)")
	options := measurements()
	flag.Parse()
	if err := checkMeasurements(options, *clients); err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(newStage(ctx, os.Stderr).play(func(s *stage) {
		fmt.Println("starting: the first build takes minutes, later ones seconds")
		c := cluster.Start(s, cluster.Config{
			Dir: s.TempDir(), Hookloop: *hookloop, Roles: strings.Split(*roles, ","), Bare: *events > 0, Lean: *lean,
		})
		if *events > 0 {
			runLoad(s, c, *events, *clients)
			return
		}
		if options.Paced() || options.Neighbour {
			measure(s, c, options)
			return
		}
		greet(c)
		tend(ctx, s, c)
	}))
}

// tend starts again what ends, as an orchestrator would.
func tend(ctx context.Context, s *stage, c *cluster.Cluster) {
	for {
		select {
		case <-ctx.Done():
			fmt.Println("stopping")
			return
		case p := <-c.Ended():
			fmt.Printf("%s ended, and is started again\n", p.Name)
			p.Start(s)
			fmt.Printf("%s is process %d\n", p.Name, p.PID())
		}
	}
}

// greet says where everything is.
func greet(c *cluster.Cluster) {
	fmt.Printf("\nThe cluster is ready. Ctrl-C stops it and removes everything.\n\n")
	fmt.Printf("  %-12s %s\n", "PostgreSQL", c.Postgres.URL("postgres"))
	for _, p := range append([]*cluster.Process{c.Temporal}, c.Hookloops()...) {
		where := p.URL()
		if p == c.Temporal {
			where = fmt.Sprintf("%s   (namespace %s)", p.Address, c.Namespace)
		}
		fmt.Printf("  %-12s %s   (process %d)\n", p.Name, where, p.PID())
	}
	fmt.Printf("  %-12s %s\n", "keys", c.Dir())
	if len(c.Gateways) == 0 {
		return
	}
	fmt.Printf(`
Try, in another terminal:

  export HOOKLOOP_GATEWAY=%s HOOKLOOP_TENANT=demo \
    HOOKLOOP_TOKEN=%s
  hookloop listen
  hookloop endpoint create --url http://127.0.0.1:9000/
  hookloop event send --type contact.updated --data '{"id": 1}' --wait

and kill -9 any of them but PostgreSQL: it is started again.
`, c.Gateways[0].URL(), c.Token)
}
