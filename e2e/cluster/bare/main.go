// Command bare starts workflows that do nothing but say they ran, and runs them itself: the
// yardstick of a load, what Temporal alone costs. Each POST /?workflows=750&clients=16 is one
// round, and is answered when the last has run.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"golang.org/x/sync/errgroup"
)

// patience bounds a round.
const patience = time.Minute

// data is as long as an event's of the load.
var data = strings.Repeat("x", 510)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "where rounds are asked for")
	server := flag.String("temporal", "", "`host:port` of the Temporal server")
	namespace := flag.String("namespace", "", "where the workflows run")
	flag.Parse()
	debug.SetGCPercent(400) // as Hookloop's
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *listen, *server, *namespace); err != nil {
		fmt.Fprintln(os.Stderr, "bare: "+err.Error())
		os.Exit(1)
	}
}

func run(ctx context.Context, listen, server, namespace string) error {
	c, err := client.DialContext(ctx, client.Options{
		HostPort: server, Namespace: namespace, Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)),
		ConnectionOptions: client.ConnectionOptions{GrpcCompression: &client.GrpcCompressionNone{}}, // as Hookloop's
	})
	if err != nil {
		return err
	}
	defer c.Close()
	b := &bare{client: c, queue: "bare/" + uuid.NewString(), ran: make(chan string)}
	w := sdkworker.New(c, b.queue, sdkworker.Options{})
	w.RegisterWorkflowWithOptions(b.workflow, workflow.RegisterOptions{Name: "Bare"})
	if err := w.Start(); err != nil {
		return err
	}
	defer w.Stop()
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return err
	}
	srv := &http.Server{ReadHeaderTimeout: patience, Handler: http.HandlerFunc(b.serve)}
	go func() { _ = srv.Serve(l) }()
	fmt.Printf("bare on %s\n", l.Addr())
	<-ctx.Done()
	return srv.Close()
}

// bare has a queue of its own: what it starts, it runs.
type bare struct {
	client client.Client
	queue  string
	ran    chan string // ids of workflows
}

func (b *bare) workflow(ctx workflow.Context, _ string) error {
	ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: patience})
	return workflow.ExecuteLocalActivity(ctx, b.activity, workflow.GetInfo(ctx).WorkflowExecution.ID).Get(ctx, nil)
}

func (b *bare) activity(ctx context.Context, id string) error {
	select {
	case b.ran <- id:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (b *bare) serve(w http.ResponseWriter, r *http.Request) {
	workflows, err := strconv.Atoi(r.FormValue("workflows"))
	if err == nil {
		var clients int
		if clients, err = strconv.Atoi(r.FormValue("clients")); err == nil {
			err = b.round(r.Context(), workflows, clients)
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// round starts so many workflows and waits until all have run.
func (b *bare) round(ctx context.Context, workflows, clients int) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	all, ctx := errgroup.WithContext(ctx)
	all.Go(func() error { return b.await(ctx, workflows) })
	work := make(chan struct{}, workflows)
	for range workflows {
		work <- struct{}{}
	}
	close(work)
	for range clients {
		all.Go(func() error {
			for range work {
				if err := b.start(ctx); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return all.Wait()
}

func (b *bare) start(ctx context.Context) error {
	options := client.StartWorkflowOptions{ID: "bare/" + uuid.NewString(), TaskQueue: b.queue, EnableEagerStart: true}
	_, err := b.client.ExecuteWorkflow(ctx, options, "Bare", data)
	return err
}

func (b *bare) await(ctx context.Context, workflows int) error {
	for ran := map[string]bool{}; len(ran) < workflows; {
		select {
		case id := <-b.ran: // perhaps again, if its task was
			ran[id] = true
		case <-ctx.Done():
			return fmt.Errorf("%d of %d workflows ran: %w", len(ran), workflows, context.Cause(ctx))
		}
	}
	return nil
}
