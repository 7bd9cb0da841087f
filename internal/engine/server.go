package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/temporal"
)

const (
	// clusterName is stored with every namespace and cannot change afterwards.
	clusterName = "active"
	// historyShards is stored too. One: shards spread load over hosts and writers, and there is one
	// of each; 4 measured no better.
	historyShards = 1
	// readyTimeout bounds the wait for the frontend's first answer; it takes well below a second.
	readyTimeout = 20 * time.Second
)

// startServer runs Temporal's start in a goroutine of its own, because that is what its fatal
// errors end. After such an error what did start is abandoned: the caller's process is about to
// end.
func (e *Engine) startServer(ctx context.Context, ports *ports) error {
	conf := serverConfig(ports, e.dbs)
	if e.cfg.StoreFaults != nil {
		conf.Persistence.DataStores["executions"] = config.DataStore{SQL: e.dbs[executions].sql(), FaultInjection: e.cfg.StoreFaults.injection()}
	}
	ports.releaseServer()
	started := make(chan error, 1)
	go func() {
		err := errors.New("temporal: start was cut off")
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("temporal: %v", p)
			}
			started <- err
		}()
		e.server, err = temporal.NewServerFx(serverModule(&e.calls), e.serverOptions(conf, ports)...)
		if err == nil {
			err = e.server.Start()
		}
	}()
	select {
	case err := <-e.log.fatal:
		return err
	case err := <-started:
		return e.log.fatalOr(err)
	case <-ctx.Done():
		go func() { // its caller waits no more, but what it started must not stay
			if <-started == nil {
				_ = e.server.Stop()
			}
		}()
		return ctx.Err()
	}
}

func (e *Engine) serverOptions(conf *config.Config, p *ports) []temporal.ServerOption {
	hosts := map[primitives.ServiceName]static.Hosts{ // with fixed hosts no membership listener is opened
		primitives.FrontendService: static.SingleLocalHost(p.frontend.address()),
		primitives.HistoryService:  static.SingleLocalHost(p.history.address()),
		primitives.MatchingService: static.SingleLocalHost(p.matching.address()),
		primitives.WorkerService:   static.SingleLocalHost(p.worker.address()),
	}
	return []temporal.ServerOption{
		temporal.WithConfig(conf),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(hosts),
		temporal.WithLogger(e.log),
		temporal.WithAuthorizer(e.whose),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper { return authorization.NewNoopClaimMapper() }),
		temporal.WithDynamicConfigClient(dynamicConfig(e.cfg)),
	}
}

// serverConfig leaves out what would listen or call elsewhere: metrics, pprof, the HTTP API,
// archival.
func serverConfig(p *ports, dbs []database) *config.Config {
	conf := &config.Config{
		Persistence: config.Persistence{
			DefaultStore:     "executions",
			VisibilityStore:  "visibility",
			NumHistoryShards: historyShards,
			DataStores: map[string]config.DataStore{
				"executions": {SQL: dbs[executions].sql()},
				"visibility": {SQL: dbs[visibility].sql()},
			},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        clusterName,
			CurrentClusterName:       clusterName,
			ClusterInformation: map[string]cluster.ClusterInformation{
				clusterName: {Enabled: true, InitialFailoverVersion: 1, RPCAddress: p.frontend.address()},
			},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		PublicClient:        config.PublicClient{HostPort: p.frontend.address()},
		Services: map[string]config.Service{
			string(primitives.FrontendService): listening(p.frontend),
			string(primitives.HistoryService):  listening(p.history),
			string(primitives.MatchingService): listening(p.matching),
			string(primitives.WorkerService):   listening(p.worker),
		},
	}
	conf.Global.Membership.MaxJoinDuration = 30 * time.Second
	conf.Global.Membership.BroadcastAddress = p.frontend.ip
	conf.Archival.History.State, conf.Archival.Visibility.State = "disabled", "disabled"
	conf.NamespaceDefaults.Archival.History.State = "disabled"
	conf.NamespaceDefaults.Archival.Visibility.State = "disabled"
	return conf
}

func listening(p *port) config.Service {
	return config.Service{RPC: config.RPC{GRPCPort: p.number, BindOnIP: p.ip}}
}

// awaitFrontend returns when the namespace can be used; connecting and asking both retry within the
// SDK.
func awaitFrontend(ctx context.Context, cfg Config) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	c, err := client.DialContext(ctx, client.Options{
		HostPort:  cfg.Listen,
		Namespace: cfg.Namespace,
		Logger:    sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler)), // what goes wrong is returned
	})
	if err != nil {
		return fmt.Errorf("temporal at %s: %w", cfg.Listen, err)
	}
	defer c.Close()
	request := &workflowservice.DescribeNamespaceRequest{Namespace: cfg.Namespace}
	if _, err := c.WorkflowService().DescribeNamespace(ctx, request); err != nil {
		return fmt.Errorf("temporal at %s: namespace %s: %w", cfg.Listen, cfg.Namespace, err)
	}
	return nil
}
