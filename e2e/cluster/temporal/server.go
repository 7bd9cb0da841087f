package main

import (
	"net/url"
	"time"

	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/membership/static"
	"go.temporal.io/server/common/persistence/sql/sqlplugin/postgresql"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/temporal"
)

const (
	clusterName = "active"
	// historyShards is a small cluster's number; production begins with hundreds.
	historyShards = 4
	// connections bounds the pool of each store of each service.
	connections = 20
)

// dynamicConfig differs from a server's defaults where production does (docker-compose.yml), and
// where one process on loopback needs no patience.
var dynamicConfig = dynamicconfig.StaticClient{
	dynamicconfig.MatchingEnableFairness.Key():        true, // retries are dispatched fairly among tenants
	dynamicconfig.EnableServerVersionCheck.Key():      false,
	dynamicconfig.FrontendShutdownDrainDuration.Key(): time.Duration(0),
	dynamicconfig.HistoryShutdownDrainDuration.Key():  time.Duration(0),
	dynamicconfig.MatchingShutdownDrainDuration.Key(): time.Duration(0),
}

func serverOptions(postgres *url.URL, p ports, logger log.Logger) []temporal.ServerOption {
	return []temporal.ServerOption{
		temporal.WithConfig(serverConfig(postgres, p)),
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithStaticHosts(map[primitives.ServiceName]static.Hosts{
			primitives.FrontendService: static.SingleLocalHost(p.frontend.String()),
			primitives.HistoryService:  static.SingleLocalHost(p.history.String()),
			primitives.MatchingService: static.SingleLocalHost(p.matching.String()),
			primitives.WorkerService:   static.SingleLocalHost(p.worker.String()),
		}),
		temporal.WithLogger(logger),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper { return authorization.NewNoopClaimMapper() }),
		temporal.WithDynamicConfigClient(dynamicConfig),
	}
}

func serverConfig(postgres *url.URL, p ports) *config.Config {
	conf := &config.Config{
		Persistence: config.Persistence{
			DefaultStore:     "default",
			VisibilityStore:  "visibility",
			NumHistoryShards: historyShards,
			DataStores: map[string]config.DataStore{
				"default":    {SQL: store(postgres, executions)},
				"visibility": {SQL: store(postgres, visibility)},
			},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        clusterName,
			CurrentClusterName:       clusterName,
			ClusterInformation: map[string]cluster.ClusterInformation{
				clusterName: {Enabled: true, InitialFailoverVersion: 1, RPCAddress: p.frontend.String()},
			},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		PublicClient:        config.PublicClient{HostPort: p.frontend.String()},
		Services: map[string]config.Service{
			string(primitives.FrontendService): service(p.frontend),
			string(primitives.HistoryService):  service(p.history),
			string(primitives.MatchingService): service(p.matching),
			string(primitives.WorkerService):   service(p.worker),
		},
	}
	conf.Global.Membership.MaxJoinDuration = 30 * time.Second
	conf.Global.Membership.BroadcastAddress = p.frontend.ip
	conf.Archival.History.State, conf.Archival.Visibility.State = "disabled", "disabled"
	conf.NamespaceDefaults.Archival.History.State = "disabled"
	conf.NamespaceDefaults.Archival.Visibility.State = "disabled"
	return conf
}

func service(a address) config.Service {
	return config.Service{RPC: config.RPC{GRPCPort: a.port, BindOnIP: a.ip}}
}

// store is a database of the server as Temporal's configuration has it.
func store(postgres *url.URL, database string) *config.SQL {
	password, _ := postgres.User.Password()
	return &config.SQL{
		PluginName: postgresql.PluginNamePGX, ConnectProtocol: "tcp", ConnectAddr: postgres.Host,
		User: postgres.User.Username(), Password: password, DatabaseName: database,
		MaxConns: connections, MaxIdleConns: connections,
	}
}
