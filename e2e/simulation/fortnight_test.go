package simulation_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/e2e/service"
	"hookloop/internal/check"
	"hookloop/internal/endpointtest"
	"hookloop/internal/webhook"
)

const (
	// keeps is how long a fortnight's world keeps what has ended.
	keeps = 48 * time.Hour
	// round is between two posts of a day, and each is of so many events.
	round, posts = 2 * time.Hour, 12
	// fortnight is in days.
	fortnight = 14
)

// TestFortnight lets a fortnight pass under a steady load, in a world that keeps what has ended for
// two days. Each day is judged. What the process has and what its databases take grows in the first
// days, and from then on stays what it is.
func TestFortnight(t *testing.T) { //nolint:paralleltest // one clock for all
	movable(t)
	w := newWorld(t, service.Config{Keep: keeps}, nil)
	var days []usage
	for n := range fortnight {
		w.day(n)
		days = append(days, w.usage())
		t.Logf("day %d, %d steps: %s", n+1, w.steps, days[n])
	}
	grown, last := days[fortnight/2], days[fortnight-1]
	require.Less(t, last.heap, grown.heap*5/4+16<<20, "memory grows")
	require.Less(t, last.goroutines, grown.goroutines*5/4+50, "goroutines grow")
	require.Less(t, last.handles, grown.handles*5/4+20, "file handles grow")
	for name, size := range last.files {
		require.Less(t, size, grown.files[name]*5/4+1<<10, "%s grows", name)
	}
}

// day posts to an endpoint that is well, to one that fails every other time, and to one that hangs
// for some hours, until its backlog is held, and let go. It ends with the day, and all of it has
// arrived.
func (w *world) day(n int) {
	w.t.Helper()
	s := &scenario{w: w, tenant: fmt.Sprintf("day-%d", n), known: map[string]check.Event{}, touched: map[string]bool{}, shared: map[string]int{}}
	s.history.Skips, s.history.Limits = skips, map[string]webhook.RateLimit{}
	s.make("", 0, `{"timeout":"2s"`, webhook.RateLimit{}, nil)
	s.make(strings.Repeat("503 200 ", 10_000), 0, `{"timeout":"2s","schedule":["0s","5s","5m","5m","5m","5m"]`, webhook.RateLimit{}, nil)
	s.make("", 0, `{"timeout":"2s","schedule":["0s","5s","5m","30m","1h","1h","1h","1h","1h"],"approval":{"after":"10m","timeout":"48h"}`, webhook.RateLimit{}, nil)
	ill := s.endpoints[2]
	hangs, err := endpointtest.ParseScript("hang")
	require.NoError(w.t, err)
	begun := w.now()
	for at := time.Duration(0); at < 24*time.Hour; at += round {
		switch at {
		case 2 * round:
			ill.Follow(hangs)
		case 5 * round:
			ill.Mend()
		}
		if at < 16*time.Hour {
			s.postSome(n, at)
		}
		for w.now() < begun+at+round {
			w.settle()
			w.step(begun + at + round)
			if at > 5*round {
				s.approveAll()
			}
		}
	}
	require.True(w.t, s.over(), "all of a day has arrived at its end")
	s.end()
	require.Empty(w.t, s.violations, strings.Join(s.trace, "\n"))
	for _, p := range s.endpoints {
		require.NoError(w.t, p.Close())
	}
	require.NotZero(w.t, s.counts[check.Released]*s.counts[check.Retried]*s.counts[check.LargeBody], "%v", s.counts)
}

func (s *scenario) postSome(day int, at time.Duration) {
	for i := range posts {
		large := ""
		if i == 0 {
			large = strings.Repeat("x", 300<<10)
		}
		data := fmt.Sprintf(`{"day":%d,"at":"%s","i":%d,"large":"%s"}`, day, at, i, large)
		s.shared[data]++
		s.post(data, "")
	}
}

func (s *scenario) approveAll() {
	for _, id := range s.awaiting() {
		s.call(http.MethodPost, "/approvals/"+id+"/approve", `{"rate_per_second":10}`, "", nil)
	}
}

// usage is what the process and its databases have.
type usage struct {
	heap, goroutines, handles int
	files                     map[string]int // KiB
}

func (u usage) String() string {
	return fmt.Sprintf("%d MiB live, %d goroutines, %d file handles, files in KiB: %v", u.heap>>20, u.goroutines, u.handles, u.files)
}

func (w *world) usage() usage {
	w.t.Helper()
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	u := usage{heap: int(m.HeapAlloc), goroutines: runtime.NumGoroutine(), files: map[string]int{}} //nolint:gosec // no such heap
	handles, err := os.ReadDir("/proc/self/fd")
	require.NoError(w.t, err)
	u.handles = len(handles)
	files, err := filepath.Glob(filepath.Join(w.dir, "*.db"))
	require.NoError(w.t, err)
	for _, f := range files {
		info, err := os.Stat(f)
		require.NoError(w.t, err)
		u.files[filepath.Base(f)] = int(info.Size()) >> 10
	}
	return u
}
