// Package simulation runs the whole of Hookloop for days of its own time within seconds: gateway,
// worker, registry and the embedded Temporal in one process, whose clock goes to the next moment at
// which something is due (package clock). Endpoints fail, hang, refuse and answer late, operators
// pause, resume, approve, reject, redeliver, retry and cancel, and all is stopped and started
// again, as a seed decides; check judges after every step. The same seed makes the same decisions;
// in which order goroutines run it does not decide.
package simulation
