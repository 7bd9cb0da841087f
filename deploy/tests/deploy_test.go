// Package tests_test holds what we ship for Prometheus and Grafana to what a process really tells.
package tests_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"hookloop/gateway"
	"hookloop/gateway/auth"
	"hookloop/internal/attemptlog"
	"hookloop/internal/echo"
	"hookloop/internal/endpointtest"
	"hookloop/internal/expression"
	"hookloop/internal/quota"
	"hookloop/internal/sender"
	"hookloop/internal/signature"
	"hookloop/internal/source"
	"hookloop/internal/telemetry"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// external are metrics of others, with the labels we use of them.
var external = map[string][]string{
	"node_filesystem_avail_bytes": {"fstype", "mountpoint"},
	"node_filesystem_size_bytes":  {"fstype", "mountpoint"},
	"up":                          nil,
}

// added are labels every metric has once it was scraped.
var added = []string{"instance", "job", "__name__"}

// process is all that registers metrics, put together as cmd does.
type process struct {
	told    *telemetry.Telemetry
	gateway *gateway.Gateway
	sender  *sender.Sender
	echoes  *echo.Tracker
}

func newProcess(t *testing.T) process {
	t.Helper()
	told, err := telemetry.New(t.Context(), telemetry.Config{Version: "test"})
	require.NoError(t, err)
	require.NoError(t, told.Watch(counts{}, nil))
	x, err := expression.New(expression.Config{Metrics: told.Metrics()})
	require.NoError(t, err)
	t.Cleanup(x.Close)
	q, err := quota.New(quota.Config{Metrics: told.Metrics()})
	require.NoError(t, err)
	s, err := sender.New(sender.Config{AllowLoopback: true, Metrics: told.Metrics(), Expressions: x})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	echoes, err := echo.New(echo.Config{Store: writes{}, Metrics: told.Metrics(), Expressions: x})
	require.NoError(t, err)
	_, err = attemptlog.NewRecorder(attemptlog.RecorderConfig{Store: attemptLog{}, Metrics: told.Metrics()})
	require.NoError(t, err)
	g, err := gateway.New(gateway.Config{
		Attempts: attempts{}, Waiting: waiting{}, Portals: portals{}, Registry: registry{}, Sources: oneSource{}, Providers: providers{}, Echoes: echoes, Events: events{}, Recoveries: recoveries{},
		Redeliveries: redeliveries{}, Approvals: approvals{}, Audits: audits{}, Erasures: erasures{}, Auth: tokens{}, Metrics: told.Metrics(), Expressions: x, Quotas: q,
	})
	require.NoError(t, err)
	return process{told, g, s, echoes}
}

// What stands behind the gateway answers only what is asked here: one source, which sends one
// event.
type (
	registry     struct{ gateway.Registry }
	oneSource    struct{ sources }
	providers    struct{ gateway.Providers }
	writes       struct{ echo.Store }
	events       struct{ gateway.Events }
	recoveries   struct{ gateway.Recoveries }
	counts       struct{}
	redeliveries struct{ gateway.Redeliveries }
	audits       struct{ gateway.Audits }
	erasures     struct{ gateway.Erasures }
	approvals    struct{ gateway.Approvals }
	attempts     struct{ gateway.AttemptLog }
	waiting      struct{ gateway.Waiting }
	portals      struct{ gateway.Portals }
	attemptLog   struct{ attemptlog.Writer }
	sources      = gateway.Sources // under another name than its method
	tokens       struct{ auth.Verifying }
)

func (oneSource) SourceByID(context.Context, string) (webhook.Source, error) {
	return webhook.Source{ID: "src_1", Tenant: "acme", Provider: "generic"}, nil
}

func (oneSource) Arrivals(context.Context, string, []string, time.Duration, time.Time) (map[string]webhook.Arrival, error) {
	return nil, nil
}

func (oneSource) TakeArrivals(context.Context, string, []webhook.Taken, webhook.SourceActivity, time.Time) error {
	return nil
}

func (providers) Provider(string, json.RawMessage) (source.Provider, error) { return anything{}, nil }

func (registry) Match(context.Context, string, string) (webhook.Match, error) {
	return webhook.Match{}, nil
}

func (events) Start(context.Context, workflows.EventInput, []byte) error { return nil }

func (counts) Waiting(context.Context) (approvals int, deliveries map[string]int, err error) {
	return 1, map[string]int{"held": 1}, nil
}

func (counts) OldestApproval(context.Context) (time.Time, error) {
	return time.Now().Add(-time.Hour), nil
}

// anything is a third party that proves nothing and sends one event.
type anything struct{ source.Provider }

func (anything) Verify(context.Context, source.Request) error { return nil }

func (anything) Read(source.Request) (source.Received, error) {
	return source.Received{Items: []source.Item{{Type: "a.b", Key: "1", Data: []byte("1")}}}, nil
}

// busy does each thing once.
func (p process) busy(t *testing.T) {
	t.Helper()
	for _, path := range []string{"/healthz", "/in/src_" + strings.Repeat("0", 26)} {
		method := map[bool]string{true: http.MethodPost, false: http.MethodGet}[strings.HasPrefix(path, "/in/")]
		w := httptest.NewRecorder()
		p.gateway.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, http.NoBody))
		require.Equal(t, http.StatusOK, w.Code, w.Body)
	}
	d := webhook.Delivery{Event: webhook.Event{ID: "evt_1"}, Endpoint: webhook.Endpoint{
		ID: "ep_1", Application: "crm", Echo: webhook.EchoPaths{Key: ".none", Value: ".none"},
		URL: endpointtest.Start(t, endpointtest.Config{}).URL, Secrets: []webhook.EndpointSecret{{Secret: signature.NewSecret()}},
	}}
	_, err := p.echoes.Remember(t.Context(), d)
	require.NoError(t, err)
	_, err = p.sender.Send(t.Context(), d, 1)
	require.NoError(t, err)
	p.told.Temporal().WithTags(map[string]string{workflows.MetricEndedStatus: string(webhook.Delivered)}).Counter(workflows.MetricEnded).Inc(1)
	stopped, stop := context.WithCancel(t.Context())
	stop()
	_, err = p.sender.Send(stopped, d, 1)
	require.Error(t, err)
}

// TestScrape is the one look at all of it together: what a busy process tells is well named, and
// every metric of ours is told by a busy process.
func TestScrape(t *testing.T) {
	t.Parallel()
	p := newProcess(t)
	p.busy(t)
	problems, err := testutil.GatherAndLint(p.told.Metrics())
	require.NoError(t, err)
	require.Empty(t, problems)

	w := httptest.NewRecorder()
	p.gateway.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody))
	require.Equal(t, http.StatusOK, w.Code)
	for name := range described(p.told.Metrics()) {
		if strings.HasPrefix(name, "hookloop_") {
			require.Contains(t, w.Body.String(), "# TYPE "+name+" ")
		}
	}
}

var desc = regexp.MustCompile(`^Desc\{fqName: "([^"]+)", help: .*, constLabels: \{([^}]*)\}, variableLabels: \{([^}]*)\}\}$`)

// described gives the labels of every metric that is registered, told yet or not.
func described(r *prometheus.Registry) map[string][]string {
	all, descs := map[string][]string{}, make(chan *prometheus.Desc)
	go func() {
		defer close(descs)
		r.Describe(descs)
	}()
	for d := range descs {
		m := desc.FindStringSubmatch(d.String())
		var labels []string
		for _, l := range strings.FieldsFunc(m[2]+","+m[3], func(r rune) bool { return r == ',' }) {
			name, _, _ := strings.Cut(l, "=")
			labels = append(labels, name)
		}
		all[m[1]] = labels
	}
	return all
}

// check requires that an expression parses and speaks of metrics and labels that exist.
func check(t *testing.T, known map[string][]string, expression string) {
	t.Helper()
	expression = strings.NewReplacer("$__rate_interval", "5m", "$instance", ".*").Replace(expression)
	parsed, err := parser.ParseExpr(expression)
	require.NoError(t, err, expression)
	parser.Inspect(parsed, func(n parser.Node, _ []parser.Node) error {
		s, ok := n.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		name, labels := s.Name, added
		if _, whole := known[name]; !whole {
			for _, part := range []string{"_bucket", "_sum", "_count"} {
				name = strings.TrimSuffix(name, part)
			}
			labels = append(slices.Clone(labels), "le")
		}
		require.Contains(t, known, name, expression)
		labels = append(slices.Clone(labels), known[name]...)
		for _, m := range s.LabelMatchers {
			require.Contains(t, labels, m.Name, expression)
		}
		return nil
	})
	grouped(t, known, parsed)
}

// grouped requires that what is summed by a label has it.
func grouped(t *testing.T, known map[string][]string, e parser.Expr) {
	t.Helper()
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		sum, ok := n.(*parser.AggregateExpr)
		if !ok || len(sum.Grouping) == 0 {
			return nil
		}
		require.False(t, sum.Without)
		parser.Inspect(sum.Expr, func(n parser.Node, _ []parser.Node) error {
			if s, ok := n.(*parser.VectorSelector); ok {
				name, labels := s.Name, slices.Clone(added)
				if base, histogram := strings.CutSuffix(name, "_bucket"); histogram {
					name, labels = base, append(labels, "le")
				}
				require.Subset(t, append(labels, known[name]...), sum.Grouping, e.String())
			}
			return nil
		})
		return nil
	})
}

func knownMetrics(t *testing.T) map[string][]string {
	t.Helper()
	known := described(newProcess(t).told.Metrics())
	known["go_gc_duration_seconds"] = append(known["go_gc_duration_seconds"], "quantile")
	maps.Copy(known, external)
	return known
}

func TestAlerts(t *testing.T) {
	t.Parallel()
	known := knownMetrics(t)
	raw, err := os.ReadFile("../prometheus/alerts.yml")
	require.NoError(t, err)
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert       string
				Expr        string
				For         string
				Labels      struct{ Severity string }
				Annotations struct{ Summary, Description, Runbook string }
			}
		}
	}
	decoder := yaml.NewDecoder(strings.NewReader(string(raw)))
	decoder.KnownFields(true)
	require.NoError(t, decoder.Decode(&file))
	seen := map[string]bool{}
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			require.Regexp(t, `^Hookloop[A-Za-z]+$`, r.Alert)
			require.False(t, seen[r.Alert], r.Alert)
			seen[r.Alert] = true
			check(t, known, r.Expr)
			require.Contains(t, []string{"page", "ticket", "info"}, r.Labels.Severity, r.Alert)
			require.NotEmpty(t, r.Annotations.Summary, r.Alert)
			require.NotEmpty(t, r.Annotations.Description, r.Alert)
			runbook(t, r.Annotations.Runbook)
		}
	}
	require.GreaterOrEqual(t, len(seen), 10)
}

// runbooks are the headings of docs/operations.md that alerts lead to.
var runbooks = []string{"temporal-slow", "endpoint-flood", "database-full", "approvals-waiting", "events-refused"}

// runbook requires that a link leads somewhere.
func runbook(t *testing.T, link string) {
	t.Helper()
	file, anchor, _ := strings.Cut(link, "#")
	page, err := os.ReadFile("../../" + file)
	if file == "docs/operations.md" && os.IsNotExist(err) {
		require.Contains(t, runbooks, anchor)
		return
	}
	require.NoError(t, err)
	for line := range strings.SplitSeq(string(page), "\n") {
		title, heading := strings.CutPrefix(strings.TrimLeft(line, "#"), " ")
		if heading && strings.HasPrefix(line, "#") && slug(title) == anchor || strings.Contains(line, `id="`+anchor+`"`) {
			return
		}
	}
	require.Fail(t, "no such heading", link)
}

// slug is the anchor of a heading.
func slug(title string) string {
	return strings.ReplaceAll(regexp.MustCompile(`[^a-z0-9 _-]`).ReplaceAllString(strings.ToLower(title), ""), " ", "-")
}

// panel is what of a panel has to be right.
type panel struct {
	ID      int
	Type    string
	Title   string
	GridPos struct{ H, W, X, Y int }
	Targets []struct {
		Expr       string
		Datasource struct{ Type, UID string }
	}
}

func TestDashboard(t *testing.T) {
	t.Parallel()
	known := knownMetrics(t)
	raw, err := os.ReadFile("../grafana/hookloop.json")
	require.NoError(t, err)
	var board struct {
		UID, Title string
		Templating struct{ List []struct{ Name string } }
		Panels     []panel
	}
	require.NoError(t, json.Unmarshal(raw, &board))
	require.Equal(t, "hookloop", board.UID)
	require.Len(t, board.Templating.List, 2)
	ids, taken := map[int]bool{}, map[[2]int]string{}
	for _, p := range board.Panels {
		require.False(t, ids[p.ID], p.Title)
		ids[p.ID] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				require.Less(t, x, 24, p.Title)
				require.Empty(t, taken[[2]int{x, y}], p.Title)
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			continue
		}
		require.NotEmpty(t, p.Targets, p.Title)
		for _, target := range p.Targets {
			check(t, known, target.Expr)
			require.Equal(t, "${datasource}", target.Datasource.UID, p.Title)
		}
	}
}

// TestReadme: the page lists every metric with its labels, and none that is not.
func TestReadme(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	listed := map[string][]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `((?:hookloop|temporal)_[a-z_]+)` \\| ([a-z_, ]*)\\|").FindAllStringSubmatch(string(raw), -1) {
		listed[m[1]] = slices.Sorted(slices.Values(strings.FieldsFunc(m[2], func(r rune) bool { return r == ',' || r == ' ' })))
	}
	told := map[string][]string{}
	for name, labels := range described(newProcess(t).told.Metrics()) {
		if strings.HasPrefix(name, "hookloop_") || strings.HasPrefix(name, "temporal_") {
			told[name] = slices.Sorted(slices.Values(labels))
		}
	}
	require.Equal(t, told, listed)
}
