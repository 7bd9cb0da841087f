package gateway_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"hookloop/api"
	"hookloop/gateway"
	"hookloop/internal/quota"
	"hookloop/internal/webhook"
	"hookloop/workflows"
)

// twoOwners is a tenant with endpoints of two owners, events to each and to both; all that is of
// the second owner holds the word "foreign".
type twoOwners struct {
	*rig

	mine, theirs              string // endpoints
	onlyMine, onlyTheirs      string // events
	both                      string // an event
	everything                string // a token
	sourceID, linkID, outside string // of the tenant; an endpoint of another tenant
}

func newTwoOwners(t *testing.T) *twoOwners {
	t.Helper()
	var asked atomic.Int64
	unhurried, err := quota.New(quota.Config{Now: func() time.Time { return midday.Add(time.Duration(asked.Add(1)) * time.Minute) }})
	require.NoError(t, err)
	r := &twoOwners{rig: newRigWith(t, func(c *gateway.Config) { c.Quotas = unhurried })} // between two questions a minute passes
	r.everything = sign(t, with(jwt.MapClaims{"scope": strings.Join(api.Scopes(), " ")}))
	r.token = r.everything
	r.mine = r.endpoint(`{"url":"https://mine.example/","owner":"one","event_types":["a.mine","a.both"],"metadata":{"note":"internal"},"headers":{"X-Key":"credential"}}`)
	r.theirs = r.endpoint(`{"url":"https://foreign.example/","owner":"foreign","description":"foreign","event_types":["a.theirs","a.both"]}`)
	for event, kind := range map[*string]string{&r.onlyMine: "a.mine", &r.onlyTheirs: "a.theirs", &r.both: "a.both"} {
		a := read[acceptedEvent](t, r.do("POST", "/events", `{"type":"`+kind+`","data":{"of":"`+kind+`"}}`), 202)
		*event = a.ID
		run := r.temporal.Run(a.WorkflowID)
		run.Status = completed
		report := workflows.EventReport{Status: webhook.EventFailed}
		for _, d := range a.Deliveries {
			line := webhook.DeliveryReport{EndpointID: d.EndpointID, Status: webhook.Delivered, Attempts: []webhook.Attempt{{Number: 1, StatusCode: 204}}}
			if d.EndpointID == r.theirs {
				line.Status, line.Reason = webhook.Exhausted, "foreign"
				line.Attempts[0] = webhook.Attempt{Number: 1, StatusCode: 500, ResponseBody: "foreign"}
			}
			report.Deliveries = append(report.Deliveries, line)
		}
		run.Report = report
	}
	r.sourceID = r.source(githubSource)
	r.linkID = read[api.PortalLink](t, r.do("POST", "/endpoints/"+r.theirs+"/portal", "{}"), 201).ID
	r.outside = read[api.Endpoint](t, r.do("POST", "=/v1/tenants/other/endpoints", `{"url":"https://foreign.example/","owner":"one"}`), 201).ID
	return r
}

// confinedTokens are those by which the owner of the first endpoint may ask, each way there is.
func (r *twoOwners) confinedTokens() map[string]string {
	r.t.Helper()
	r.token = r.everything
	claims := func(more jwt.MapClaims) string {
		c := with(jwt.MapClaims{"scope": strings.Join(api.Scopes(), " "), "tenants": []string{"acme"}})
		maps.Copy(c, more)
		return sign(r.t, c)
	}
	return map[string]string{
		"token for an endpoint": claims(jwt.MapClaims{"endpoints": []string{r.mine}}),
		"token for an owner":    claims(jwt.MapClaims{"owner": "one"}),
		"token for both":        claims(jwt.MapClaims{"owner": "one", "endpoints": []string{r.mine, r.theirs}}),
		"link to an endpoint":   read[api.PortalLink](r.t, r.do("POST", "/endpoints/"+r.mine+"/portal", "{}"), 201).Token,
		"link to an owner":      read[api.PortalLink](r.t, r.do("POST", "/portal/links", `{"owner":"one"}`), 201).Token,
	}
}

// documented are the operations of the OpenAPI document: what the gateway serves below /v1.
type documented struct {
	method, path string

	OperationID string `json:"operationId"`
	Description string
	RequestBody *struct {
		Content map[string]struct{ Example json.RawMessage }
	}
}

func (r *rig) documented() (all []documented) {
	r.t.Helper()
	doc := read[document](r.t, r.do("GET", "=/openapi.json", ""), 200)
	for path, methods := range doc.Paths {
		for method, raw := range methods {
			op := documented{method: strings.ToUpper(method), path: path}
			require.NoError(r.t, json.Unmarshal(raw, &op))
			all = append(all, op)
		}
	}
	require.Greater(r.t, len(all), 30)
	return all
}

func (op documented) body() string {
	if op.RequestBody == nil {
		return ""
	}
	if example := op.RequestBody.Content["application/json"].Example; len(example) > 0 {
		return string(example)
	}
	return "{}"
}

// named fills in a path: an id is that of what the path's resource is.
func (op documented) named(tenant, endpoint, event, source, link string) string {
	id := endpoint
	switch {
	case strings.Contains(op.path, "/events/"):
		id = event
	case strings.Contains(op.path, "/sources/"):
		id = source
	case strings.Contains(op.path, "/portal/links/"):
		id = link
	}
	return "=" + strings.NewReplacer("{tenant}", tenant, "{id}", id, "{endpoint_id}", endpoint).Replace(op.path)
}

// TestConfinedTokensReachNothingElse asks every operation there is, new ones too, with each kind of
// token that is confined to one owner's endpoint: about another owner's endpoint and events, about
// another tenant, and without a name.
func TestConfinedTokensReachNothingElse(t *testing.T) {
	t.Parallel()
	r := newTwoOwners(t)
	all := r.documented()
	for kind, token := range r.confinedTokens() {
		r.token = token
		for _, op := range all {
			where := kind + ": " + op.method + " " + op.path
			ask := func(path, body string) (int, string) {
				w := r.do(op.method, path, body)
				return w.Code, w.Body.String()
			}
			for _, about := range []string{
				op.named("acme", r.theirs, r.onlyTheirs, r.sourceID, r.linkID),
				op.named("acme", r.theirs, r.both, r.sourceID, r.linkID),
				op.named("acme", r.outside, unknownEvent, r.sourceID, r.linkID),
			} {
				status, body := ask(about, op.body())
				switch {
				case op.OperationID == "list-endpoints":
					require.Equal(t, http.StatusOK, status, where)
					require.Contains(t, body, r.mine, where)
				case op.OperationID == "get-event" && strings.Contains(about, r.both), op.OperationID == "get-event-data" && strings.Contains(about, r.both):
					require.Equal(t, http.StatusOK, status, where)
				case op.OperationID == "redeliver-event": // gone, or never there: the same for what is not theirs; its example names no endpoint of theirs
					require.Contains(t, []int{http.StatusNotFound, http.StatusGone}, status, where)
				default:
					require.Contains(t, []int{http.StatusForbidden, http.StatusNotFound}, status, where+" "+body)
				}
				require.NotContains(t, body, "foreign", where)
				require.NotContains(t, body, "a.theirs", where)
			}
			status, body := ask(op.named("other", r.outside, unknownEvent, r.sourceID, r.linkID), op.body())
			require.Equal(t, http.StatusForbidden, status, where+" "+body)
		}
		for _, query := range []string{"?endpoint=" + r.theirs, "?endpoint_id=" + r.theirs, "", "?endpoint=" + r.mine + "&endpoint_id=" + r.theirs, "?endpoint=" + r.theirs + "&endpoint=" + r.mine} {
			w := r.do("GET", "/undelivered"+query, "")
			require.NotEqual(t, http.StatusOK, w.Code, kind+query)
		}
		for _, event := range []string{r.both, r.onlyTheirs, r.onlyMine} {
			w := r.do("POST", "/events/"+event+"/redeliver", `{"endpoint_id":"`+r.theirs+`"}`)
			require.Contains(t, []int{http.StatusNotFound, http.StatusGone}, w.Code, kind)
		}
		w := r.do("POST", "/events/"+r.onlyTheirs+"/redeliver", `{"endpoint_id":"`+r.mine+`"}`)
		require.Equal(t, http.StatusGone, w.Code, "no event can be called that was not for them")
	}
	require.Empty(t, r.temporal.Updates)
}

// TestConfinedOperations names those that a confined token may call: one more is a decision.
func TestConfinedOperations(t *testing.T) {
	t.Parallel()
	var may []string
	for _, op := range newRig(t).documented() {
		if strings.Contains(op.Description, "A token that is confined to endpoints may call it") {
			may = append(may, op.OperationID)
		}
	}
	slices.Sort(may)
	require.Equal(t, []string{
		"get-endpoint", "get-endpoint-secret", "get-endpoint-stats", "get-event", "get-event-data", "list-attempts", "list-endpoints", "list-undelivered",
		"pause-endpoint", "redeliver-event", "resume-endpoint", "retry-delivery-now", "rotate-endpoint-secret", "test-endpoint",
	}, may)
}

// TestConfinedTokensSeeTheirs: what is theirs they see, and nothing of the app's.
func TestConfinedTokensSeeTheirs(t *testing.T) {
	t.Parallel()
	r := newTwoOwners(t)
	for kind, token := range r.confinedTokens() {
		r.token = token
		e := read[api.Endpoint](t, r.do("GET", "/endpoints/"+r.mine, ""), 200)
		require.Equal(t, map[string]string{"X-Key": "***"}, e.Headers, kind)
		require.Empty(t, e.Metadata, kind)
		list := read[api.Page[api.Endpoint]](t, r.do("GET", "/endpoints?limit=1", ""), 200)
		require.Len(t, list.Data, 1, kind)
		require.Nil(t, list.NextCursor, kind)
		require.Empty(t, read[api.Page[api.Endpoint]](t, r.do("GET", "/endpoints?owner=foreign", ""), 200).Data, kind)

		both := read[api.Event](t, r.do("GET", "/events/"+r.both, ""), 200)
		require.Equal(t, api.EventDelivered, both.Status, "what became of it elsewhere is not theirs to know")
		require.Len(t, both.Deliveries, 1, kind)
		require.Equal(t, r.mine, both.Deliveries[0].EndpointID, kind)
		require.JSONEq(t, `{"of":"a.both"}`, r.do("GET", "/events/"+r.both+"/data", "").Body.String(), kind)
		require.Equal(t, 200, r.do("GET", "/undelivered?endpoint="+r.mine, "").Code, kind)
		require.Equal(t, 200, r.do("GET", "/endpoints/"+r.mine+"/attempts", "").Code, kind)
		require.Equal(t, 200, r.do("GET", "/endpoints/"+r.mine+"/stats", "").Code, kind)

		got := read[redelivered](t, r.do("POST", "/events/"+r.both+"/redeliver", `{"endpoint_id":"`+r.mine+`"}`), 202)
		require.Equal(t, r.mine, got.Deliveries[0].EndpointID, kind)
		r.temporal.Forget(got.Deliveries[0].WorkflowID)
		require.Equal(t, 202, r.do("POST", "/endpoints/"+r.mine+"/test", "").Code, kind)

		secret := read[api.Secret](t, r.do("POST", "/endpoints/"+r.mine+"/secret/rotate", `{"overlap":"1h"}`), 200)
		require.WithinDuration(t, time.Now().Add(time.Hour), *secret.PreviousUntil, time.Minute, kind)
		require.NotNil(t, read[api.Endpoint](t, r.do("GET", "/endpoints/"+r.mine, ""), 200).PreviousSecretUntil, kind)
		require.Equal(t, secret.Secret, read[api.Secret](t, r.do("GET", "/endpoints/"+r.mine+"/secret", ""), 200).Secret, kind)
		require.Contains(t, r.registry.recorded[len(r.registry.recorded)-1], "secret-read "+r.mine+" by portal:", kind)
	}
}

// TestConfinedTokensDecideNothingOfOthers: what the app's people stopped, they let go on.
func TestConfinedTokensDecideNothingOfOthers(t *testing.T) {
	t.Parallel()
	r := newTwoOwners(t)
	state := func(s webhook.EndpointState, why string) {
		_, err := r.registry.UpdateEndpoint(t.Context(), "acme", r.mine, func(e *webhook.Endpoint) error {
			e.State, e.StateReason = s, why
			return nil
		})
		require.NoError(t, err)
	}
	r.token = r.confinedTokens()["link to an owner"]
	for _, stopped := range []struct {
		state webhook.EndpointState
		why   string
		shown string
	}{
		{webhook.EndpointPaused, "paused by jane: they owe us money", "paused"},
		{webhook.EndpointDisabled, "rejected by jane: gone", "rejected"},
		{webhook.EndpointHeld, "it fails for 1h", "it fails for 1h"},
	} {
		state(stopped.state, stopped.why)
		refused(t, r.do("POST", "/endpoints/"+r.mine+"/resume", ""), 409, webhook.Conflict)
		require.Equal(t, stopped.shown, read[api.Endpoint](t, r.do("GET", "/endpoints/"+r.mine, ""), 200).StateReason)
		if stopped.state != webhook.EndpointPaused { // pausing that again changes nothing
			refused(t, r.do("POST", "/endpoints/"+r.mine+"/pause", ""), 409, webhook.Conflict)
		}
	}
	state(webhook.EndpointActive, "")
	paused := read[api.Endpoint](t, r.do("POST", "/endpoints/"+r.mine+"/pause", `{"reason":"moving"}`), 202)
	require.Regexp(t, `^paused by portal:one \(lnk_[0-9a-z]{26}\): moving$`, paused.StateReason)
	require.Equal(t, 202, r.do("POST", "/endpoints/"+r.mine+"/resume", "").Code)
}

// TestConfinedTokensAndExpressions: an endpoint that gets a part of an event does not get the rest
// by the portal.
func TestConfinedTokensAndExpressions(t *testing.T) {
	t.Parallel()
	r := newTwoOwners(t)
	_, err := r.registry.UpdateEndpoint(t.Context(), "acme", r.mine, func(e *webhook.Endpoint) error {
		e.Request.Body = ".data.of"
		return nil
	})
	require.NoError(t, err)
	for _, token := range r.confinedTokens() {
		r.token = token
		refused(t, r.do("GET", "/events/"+r.onlyMine+"/data", ""), 403, api.OutOfReach)
	}
}

// TestConfinedTokensAreBounded: one who clicks is not slowed down, a program is.
func TestConfinedTokensAreBounded(t *testing.T) {
	t.Parallel()
	r := newRigAtMidday(t)
	id := r.endpoint(`{"url":"https://one.example/"}`)
	r.token = sign(t, with(jwt.MapClaims{"tenants": []string{"acme"}, "endpoints": []string{id}}))
	for range 20 {
		require.Equal(t, 202, r.do("POST", "/endpoints/"+id+"/test", "").Code)
	}
	w := r.do("POST", "/endpoints/"+id+"/test", "")
	refused(t, w, 429, api.QuotaExceeded)
	require.NotEmpty(t, w.Header().Get("Retry-After"))
	require.Equal(t, 200, r.do("GET", "/endpoints/"+id, "").Code, "looking goes on")
	r.token = sign(t, everything())
	require.Equal(t, 202, r.do("POST", "/endpoints/"+id+"/test", "").Code, "the app is not slowed down")
}

// TestOddConfinedTokens: a claim that means nothing does not open everything.
func TestOddConfinedTokens(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	many := make([]string, 101)
	for i := range many {
		many[i] = "ep_x"
	}
	for name, c := range map[string]jwt.MapClaims{
		"no endpoint":            {"endpoints": []string{}},
		"endpoints null":         {"endpoints": json.RawMessage("null")},
		"endpoints empty text":   {"endpoints": " "},
		"endpoints of numbers":   {"endpoints": []int{1}},
		"too many":               {"endpoints": many},
		"empty owner":            {"owner": ""},
		"owner null":             {"owner": json.RawMessage("null")},
		"owner a list":           {"owner": []string{"one"}},
		"long owner":             {"owner": strings.Repeat("x", 129)},
		"a misspelt claim":       {"endpoint": "ep_x"},
		"another misspelt claim": {"owners": []string{"one"}},
		"every tenant":           {"owner": "one", "tenants": []string{"*"}},
		"two tenants":            {"owner": "one", "tenants": []string{"acme", "other"}},
		"no tenant":              {"owner": "one", "tenants": []string{}},
		"a link's name":          {"sub": "portal:one (lnk_1)"},
	} {
		claims := jwt.MapClaims{"tenants": []string{"acme"}}
		maps.Copy(claims, c)
		r.token = sign(t, with(claims))
		w := r.do("GET", "/endpoints", "")
		require.Equal(t, 401, w.Code, name)
	}
}
