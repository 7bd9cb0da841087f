package e2e

import (
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"hookloop/internal/check"
	"hookloop/internal/endpointtest"
	"hookloop/internal/webhook"
)

var soak = flag.Duration("soak", 0, "how long TestSoak runs; 0: not at all")

const (
	// soakPace is between two events of a client: some five a second, each to three endpoints.
	// While one of them is held, what waits for it must not pile up faster than a small machine
	// that does other things as well can take it in.
	soakPace = 800 * time.Millisecond
	// soakCalm is between two spells: what has piled up in one is delivered in less.
	soakCalm = 30 * time.Second
	// soakPatience is for an operator's decision to take effect, which waits until all that is held
	// knows that it is.
	soakPatience = 10 * time.Minute
)

// TestSoak keeps a load going, to an endpoint that is well, one that fails every other time, and
// one that hangs again and again until its backlog is held, and let go by an operator. From the
// first third of the time to the last, memory, goroutines and file handles stay what they were;
// what the databases grow by for each event it says.
func TestSoak(t *testing.T) {
	if *soak == 0 {
		t.Skip("`make soak` runs it")
	}
	data := filepath.Join(t.TempDir(), "data")
	p := start(t, data)
	a := app{p}
	w := newWitness()
	for script, more := range map[string]string{"": "", strings.Repeat("503 200 ", 100_000): `,"schedule":["0s","1s","1s","1s"]`} {
		s, e := a.listen(t, endpointtest.Config{Script: script}, more)
		w.watch(e.ID, s)
	}
	ill, e := a.listen(t, endpointtest.Config{}, `,"timeout":"1s","schedule":["0s","1s"`+strings.Repeat(`,"5s"`, 20)+`],"approval":{"after":"5s"}`)
	w.watch(e.ID, ill)
	l := &clusterLoad{t: t, gateways: []app{a}, prefix: "soak", pace: soakPace, witness: w, ids: map[string]string{}}
	l.last.Store(1 << 30)
	l.start(4)
	hangs, err := endpointtest.ParseScript("hang")
	require.NoError(t, err)
	done := make(chan int)
	end := time.Now().Add(*soak)
	go func() { done <- a.spells(t, ill, hangs, e.ID, end) }()
	samples := a.usages(t, data, l, end)
	spells := <-done
	l.last.Store(0)
	l.clients.Wait()
	require.Empty(t, l.strays)
	third := len(samples) / 3
	first, last := typical(samples[third/2:third+third/2]), typical(samples[len(samples)-third:])
	t.Logf("%d spells; from %s\nto   %s", spells, first, last)
	require.Less(t, last.memory, first.memory*5/4+32<<20, "memory grows")
	require.Less(t, last.goroutines, first.goroutines*5/4+50, "goroutines grow")
	require.Less(t, last.handles, first.handles*5/4+20, "file handles grow")
	t.Logf("%d bytes of database for each event, %d at the end", (last.files-first.files)/max(1, int64(last.events-first.events)), last.files)
	w.judge(t, a, check.Retried, check.NoAnswer, check.Asked, check.Released)
}

// spells lets an endpoint hang until it is held, mends it, and has an operator let its backlog go,
// over and over; it counts how often. It runs beside the test.
func (a app) spells(t *testing.T, ill *endpointtest.Server, hangs endpointtest.Script, id string, end time.Time) (n int) {
	for ; time.Now().Add(2 * soakCalm).Before(end); n++ {
		ill.Follow(hangs)
		held := assert.Eventually(t, func() bool { return a.is(t, id, webhook.EndpointHeld) }, soakPatience, time.Second, "spell %d: the endpoint is held", n)
		ill.Mend()
		if !held || !assert.Eventually(t, func() bool { return a.letThrough(t, id) }, soakPatience, time.Second, "spell %d: the endpoint is let go", n) {
			return n
		}
		wait(t, soakCalm)
	}
	return n
}

// letThrough approves if a person is asked about an endpoint, and says whether it is active.
func (a app) letThrough(t *testing.T, id string) bool {
	if a.is(t, id, webhook.EndpointActive) {
		return true
	}
	a.try(t.Context(), http.MethodPost, "/approvals/"+id+"/approve", `{"rate_per_second":100}`, nil)
	return false
}

func (a app) is(t *testing.T, id string, state webhook.EndpointState) bool {
	_, body := a.try(t.Context(), http.MethodGet, "/endpoints/"+id, "", nil)
	return strings.Contains(string(body), `"state":"`+string(state)+`"`)
}

// usages samples the process until a time, a sixtieth of the run apart.
func (a app) usages(t *testing.T, data string, l *clusterLoad, end time.Time) (samples []usage) {
	t.Helper()
	tick := time.NewTicker(*soak / 60)
	defer tick.Stop()
	for time.Now().Before(end) {
		<-tick.C
		u := a.usage(t, data, l.answered())
		samples = append(samples, u)
		t.Log(u)
	}
	return samples
}

// usage is what the process has at one moment.
type usage struct {
	events              int
	memory, files       int64 // bytes
	goroutines, handles int64
}

func (u usage) String() string {
	return fmt.Sprintf("%d events: %d MiB of memory, %d goroutines, %d file handles, %d MiB of files", u.events, u.memory>>20, u.goroutines, u.handles, u.files>>20)
}

func (a app) usage(t *testing.T, data string, events int) usage {
	t.Helper()
	text := (&keyedLoad{app: a}).get(t, "/metrics")
	require.Equal(t, http.StatusOK, text.status)
	u := usage{events: events}
	for line := range strings.Lines(text.body) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, _ := strconv.ParseFloat(value, 64)
		switch name {
		case "go_goroutines":
			u.goroutines = int64(n)
		case "process_open_fds":
			u.handles = int64(n)
		case "process_resident_memory_bytes":
			u.memory = int64(n)
		}
	}
	require.NotZero(t, u.goroutines*u.handles*u.memory)
	require.NoError(t, filepath.WalkDir(data, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if info, err := d.Info(); err == nil { // SQLite's log comes and goes
			u.files += info.Size()
		} else if !os.IsNotExist(err) {
			return err
		}
		return nil
	}))
	return u
}

// typical is the median of each.
func typical(all []usage) (u usage) {
	median := func(of func(usage) int64) int64 {
		var values []int64
		for _, one := range all {
			values = append(values, of(one))
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	u.events = int(median(func(u usage) int64 { return int64(u.events) }))
	u.memory, u.files = median(func(u usage) int64 { return u.memory }), median(func(u usage) int64 { return u.files })
	u.goroutines, u.handles = median(func(u usage) int64 { return u.goroutines }), median(func(u usage) int64 { return u.handles })
	return u
}
