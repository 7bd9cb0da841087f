//go:build linux

package e2e

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/e2e/cluster"
	"hookloop/e2e/wires"
	"hookloop/internal/check"
	"hookloop/internal/endpointtest"
	"hookloop/internal/signature"
	"hookloop/internal/webhook"
)

const (
	networkClients = 2
	// networkPace is between two events of a client: some three a second in all.
	networkPace = 600 * time.Millisecond
	// networkLimit is of an endpoint that follows the load, and not what has piled up.
	networkLimit, networkBurst = 5, 2
	// networkPatience is for what has piled up in 90 s, of which the limit lets some two a second
	// through beside the load.
	networkPatience = 5 * time.Minute
	// networkLate is how long TCP goes on with a request that was given up, and some seconds.
	networkLate = webhook.MaxTimeout + 10*time.Second
	// networkSpare is how many events are accepted after a cut until the next one.
	networkSpare = 6
)

var shortCuts = flag.Bool("short-cuts", false, "TestNetworks cuts each cable for a second, and no longer")

// TestNetworks runs the production shape with a network namespace for each part, and cuts each
// cable between two of them, both ways and one way, makes it slow and lossy, and in the end all of
// them, and mends them. Nothing is lost, a rate limit that two workers keep holds, and a failing
// endpoint has one episode. Two clusters share the cables among them, for most of it is waiting.
func TestNetworks(t *testing.T) {
	onlyInProof(t)
	t.Parallel()
	for name, cables := range map[string][]string{
		"a worker's": {"a worker and Temporal", "a worker and PostgreSQL", "a worker and endpoints"},
		"the others": {"gateway and Temporal", "gateway and PostgreSQL", "Temporal and PostgreSQL"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := startNetworks(t)
			for _, cable := range cables {
				r.cut(cable)
			}
			r.deal("every cable, slow and lossy, 20s", 20*time.Second, slow, r.all)
			r.end()
		})
	}
}

// What is done to a cable.
var cut, slow = wires.Cable{Cut: true}, wires.Cable{Delay: 200 * time.Millisecond, Loss: .05}

// cut does to one cable all that there is.
func (r *networkRun) cut(name string) {
	ends := r.links()[name]
	both := func(is wires.Cable) { r.net.Both(ends[0], ends[1], is) }
	r.deal(name+", both ways, 1s", time.Second, cut, both)
	r.deal(name+", slow and lossy, 10s", 10*time.Second, slow, both)
	if *shortCuts {
		return
	}
	r.deal(name+", both ways, 10s", 10*time.Second, cut, both)
	r.deal(name+", one way, 10s", 10*time.Second, cut, func(is wires.Cable) { r.net.Set(ends[0], ends[1], is) })
	r.deal(name+", the other way, 10s", 10*time.Second, cut, func(is wires.Cable) { r.net.Set(ends[1], ends[0], is) })
	r.deal(name+", both ways, 90s", 90*time.Second, cut, both)
}

// networkRun is a load on a cluster whose cables are cut.
type networkRun struct {
	t       *testing.T
	net     *wires.Network
	nodes   map[string]*wires.Node
	app     app
	load    *clusterLoad
	well    *endpointtest.Server
	limited *endpointtest.Server
	failing *endpointtest.Server
	asked   string // the id of the failing one: a person is asked about it
}

func startNetworks(t *testing.T) *networkRun {
	t.Helper()
	r := &networkRun{t: t, net: wires.New(t, dice(t).Uint64()), nodes: map[string]*wires.Node{}}
	c := startCluster(t, cluster.Config{
		Roles: []string{"gateway", "worker", "worker"},
		More:  []string{"HOOKLOOP_ALLOW_NETWORKS=" + r.net.Prefix()},
		Nodes: func(part string) *wires.Node {
			r.nodes[part] = r.net.Node()
			return r.nodes[part]
		},
	})
	r.app = app{&process{place: place{
		Gateway: c.Gateways[0].URL(), Temporal: c.Temporal.Address, Namespace: c.Namespace, Tenant: "acme", Token: c.Token,
	}}}
	r.load = &clusterLoad{t: t, gateways: []app{r.app}, prefix: "cut", pace: networkPace, witness: newWitness(), ids: map[string]string{}}
	r.load.witness.history.Late = networkLate
	r.load.witness.history.Limits = map[string]webhook.RateLimit{}
	r.well, _ = r.listen("", `,"event_types":["load.test"],"timeout":"5s","schedule":["0s","1s","2s","5s","10s","20s","30s","30s","30s","30s"]`)
	var id string
	r.limited, id = r.listen("", fmt.Sprintf(`,"event_types":["load.test"],"timeout":"5s","rate_limit":{"per_second":%d,"burst":%d},"schedule":["0s","1s","2s","5s","10s","20s","30s","30s","30s","30s"]`, networkLimit, networkBurst))
	r.load.witness.history.Limits[id] = webhook.RateLimit{PerSecond: networkLimit, Burst: networkBurst}
	r.failing, r.asked = r.listen("503", `,"event_types":["failing.test"],"timeout":"5s","schedule":["0s","1s","10s","30s","24h"],"approval":{"after":"5s"}`)
	r.load.last.Store(1 << 30)
	r.load.start(networkClients)
	r.goOn("at first", 2*networkSpare)
	return r
}

// listen starts an endpoint where this process is, which the workers reach by their cables.
func (r *networkRun) listen(script, more string) (*endpointtest.Server, string) {
	r.t.Helper()
	s := endpointtest.StartAt(r.t, r.net.Here().Address, endpointtest.Config{Script: script})
	e := r.app.createEndpoint(r.t, `{"url":"`+s.URL+`"`+more+`}`)
	secret, err := signature.ParseSecret(e.Secret)
	require.NoError(r.t, err)
	s.Trust(secret)
	r.load.witness.watch(e.ID, s)
	return s, e.ID
}

// links are the cables that there are, but for the one by which the test posts. What is cut for one
// worker, the other has.
func (r *networkRun) links() map[string][2]*wires.Node {
	n := r.nodes
	return map[string][2]*wires.Node{
		"gateway and Temporal":    {n["gateway 1"], n["temporal"]},
		"gateway and PostgreSQL":  {n["gateway 1"], n["postgres"]},
		"a worker and Temporal":   {n["worker 1"], n["temporal"]},
		"a worker and PostgreSQL": {n["worker 1"], n["postgres"]},
		"a worker and endpoints":  {n["worker 1"], r.net.Here()},
		"Temporal and PostgreSQL": {n["temporal"], n["postgres"]},
	}
}

// deal makes cables bad for a span, mends them, and waits until what was accepted meanwhile has
// been delivered.
func (r *networkRun) deal(name string, span time.Duration, is wires.Cable, set func(wires.Cable)) {
	r.t.Helper()
	mended := r.load.witness.fault(name)
	refused, accepted := r.load.refused.Load(), r.load.answered()
	set(is)
	r.failingEvent()
	wait(r.t, span)
	set(wires.Cable{})
	healed, behind := time.Now(), r.behind()
	meanwhile := r.load.answered() - accepted
	r.goOn(name, networkSpare)
	first := time.Since(healed)
	require.Eventually(r.t, func() bool { return r.behind() <= networkClients }, networkPatience, 20*time.Millisecond, name+": what has piled up is delivered")
	mended()
	r.t.Logf("%s: %d accepted and %d refused meanwhile; %d were behind when it was mended; %d more were accepted after %s, and nothing was behind after %s",
		name, meanwhile, r.load.refused.Load()-refused, behind, networkSpare, first.Round(10*time.Millisecond), time.Since(healed).Round(10*time.Millisecond))
}

// failingEvent posts one for the endpoint that fails, if the gateway takes it.
func (r *networkRun) failingEvent() {
	status, body := r.app.try(r.t.Context(), http.MethodPost, "/events", `{"type":"failing.test","data":1}`, nil)
	var e accepted
	_ = json.Unmarshal(body, &e)
	if status != http.StatusAccepted { // it may have been all the same: it is not posted again
		status = 0
	}
	r.load.witness.answered(status, e.ID, "", "")
}

// behind is how many events were accepted that one of the two endpoints has not got.
func (r *networkRun) behind() int {
	known := r.load.known()
	return max(len(known)-len(distinct(r.well.Receipts())), len(known)-len(distinct(r.limited.Receipts())))
}

func (r *networkRun) goOn(after string, more int) {
	r.t.Helper()
	enough := r.load.answered() + more
	require.Eventually(r.t, func() bool { return r.load.answered() >= enough }, networkPatience, 20*time.Millisecond, "events are accepted after: "+after)
}

// all makes every cable alike.
func (r *networkRun) all(is wires.Cable) {
	for _, ends := range r.links() {
		r.net.Both(ends[0], ends[1], is)
	}
	r.net.Both(r.nodes["worker 2"], r.nodes["temporal"], is)
	r.net.Both(r.nodes["worker 2"], r.nodes["postgres"], is)
}

// end mends the failing endpoint, too, lets go what is held for it, and judges.
func (r *networkRun) end() {
	r.t.Helper()
	r.load.last.Store(0)
	r.load.clients.Wait()
	require.Empty(r.t, r.load.strays)
	for range failures { // where cuts are few and short, too few came until now
		r.failingEvent()
	}
	r.app.approval(r.t, r.asked, webhook.ApprovalAwaiting)
	r.failing.Mend()
	eventually(r.t, "what was held is let go", func() bool {
		status, _ := r.app.try(r.t.Context(), http.MethodPost, "/approvals/"+r.asked+"/approve", `{"rate_per_second":100}`, nil)
		return status == http.StatusAccepted
	})
	w := r.load.witness
	v := w.judge(r.t, r.app, check.Faults, check.Refused, check.Retried, check.Asked, check.Released)
	r.t.Logf("%d cuts, %d packets lost, %d events, %d sent twice, nothing lost", len(w.history.Faults), r.net.Lost(), len(r.load.ids), v.Duplicates)
}
