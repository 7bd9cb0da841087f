package expression

import (
	"errors"
	"sync/atomic"
	"time"
)

const (
	// maxWait is how long a child may take for one expression by the clock until it is looked at:
	// it should have ended by itself then.
	maxWait = 4 * MaxCPU
	// maxLooks is how often a child is looked at that gets no processor, until it is given up.
	maxLooks = 5
)

var errStarved = errors.New("a process got no processor for too long")

// deadline ends a child that is too long about an expression. If it has had its time of a
// processor, the expression is to blame, and the child's own watchdog failed. If it has not, the
// machine is, or its clock was set forward.
type deadline struct {
	child  *child
	timer  *time.Timer
	before atomic.Int64 // what the child had had of processors, in nanoseconds
	looks  atomic.Int32 // since then
}

// begin starts the deadline of the first expression.
func (c *child) begin() *deadline {
	d := &deadline{child: c}
	d.timer = time.AfterFunc(time.Hour, d.look)
	d.next()
	return d
}

// next starts that of the next expression.
func (d *deadline) next() {
	d.before.Store(int64(spentBy(d.child.cmd.Process.Pid)))
	d.looks.Store(0)
	d.timer.Reset(maxWait)
}

func (d *deadline) look() {
	spent := spentBy(d.child.cmd.Process.Pid) - time.Duration(d.before.Load())
	switch {
	case spent >= MaxCPU:
		d.child.late.Store(true)
	case d.looks.Add(1) < maxLooks:
		d.timer.Reset(maxWait)
		return
	default:
		d.child.starved.Store(true)
	}
	d.child.kill()
}

// stop says whether the child may be asked again.
func (d *deadline) stop() bool { return d.timer.Stop() }
