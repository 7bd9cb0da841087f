package engine

import (
	"maps"
	"slices"

	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/server/api/historyservice/v1"
	"go.temporal.io/server/api/matchingservice/v1"
	"go.temporal.io/server/chasm"
	"go.temporal.io/server/common/dynamicconfig"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/log/tag"
	"go.temporal.io/server/common/metrics"
	"go.temporal.io/server/common/persistence/serialization"
	"go.temporal.io/server/common/pprof"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/common/resource"
	"go.temporal.io/server/service"
	"go.temporal.io/server/service/frontend"
	"go.temporal.io/server/service/history"
	"go.temporal.io/server/service/history/replication"
	"go.temporal.io/server/service/matching"
	"go.temporal.io/server/temporal"
	"go.uber.org/fx"
	"google.golang.org/grpc"

	"hookloop/internal/engine/inprocess"
)

// serverModule is temporal.TopLevelModule with services that can be called without the network (ADR
// 13). TestServicesAreThoseOfTemporal notices when that one has grown.
func serverModule(calls *inprocess.Services) fx.Option {
	return fx.Options(
		fx.Provide(
			temporal.NewServerFxImpl,
			temporal.ServerOptionsProvider,
			resource.ArchivalMetadataProvider,
			temporal.TaskCategoryRegistryProvider,
			historyService(calls),
			matchingService(calls),
			frontendService(calls),
			temporal.InternalFrontendServiceProvider,
			temporal.WorkerServiceProvider,
			temporal.ApplyClusterMetadataConfigProvider,
		),
		dynamicconfig.Module,
		pprof.Module,
		temporal.TraceExportModule,
		chasm.Module,
		serialization.Module,
		temporal.FxLogAdapter,
		fx.Invoke(temporal.ServerLifetimeHooks),
	)
}

type serviceProvider func(temporal.ServiceProviderParamsCommon) (temporal.ServicesGroupOut, error)

// newService makes a service of the module. Register is invoked after what the module invokes, and
// so its hooks run when the service has started, and before it stops.
func newService(name primitives.ServiceName, params temporal.ServiceProviderParamsCommon, calls *inprocess.Services, module fx.Option, register any) (temporal.ServicesGroupOut, error) {
	app := fx.New(
		params.GetCommonServiceOptions(name),
		fx.Decorate(func(options dialOptions) dialOptions { return callable(options, calls) }),
		module,
		fx.Invoke(register),
	)
	return temporal.NewService(app, name, params.Logger), app.Err()
}

// dialOptions are those of the connections from one service to another.
type dialOptions = map[primitives.ServiceName][]grpc.DialOption

// callable adds the interceptor that must be the last one.
func callable(options dialOptions, calls *inprocess.Services) dialOptions {
	options = maps.Clone(options)
	for _, name := range []primitives.ServiceName{primitives.HistoryService, primitives.MatchingService} {
		options[name] = append(slices.Clone(options[name]), grpc.WithChainUnaryInterceptor(calls.Intercept))
	}
	return options
}

func frontendService(calls *inprocess.Services) serviceProvider {
	return func(params temporal.ServiceProviderParamsCommon) (temporal.ServicesGroupOut, error) {
		module := fx.Options(
			fx.Supply(params.CustomFrontendInterceptors),
			fx.Decorate(func() log.SnTaggedLogger { return log.With(params.Logger, tag.Service(primitives.FrontendService)) }),
			frontend.Module,
		)
		register := func(lc fx.Lifecycle, h frontend.Handler, operator *frontend.OperatorHandlerImpl, with frontend.GrpcServerOptions) {
			hook(lc, calls, &workflowservice.WorkflowService_ServiceDesc, h, with.UnaryInterceptors)
			hook(lc, calls, &operatorservice.OperatorService_ServiceDesc, operator, with.UnaryInterceptors)
		}
		return newService(primitives.FrontendService, params, calls, module, register)
	}
}

func historyService(calls *inprocess.Services) serviceProvider {
	return func(params temporal.ServiceProviderParamsCommon) (temporal.ServicesGroupOut, error) {
		module := fx.Options(history.QueueModule, history.Module, replication.Module)
		register := func(lc fx.Lifecycle, h historyservice.HistoryServiceServer, with service.GrpcServerOptionsParams) {
			hook(lc, calls, &historyservice.HistoryService_ServiceDesc, h, interceptors(with))
		}
		return newService(primitives.HistoryService, params, calls, module, register)
	}
}

func matchingService(calls *inprocess.Services) serviceProvider {
	return func(params temporal.ServiceProviderParamsCommon) (temporal.ServicesGroupOut, error) {
		register := func(lc fx.Lifecycle, h *matching.Handler, with service.GrpcServerOptionsParams) {
			hook(lc, calls, &matchingservice.MatchingService_ServiceDesc, h, interceptors(with))
		}
		return newService(primitives.MatchingService, params, calls, matching.Module, register)
	}
}

func hook(lc fx.Lifecycle, calls *inprocess.Services, desc *grpc.ServiceDesc, server any, through []grpc.UnaryServerInterceptor) {
	lc.Append(fx.StartStopHook(
		func() { calls.Register(desc, server, through...) },
		func() { calls.Remove(desc) },
	))
}

// interceptors are those of service.GrpcServerOptionsProvider, which gives them to a gRPC server
// only.
func interceptors(params service.GrpcServerOptionsParams) []grpc.UnaryServerInterceptor {
	all := []grpc.UnaryServerInterceptor{
		params.ServiceErrorInterceptor.Intercept,
		metrics.NewServerMetricsContextInjectorInterceptor(),
		metrics.NewServerMetricsTrailerPropagatorInterceptor(params.Logger),
		params.TelemetryInterceptor.UnaryIntercept,
	}
	all = append(all, params.AdditionalInterceptors...)
	if params.NamespaceRateLimitInterceptor != nil {
		all = append(all, params.NamespaceRateLimitInterceptor.Intercept)
	}
	all = append(all, params.RateLimitInterceptor.Intercept)
	if params.ContextMetadataInterceptor != nil {
		all = append(all, params.ContextMetadataInterceptor.Intercept)
	}
	return append(all, params.RetryableInterceptor.Intercept)
}
