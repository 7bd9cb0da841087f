// Command temporal is a Temporal server on PostgreSQL in one process, for tests and `make cluster`:
// the same four services and the same store as in production, on loopback, without Docker. It
// brings its two schemas up to date by itself, says where it listens, and stops on SIGTERM. No
// release contains it.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/signal"
	"syscall"

	"go.temporal.io/server/common/log"
	_ "go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql" // the plugin registers itself
	"go.temporal.io/server/temporal"

	"hookloop/internal/config"
)

// postgresVariable names the URL of a PostgreSQL server, whose user may make databases. It is no
// flag because it holds a password, and every user of the machine may read flags.
const postgresVariable = "CLUSTER_POSTGRES"

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "host:port of the frontend, on loopback")
	level := flag.String("log", "error", "what to log: debug, info, warn, error")
	apart := flag.Bool("apart", false, "another address than loopback will do, in a network namespace of a test")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *listen, *level, *apart); err != nil {
		fmt.Fprintln(os.Stderr, "temporal: "+err.Error())
		os.Exit(1)
	}
}

func run(ctx context.Context, listen, level string, apart bool) error {
	postgres, err := url.Parse(config.OS(postgresVariable))
	if err != nil || postgres.Host == "" {
		return fmt.Errorf("%s must be the URL of a PostgreSQL server", postgresVariable) // and not err, which holds it
	}
	ports, err := choosePorts(ctx, listen, apart)
	if err != nil {
		return err
	}
	logger := log.NewZapLogger(log.BuildZapLogger(log.Config{Level: level, Format: "console"}))
	for _, s := range schemas {
		if err := s.update(postgres, logger); err != nil {
			return fmt.Errorf("database %s: %w", s.database, err)
		}
	}
	server, err := temporal.NewServer(serverOptions(postgres, ports, logger)...)
	if err != nil {
		return err
	}
	if err := server.Start(); err != nil {
		return err
	}
	fmt.Printf("temporal on %s\n", ports.frontend)
	<-ctx.Done()
	return server.Stop()
}

// ports are where the four services listen.
type ports struct{ frontend, history, matching, worker address }

type address struct {
	ip   string
	port int
}

func (a address) String() string { return net.JoinHostPort(a.ip, fmt.Sprint(a.port)) }

// choosePorts takes free ports for what only the services themselves talk to: static hosts know
// them, so they may differ at every start.
func choosePorts(ctx context.Context, listen string, apart bool) (p ports, err error) {
	for _, one := range []struct {
		a      *address
		listen string
	}{{&p.frontend, listen}, {&p.history, "127.0.0.1:0"}, {&p.matching, "127.0.0.1:0"}, {&p.worker, "127.0.0.1:0"}} {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", one.listen)
		if err != nil {
			return p, err
		}
		defer func() { _ = l.Close() }() // when all are chosen, lest one be chosen twice
		bound := l.Addr().(*net.TCPAddr)
		if !apart && !bound.IP.IsLoopback() {
			return p, fmt.Errorf("%s is not loopback, and this server lets everyone in", one.listen)
		}
		*one.a = address{ip: bound.IP.String(), port: bound.Port}
	}
	return p, nil
}
