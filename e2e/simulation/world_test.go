package simulation_test

import (
	"database/sql"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite" // timers are read from Temporal's database

	"hookloop/e2e/clock"
	"hookloop/e2e/service"
	"hookloop/internal/check"
	"hookloop/internal/engine"
	"hookloop/workflows"
)

const (
	// stillness is how long, by the clock outside, nothing may move until all is taken to wait.
	stillness = 5 * time.Millisecond
	// stride is the most that passes at once. What is due at nearly the same time comes together.
	stride, leastStride = 6 * time.Hour, 3 * time.Second
	// skips is what may pass while a request is on its way on a machine that is slow: some steps of
	// a second.
	skips = 10 * time.Second
	// memory is where garbage is collected, in bytes.
	memory = 1 << 30
	// stuck is for how many steps, of a second each, a task may be in hand.
	stuck = 300
)

// world is one Hookloop with its Temporal, in which the scenarios of several seeds happen side by
// side, each in a tenant of its own.
type world struct {
	t       testing.TB
	dir     string
	begun   time.Time
	hooks   service.Config // what stands between the parts
	traffic traffic
	stores  engine.StoreFaults // none fail; it counts calls
	engine  *engine.Engine
	service *service.Service
	timers  *sql.DB // Temporal's
	token   string
	http    *http.Client
	faults  []check.Fault
	steps   int
}

func newWorld(t testing.TB, hooks service.Config, lose loses) *world {
	t.Helper()
	dir := t.TempDir()
	if fast, err := os.MkdirTemp("/dev/shm", "hookloop-simulation-"); err == nil { // syncing is another test's subject
		dir = fast
		t.Cleanup(func() { _ = os.RemoveAll(fast) })
	}
	// Go collects garbage every two minutes, whether there is any or not, and those pass with each
	// step.
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(memory)
	w := &world{t: t, dir: dir, begun: time.Now(), hooks: hooks, traffic: traffic{lose: lose}}
	w.http = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // a connection would not outlive the hours
	w.token = service.Token(t, "operator", 365*24*time.Hour)
	w.start()
	t.Cleanup(w.stop)
	var err error
	w.timers, err = sql.Open("sqlite", "file:"+filepath.Join(dir, "temporal.db")+"?mode=ro&_pragma=busy_timeout=10000")
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.timers.Close() })
	return w
}

func (w *world) start() {
	w.t.Helper()
	var err error
	w.engine, err = engine.Start(w.t.Context(), engine.Config{
		Dir: w.dir, Listen: "127.0.0.1:0", SearchAttributes: workflows.SearchAttributes(), StoreFaults: &w.stores,
		Retention: w.hooks.Keep,
	})
	require.NoError(w.t, err)
	cfg := w.hooks
	cfg.Dir, cfg.Calls = w.dir, w.traffic.intercept
	cfg.Temporal = service.Temporal{HostPort: w.engine.HostPort(), Namespace: w.engine.Namespace(), DialOptions: w.engine.DialOptions()}
	w.traffic.tasks.Clear()
	w.service = service.Start(w.t, cfg)
}

func (w *world) stop() {
	w.service.Stop()
	_ = w.engine.Stop()
}

// restart stops everything and starts it again; in good order, or Temporal first, under whatever is
// going on.
func (w *world) restart(abrupt bool) {
	w.t.Helper()
	from := time.Now()
	w.hurry(func() {
		if abrupt {
			_ = w.engine.Stop()
		}
		w.stop()
	})
	w.start()
	w.faults = append(w.faults, check.Fault{Name: "a restart", From: from, Until: time.Now()})
}

// broken is when something was: on purpose, and by a machine that was busy with other things.
func (w *world) broken() []check.Fault { return append(w.traffic.ranOut(), w.faults...) }

// hurry lets a second pass for each 20 ms outside while f waits for it. A ticker would not do: its
// next tick is due as soon as a second was skipped.
func (w *world) hurry(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	for {
		select {
		case <-done:
			return
		case <-time.After(20 * time.Millisecond):
			clock.Advance(time.Second)
		}
	}
}

// now is how long ago the world began, by its own clock.
func (w *world) now() time.Duration { return time.Since(w.begun) }

// settle returns when nothing moves.
func (w *world) settle() { w.still(2) }

// surely is how many still moments there are before something is taken for violated: on a busy
// machine the next thing to move may get no turn for some of them.
const surely = 50

// still returns when nothing has moved for so many moments. On a machine that is busy with other
// things, nothing moves because nothing gets a turn: so those moments count only that did not last
// longer than asked for.
func (w *world) still(moments int) {
	tick := time.NewTicker(stillness)
	defer tick.Stop()
	for moved, still := w.moved(), 0; still < moments; {
		begun := time.Now()
		<-tick.C
		now, late := w.moved(), time.Since(begun) > 2*stillness
		switch {
		case now != moved:
			moved, still = now, 0
		case !late:
			still++
		}
	}
}

func (w *world) moved() int64 { return w.traffic.moved.Load() + w.stores.Calls.Load() }

// step lets the time pass until the next thing is due: a timer of Temporal's, or what the scenarios
// plan. While the worker has a task in hand, and until it polls for others, it is a second.
func (w *world) step(planned time.Duration) {
	w.t.Helper()
	w.steps++
	w.traffic.steps.Add(1)
	if w.traffic.inHand() || w.traffic.polls.Load() < 2 {
		clock.Advance(time.Second)
		return
	}
	clock.Advance(max(min(planned-w.now(), w.nextTimer(), stride), leastStride))
}

// nextTimer is how long it is to the first of Temporal's timers that is not due yet.
func (w *world) nextTimer() time.Duration {
	w.t.Helper()
	now := time.Now().UTC()
	var text any
	err := w.timers.QueryRowContext(w.t.Context(),
		"SELECT visibility_timestamp FROM timer_tasks WHERE visibility_timestamp > ? ORDER BY visibility_timestamp LIMIT 1",
		now.Format("2006-01-02 15:04:05.999999999-07:00")).Scan(&text)
	if err != nil {
		return stride
	}
	switch at := text.(type) {
	case time.Time:
		return at.Sub(now)
	case string:
		if parsed, err := time.Parse("2006-01-02 15:04:05.999999999-07:00", at); err == nil {
			return parsed.Sub(now)
		}
	}
	w.t.Fatalf("a timer is due at %v", text)
	return 0
}
