package engine

import (
	"time"

	"go.temporal.io/server/common/dynamicconfig"
)

// unlimited is for limits that protect a cluster from its tenants. Here both are one process, and
// what Hookloop cannot do in time must wait in it, not fail.
const unlimited = 1_000_000

// backgroundTasks is how many timers, transfers and index entries Temporal works off side by side.
const backgroundTasks = 4

// workflowsInMemory bounds the workflows whose state Temporal keeps, ended ones among them for an
// hour; a state takes some 30 KiB. An event in the fast lane is among the latest few hundred. One
// that waits is read back in well under a millisecond when its turn comes.
const workflowsInMemory = 1024

// dynamicConfig is where the embedded Temporal differs from one in production, and why.
func dynamicConfig(cfg Config) dynamicconfig.StaticClient {
	c := dynamicconfig.StaticClient{
		// What Hookloop relies on.
		dynamicconfig.MatchingEnableFairness.Key():   true, // retries are dispatched fairly among tenants
		dynamicconfig.EnableEagerWorkflowStart.Key(): true, // the fast lane

		dynamicconfig.EnablePrincipalPropagation.Key(): true, // histories say who signalled, as principals know

		// Makes no call home: Temporal would ask its makers whether there is a newer version.
		dynamicconfig.EnableServerVersionCheck.Key(): false,

		// Limits a busy laptop would meet.
		dynamicconfig.FrontendRPS.Key():                                            unlimited,
		dynamicconfig.FrontendMaxNamespaceRPSPerInstance.Key():                     unlimited,
		dynamicconfig.HistoryRPS.Key():                                             unlimited,
		dynamicconfig.MatchingRPS.Key():                                            unlimited,
		dynamicconfig.FrontendPersistenceMaxQPS.Key():                              unlimited,
		dynamicconfig.HistoryPersistenceMaxQPS.Key():                               unlimited,
		dynamicconfig.MatchingPersistenceMaxQPS.Key():                              unlimited,
		dynamicconfig.AdminMatchingNamespaceTaskqueueToPartitionDispatchRate.Key(): unlimited,
		dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key():           100, // listing, as the Temporal CLI has it

		// One process needs no spreading.
		dynamicconfig.MatchingNumTaskqueueReadPartitions.Key():  1,
		dynamicconfig.MatchingNumTaskqueueWritePartitions.Key(): 1,
		dynamicconfig.HistoryCacheHostLevelMaxSize.Key():        workflowsInMemory,

		// SQLite has one writer: hundreds of background tasks at once would only stand before the
		// requests of apps in its queue.
		dynamicconfig.TransferProcessorSchedulerWorkerCount.Key():   backgroundTasks,
		dynamicconfig.TimerProcessorSchedulerWorkerCount.Key():      backgroundTasks,
		dynamicconfig.VisibilityProcessorSchedulerWorkerCount.Key(): backgroundTasks,

		// Cleaners of what years of a cluster leave behind, each with pollers of its own.
		dynamicconfig.TaskQueueScannerEnabled.Key():       false,
		dynamicconfig.HistoryScannerEnabled.Key():         false,
		dynamicconfig.EnableParentClosePolicyWorker.Key(): false, // children are closed in place instead

		// Stop without waiting for load balancers.
		dynamicconfig.FrontendShutdownDrainDuration.Key(): time.Duration(0),
		dynamicconfig.HistoryShutdownDrainDuration.Key():  time.Duration(0),
		dynamicconfig.MatchingShutdownDrainDuration.Key(): time.Duration(0),
	}
	if cfg.KeptWorkflows > 0 {
		c[dynamicconfig.WorkerStickyCacheSize.Key()] = cfg.KeptWorkflows
	}
	if cfg.ContinueAsNewAfter > 0 {
		c[dynamicconfig.HistoryCountSuggestContinueAsNew.Key()] = cfg.ContinueAsNewAfter
	}
	return c
}
