// Package workercomponent is where workers would be started from.
package workercomponent

import "go.uber.org/fx"

// Module adds nothing to Temporal's own worker.
var Module = fx.Options()
