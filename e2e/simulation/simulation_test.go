package simulation_test

import (
	"flag"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/e2e/clock"
	"hookloop/e2e/service"
	"hookloop/internal/check"
)

var (
	seed   = flag.Uint64("seed", 0, "of the first scenario; the others of its world run beside it")
	runs   = flag.Int("runs", together, "how many scenarios TestSimulation runs")
	within = flag.Duration("within", 0, "after that long TestSimulation begins no more of them; 0: it runs all")
	days   = flag.Bool("simulate", false, "run what `make simulate` and `make proof` run")
	alone  = flag.Bool("alone", false, "run the scenario of -seed without the others of its world")
)

func TestMain(m *testing.M) {
	if err := clock.Untimed(); err != nil {
		panic(err)
	}
	m.Run()
}

// together is how many scenarios share a world.
const together = 20

// plenty is how many scenarios meet everything: one in six is restarted.
const plenty = 2 * together

// TestSimulation runs scenarios and judges them. What is violated comes with all that happened, and
// with the seed that repeats it.
func TestSimulation(t *testing.T) { //nolint:paralleltest // one clock for all
	movable(t)
	begun, passed := time.Now(), clock.Passed()
	counts := map[string]int{}
	steps, late := 0, 0
	seeded := 0
	for first := *seed - *seed%together; first < *seed+uint64(*runs); first += together { //nolint:gosec // not negative
		if *within > 0 && clock.Real(begun, passed) > *within {
			break
		}
		seeded += together
		seeds := worldOf(first)
		if *alone {
			seeds = []uint64{*seed}
		}
		w, all := simulate(t, service.Config{}, nil, seeds, func([]*scenario) bool { return false })
		steps, late = steps+w.steps, late+len(w.traffic.ranOut())
		for _, s := range all {
			if len(s.violations) > 0 {
				t.Errorf("go test ./simulation -simulate -run Simulation -seed=%d -runs=1: %s\n%s", s.seed, strings.Join(s.violations, "\n"), strings.Join(s.trace, "\n"))
			}
			for name, n := range s.counts {
				counts[name] += n
			}
		}
		w.stop()
		if *alone {
			break
		}
	}
	t.Logf("%d seeds, %s of a world in %s, %d steps, %d tasks that ran out: %v", seeded, (clock.Passed() - passed).Round(time.Hour), clock.Real(begun, passed).Round(time.Second), steps, late, counts)
	if *alone || seeded < plenty {
		return
	}
	for _, must := range []string{ // what so many scenarios have to have met
		check.Accepts, check.Repeated, check.Faults, check.Retried, check.NoAnswer, check.OwnWorkflow, check.Deferred,
		check.Asked, check.Released, check.Probed, check.Redelivered, check.Limited, check.BreakerOpen, check.Rejected, check.Erased,
		check.ThirdParty, check.Echo,
	} {
		require.NotZero(t, counts[must], "%s was never met: %v", must, counts)
	}
}

func movable(t *testing.T) {
	t.Helper()
	if !*days {
		t.Skip("`make simulate` and `make proof` run it")
	}
	if !clock.Supported() {
		t.Skip("NOT TESTED: a simulation needs a clock that can be moved, which is there on Linux on amd64 alone")
	}
}

// worldOf are the seeds that share a world.
func worldOf(first uint64) (seeds []uint64) {
	for n := range uint64(together) {
		seeds = append(seeds, first+n)
	}
	return seeds
}

// simulate runs scenarios in one world until all have ended, or enough has been seen.
func simulate(t *testing.T, hooks service.Config, lose loses, seeds []uint64, enough func([]*scenario) bool) (*world, []*scenario) {
	t.Helper()
	w := newWorld(t, hooks, lose)
	var all []*scenario
	for _, n := range seeds {
		all = append(all, begin(w, n))
	}
	for open := all; len(open) > 0 && !enough(all); {
		for _, s := range open {
			for len(s.plans) > 0 && s.plans[0].at <= w.now() {
				next := s.plans[0]
				s.plans = s.plans[1:]
				next.do()
			}
		}
		w.settle()
		planned := w.now() + stride
		for _, s := range open {
			s.look()
			s.tell()
			if len(s.plans) > 0 {
				planned = min(planned, s.plans[0].at)
			}
		}
		open = slices.DeleteFunc(slices.Clone(open), func(s *scenario) bool { return s.ended })
		w.step(planned)
	}
	return w, all
}
